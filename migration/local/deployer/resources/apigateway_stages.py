"""Where REST APIs are served: stages, their method settings, and the role that writes their logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.resources.apigateway import differs, replace, tag
from migration.local.deployer.resources.handler import Handler, changed, pick

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
    id_form = "ags-{restApi}-{stageName}"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Show a deployment under a name."""
        more = ("cacheClusterEnabled", "cacheClusterSize", "description", "documentationVersion", "variables")
        self.aws.apigateway.create_stage(
            **_stage(inputs),
            deploymentId=inputs["deployment"],
            tags=inputs.get("tags") or {},
            **pick(inputs, {**{name: name for name in more}, "xrayTracingEnabled": "tracingEnabled"}),
        )
        self._log(inputs)

    def read(self, _physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARNs and the URL, in the path form."""
        self.aws.apigateway.get_stage(**_stage(inputs))
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
        self.aws.apigateway.delete_stage(**_stage(inputs))

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
    put_whole = True
    id_form = "{restApi}-{stageName}-{methodPath}"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Set throttling, logging and metrics for the methods of the path."""
        patches = [
            replace(f"/{_method_path(inputs)}/{_SETTINGS[name]}", value)
            for name, value in inputs["settings"].items()
            if name in _SETTINGS
        ]
        self.aws.apigateway.update_stage(**_stage(inputs), patchOperations=patches)

    def read(self, _physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether the stage has settings for the path."""
        stage = self.aws.apigateway.get_stage(**_stage(inputs))
        return {} if inputs["methodPath"] in stage.get("methodSettings", {}) else None

    def delete(self, _physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Take them off the stage."""
        self.aws.apigateway.update_stage(
            **_stage(inputs), patchOperations=[{"op": "remove", "path": f"/{_method_path(inputs)}"}]
        )


class Account(Handler):
    """`aws.apigateway.Account`, the region's one setting; its id is `api-gateway-account`."""

    type = "aws:apigateway/account:Account"
    name_input = None
    replace_on = frozenset()
    put_whole = True
    id_form = "api-gateway-account"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Set the role that writes logs."""
        role = inputs.get("cloudwatchRoleArn", "")
        self.aws.apigateway.update_account(patchOperations=[replace("/cloudwatchRoleArn", role)])

    def read(self, _physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether the role is still this one."""
        current = self.aws.apigateway.get_account().get("cloudwatchRoleArn")
        return {} if current == inputs.get("cloudwatchRoleArn") else None

    def delete(self, _physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Set no role."""
        self.create({})


def _stage(inputs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - keywords of several calls
    return {"restApiId": inputs["restApi"], "stageName": inputs["stageName"]}


def _method_path(inputs: Mapping[str, Any]) -> str:
    """Write the path as API Gateway names it in patches: all but the last slash escaped."""
    path, _, method = str(inputs["methodPath"]).rpartition("/")
    return f"{path.replace('/', '~1')}/{method}"


HANDLERS = (ApiStage, MethodSettings, Account)
