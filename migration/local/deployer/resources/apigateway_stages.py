"""Where REST APIs are served: stages, their method settings, and the role that writes their logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.aws import found
from migration.local.deployer.resources.apigateway import differs, replace, tag
from migration.local.deployer.resources.handler import Handler, changed, pick, tolerating_absence

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTINGS = {
    "cacheDataEncrypted": "caching/dataEncrypted",
    "cacheTtlInSeconds": "caching/ttlInSeconds",
    "cachingEnabled": "caching/enabled",
    "dataTraceEnabled": "logging/dataTrace",
    "loggingLevel": "logging/loglevel",
    "metricsEnabled": "metrics/enabled",
    "throttlingBurstLimit": "throttling/burstLimit",
    "throttlingRateLimit": "throttling/rateLimit",
}


class ApiStage(Handler):
    """`aws.apigateway.Stage`; its id is `ags-API-STAGE`. Its URL is one that answers on this machine."""

    type = "aws:apigateway/stage:Stage"
    name_input = None
    replace_on = frozenset({"restApi", "stageName"})

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Show a deployment under a name."""
        more = ("cacheClusterEnabled", "cacheClusterSize", "description", "documentationVersion", "variables")
        self.aws.apigateway.create_stage(
            **_stage(inputs),
            deploymentId=inputs["deployment"],
            tags=inputs.get("tags") or {},
            **pick(inputs, {**{name: name for name in more}, "xrayTracingEnabled": "tracingEnabled"}),
        )
        self._log(inputs)
        return self.identify(inputs)

    def read(self, _physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARNs and the URL, in the path form."""
        if found(lambda: self.aws.apigateway.get_stage(**_stage(inputs))) is None:
            return None
        api, name = inputs["restApi"], inputs["stageName"]
        return {
            "arn": self._arn(inputs),
            "executionArn": f"arn:aws:execute-api:{self.aws.region}:{self.aws.account}:{api}/{name}",
            "invokeUrl": f"{self.aws.endpoint}/_aws/execute-api/{api}/{name}",
            "tagsAll": inputs.get("tags", {}),
        }

    def update(self, _physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Show another deployment, or change its settings."""
        names = {
            "deployment": "deploymentId",
            "description": "description",
            "xrayTracingEnabled": "tracingEnabled",
        }
        patches = [replace(f"/{names[name]}", new[name]) for name in names if differs(name, old, new)]
        before, after = old.get("variables") or {}, new.get("variables") or {}
        patches += [
            replace(f"/variables/{key}", value) for key, value in after.items() if value != before.get(key)
        ]
        if patches:
            self.aws.apigateway.update_stage(**_stage(new), patchOperations=patches)
        if changed(old, new, ("accessLogSettings",)):
            self._log(new)
        tag(self.aws.apigateway, self._arn(new), old, new)

    def delete(self, _physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Remove it."""
        with tolerating_absence():
            self.aws.apigateway.delete_stage(**_stage(inputs))

    def identify(self, inputs: Mapping[str, Any]) -> str:
        """Name it by its API and name."""
        return f"ags-{inputs['restApi']}-{inputs['stageName']}"

    def _arn(self, inputs: Mapping[str, Any]) -> str:
        place = f"/restapis/{inputs['restApi']}/stages/{inputs['stageName']}"
        return f"arn:aws:apigateway:{self.aws.region}::{place}"

    def _log(self, inputs: Mapping[str, Any]) -> None:
        settings = inputs.get("accessLogSettings") or {}
        patches = [replace(f"/accessLogSettings/{name}", value) for name, value in settings.items()]
        if patches:
            self.aws.apigateway.update_stage(**_stage(inputs), patchOperations=patches)


class MethodSettings(Handler):
    """`aws.apigateway.MethodSettings`; its id is `API-STAGE-PATH`."""

    type = "aws:apigateway/methodSettings:MethodSettings"
    name_input = None
    replace_on = frozenset({"restApi", "stageName", "methodPath"})

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Set throttling, logging and metrics for the methods of the path."""
        patches = [
            replace(f"/{_method_path(inputs)}/{_SETTINGS[name]}", value)
            for name, value in inputs["settings"].items()
            if name in _SETTINGS
        ]
        self.aws.apigateway.update_stage(**_stage(inputs), patchOperations=patches)
        return self.identify(inputs)

    def read(self, _physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether the stage has settings for the path."""
        stage = found(lambda: self.aws.apigateway.get_stage(**_stage(inputs)))
        return {} if stage and inputs["methodPath"] in stage.get("methodSettings", {}) else None

    def update(self, _physical_id: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Set them again."""
        self.create(new)

    def delete(self, _physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Take them off the stage."""
        with tolerating_absence():
            self.aws.apigateway.update_stage(
                **_stage(inputs), patchOperations=[{"op": "remove", "path": f"/{_method_path(inputs)}"}]
            )

    def identify(self, inputs: Mapping[str, Any]) -> str:
        """Name it by its place."""
        return f"{inputs['restApi']}-{inputs['stageName']}-{inputs['methodPath']}"


class Account(Handler):
    """`aws.apigateway.Account`, the region's one setting; its id is `api-gateway-account`."""

    type = "aws:apigateway/account:Account"
    name_input = None
    replace_on = frozenset()

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Set the role that writes logs."""
        role = inputs.get("cloudwatchRoleArn", "")
        self.aws.apigateway.update_account(patchOperations=[replace("/cloudwatchRoleArn", role)])
        return self.identify(inputs)

    def read(self, _physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether the role is still this one."""
        current = self.aws.apigateway.get_account().get("cloudwatchRoleArn")
        return {} if current == inputs.get("cloudwatchRoleArn") else None

    def update(self, _physical_id: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Set it again."""
        self.create(new)

    def delete(self, _physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Set no role."""
        self.create({})

    def identify(self, _inputs: Mapping[str, Any]) -> str:
        """Name the one there is."""
        return "api-gateway-account"


def _stage(inputs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - keywords of several calls
    return {"restApiId": inputs["restApi"], "stageName": inputs["stageName"]}


def _method_path(inputs: Mapping[str, Any]) -> str:
    """Write the path as API Gateway names it in patches: all but the last slash escaped."""
    path, _, method = str(inputs["methodPath"]).rpartition("/")
    return f"{path.replace('/', '~1')}/{method}"


HANDLERS = (ApiStage, MethodSettings, Account)
