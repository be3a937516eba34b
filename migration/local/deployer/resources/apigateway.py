"""REST APIs of API Gateway, and the deployments that freeze them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.resources.handler import Handler, changed, pick, tag_changes
from migration.local.deployer.resources.openapi import put_routes

if TYPE_CHECKING:
    from collections.abc import Mapping

_API = (
    "apiKeySource",
    "binaryMediaTypes",
    "description",
    "disableExecuteApiEndpoint",
    "endpointConfiguration",
    "minimumCompressionSize",
    "name",
    "policy",
)
_API_PATCHED = ("apiKeySource", "description", "disableExecuteApiEndpoint", "name", "policy")


class RestApi(Handler):
    """`aws.apigateway.RestApi`; its id is made up by AWS."""

    type = "aws:apigateway/restApi:RestApi"
    replace_on = frozenset()

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Make the API, from an OpenAPI text if there is one."""
        request = pick(inputs, {name: name for name in _API})
        endpoint = request.get("endpointConfiguration", {})
        if isinstance(endpoint.get("types"), str):  # the provider takes one, the call a list
            request["endpointConfiguration"] = {**endpoint, "types": [endpoint["types"]]}
        api = self.aws.apigateway.create_rest_api(**request, tags=inputs.get("tags") or {})
        self._describe(api["id"], {}, inputs)
        return api["id"]

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARNs and the id of the root resource."""
        answer = self.aws.apigateway.get_rest_api(restApiId=physical_id)
        where = f"{self.aws.region}:{self.aws.account}"
        return {
            "arn": f"arn:aws:apigateway:{self.aws.region}::/restapis/{physical_id}",
            "executionArn": f"arn:aws:execute-api:{where}:{physical_id}",
            "rootResourceId": answer["rootResourceId"],
            "tagsAll": inputs.get("tags", {}),
        }

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Patch what differs."""
        patches = [replace(f"/{name}", new[name]) for name in _API_PATCHED if differs(name, old, new)]
        if patches:
            self.aws.apigateway.update_rest_api(restApiId=physical_id, patchOperations=patches)
        self._describe(physical_id, old, new)
        tag(self.aws.apigateway, f"arn:aws:apigateway:{self.aws.region}::/restapis/{physical_id}", old, new)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it with everything in it."""
        self.aws.apigateway.delete_rest_api(restApiId=physical_id)

    def find(self, inputs: Mapping[str, Any]) -> str | None:
        """Look it up by its name."""
        apis = self.aws.apigateway.get_rest_apis(limit=500)["items"]
        return next((api["id"] for api in apis if api["name"] == inputs["name"]), None)

    def slot(self, _inputs: Mapping[str, Any]) -> object:
        """Two APIs may have the same name."""
        return None

    def _describe(self, api: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        if new.get("body") and changed(old, new, ("body",)):
            put_routes(self.aws.apigateway, api, new["body"])


class ApiDeployment(Handler):
    """`aws.apigateway.Deployment`, a frozen copy of an API; changed triggers make a new one."""

    type = "aws:apigateway/deployment:Deployment"
    name_input = None
    replace_on = frozenset({"restApi", "triggers", "variables"})

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Freeze the API as it is now."""
        more = pick(inputs, {"description": "description", "variables": "variables"})
        return self.aws.apigateway.create_deployment(restApiId=inputs["restApi"], **more)["id"]

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell when it was made."""
        target = {"restApiId": inputs["restApi"], "deploymentId": physical_id}
        answer = self.aws.apigateway.get_deployment(**target)
        return {"createdDate": answer["createdDate"].isoformat()}

    def update(self, physical_id: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Change the description."""
        self.aws.apigateway.update_deployment(
            restApiId=new["restApi"],
            deploymentId=physical_id,
            patchOperations=[replace("/description", new.get("description", ""))],
        )

    def delete(self, physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Remove it; AWS refuses while a stage shows it."""
        self.aws.apigateway.delete_deployment(restApiId=inputs["restApi"], deploymentId=physical_id)


def replace(path: str, value: Any) -> Any:  # noqa: ANN401 - any JSON value in, a typed dict of the stubs out
    """Make one patch operation."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return {"op": "replace", "path": path, "value": text}


def tag(apigateway: Any, arn: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:  # noqa: ANN401
    """Set and remove the tags that differ."""
    added, removed = tag_changes(old, new)
    if added:
        apigateway.tag_resource(resourceArn=arn, tags=added)
    if removed:
        apigateway.untag_resource(resourceArn=arn, tagKeys=removed)


def differs(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell whether an input is set, and not what it was."""
    return new.get(name) is not None and old.get(name) != new[name]


HANDLERS = (RestApi, ApiDeployment)
