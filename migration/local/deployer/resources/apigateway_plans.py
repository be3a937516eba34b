"""Who may call REST APIs, and how often: API keys and the usage plans that meter them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.resources.apigateway import differs, replace, tag
from migration.local.deployer.resources.handler import Handler, pick

if TYPE_CHECKING:
    from collections.abc import Mapping

_API_KEY = ("customerId", "description", "enabled", "name", "value")


class ApiKey(Handler):
    """`aws.apigateway.ApiKey`; its id is made up by AWS, and so is its value if the program gives none."""

    type = "aws:apigateway/apiKey:ApiKey"
    replace_on = frozenset({"value"})

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Make the key, usable at once."""
        request = {"enabled": True, **pick(inputs, {name: name for name in _API_KEY})}
        return self.aws.apigateway.create_api_key(**request, tags=inputs.get("tags") or {})["id"]

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN and the value."""
        answer = self.aws.apigateway.get_api_key(apiKey=physical_id, includeValue=True)
        arn = f"arn:aws:apigateway:{self.aws.region}::/apikeys/{physical_id}"
        return {"arn": arn, "value": answer["value"], "tagsAll": inputs.get("tags", {})}

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Patch what differs."""
        names = ("customerId", "description", "enabled", "name")
        patches = [replace(f"/{name}", new[name]) for name in names if differs(name, old, new)]
        if patches:
            self.aws.apigateway.update_api_key(apiKey=physical_id, patchOperations=patches)
        tag(self.aws.apigateway, f"arn:aws:apigateway:{self.aws.region}::/apikeys/{physical_id}", old, new)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it; clients that send it are refused from now on."""
        self.aws.apigateway.delete_api_key(apiKey=physical_id)

    def find(self, inputs: Mapping[str, Any]) -> str | None:
        """Look it up by its name."""
        keys = self.aws.apigateway.get_api_keys(nameQuery=inputs["name"], limit=500)["items"]
        return next((key["id"] for key in keys if key["name"] == inputs["name"]), None)

    def slot(self, inputs: Mapping[str, Any]) -> object:
        """A value belongs to one key."""
        return inputs.get("value")


class UsagePlan(Handler):
    """`aws.apigateway.UsagePlan`; its id is made up by AWS."""

    type = "aws:apigateway/usagePlan:UsagePlan"
    replace_on = frozenset()

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Make the plan for its stages."""
        names = {
            "description": "description",
            "name": "name",
            "quotaSettings": "quota",
            "throttleSettings": "throttle",
        }
        stages: Any = [
            {"apiId": each["apiId"], "stage": each["stage"]} for each in inputs.get("apiStages") or []
        ]
        made = self.aws.apigateway.create_usage_plan(
            **pick(inputs, names), apiStages=stages, tags=inputs.get("tags") or {}
        )
        return made["id"]

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN."""
        self.aws.apigateway.get_usage_plan(usagePlanId=physical_id)
        arn = f"arn:aws:apigateway:{self.aws.region}::/usageplans/{physical_id}"
        return {"arn": arn, "tagsAll": inputs.get("tags", {})}

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Patch limits and stages."""
        patches = [
            replace(f"/{path}/{name}", value)
            for ours, path in (("quotaSettings", "quota"), ("throttleSettings", "throttle"))
            for name, value in (new.get(ours) or {}).items()
            if value != (old.get(ours) or {}).get(name)
        ]
        patches += [
            replace(f"/{name}", new[name]) for name in ("description", "name") if differs(name, old, new)
        ]
        before, after = _plan_stages(old), _plan_stages(new)
        patches += [{"op": "add", "path": "/apiStages", "value": stage} for stage in sorted(after - before)]
        patches += [
            {"op": "remove", "path": "/apiStages", "value": stage} for stage in sorted(before - after)
        ]
        if patches:
            self.aws.apigateway.update_usage_plan(usagePlanId=physical_id, patchOperations=patches)

    def delete(self, physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Take it off its stages, as AWS demands, and remove it."""
        patches: Any = [
            {"op": "remove", "path": "/apiStages", "value": stage} for stage in sorted(_plan_stages(inputs))
        ]
        self.aws.apigateway.update_usage_plan(usagePlanId=physical_id, patchOperations=patches)
        self.aws.apigateway.delete_usage_plan(usagePlanId=physical_id)

    def find(self, inputs: Mapping[str, Any]) -> str | None:
        """Look it up by its name."""
        plans = self.aws.apigateway.get_usage_plans(limit=500)["items"]
        return next((plan["id"] for plan in plans if plan["name"] == inputs["name"]), None)

    def slot(self, _inputs: Mapping[str, Any]) -> object:
        """Two plans may have the same name."""
        return None


class UsagePlanKey(Handler):
    """`aws.apigateway.UsagePlanKey`; its id is the key's."""

    type = "aws:apigateway/usagePlanKey:UsagePlanKey"
    name_input = None
    replace_on = frozenset({"keyId", "keyType", "usagePlanId"})
    id_form = "{keyId}"

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Put the key under the plan."""
        made = self.aws.apigateway.create_usage_plan_key(
            usagePlanId=inputs["usagePlanId"], keyId=inputs["keyId"], keyType=inputs["keyType"]
        )
        return made["id"]

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the key's name and value."""
        target = {"usagePlanId": inputs["usagePlanId"], "keyId": physical_id}
        answer = self.aws.apigateway.get_usage_plan_key(**target)
        return {"name": answer["name"], "value": answer.get("value", "")}

    def delete(self, physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Take it out of the plan."""
        self.aws.apigateway.delete_usage_plan_key(usagePlanId=inputs["usagePlanId"], keyId=physical_id)

    def slot(self, inputs: Mapping[str, Any]) -> object:
        """A key is in a plan once."""
        return (inputs["usagePlanId"], inputs["keyId"])


def _plan_stages(inputs: Mapping[str, Any]) -> set[str]:
    return {f"{each['apiId']}:{each['stage']}" for each in inputs.get("apiStages") or []}


HANDLERS = (ApiKey, UsagePlan, UsagePlanKey)
