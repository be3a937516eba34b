"""REST APIs of API Gateway: resources, methods, integrations, and the deployments that freeze them."""

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


class Resource(Handler):
    """`aws.apigateway.Resource`, one part of a path; its id is made up by AWS."""

    type = "aws:apigateway/resource:Resource"
    name_input = None
    replace_on = frozenset({"restApi", "parentId", "pathPart"})

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Make the path part."""
        made = self.aws.apigateway.create_resource(
            restApiId=inputs["restApi"], parentId=inputs["parentId"], pathPart=inputs["pathPart"]
        )
        return made["id"]

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the whole path."""
        target = {"restApiId": inputs["restApi"], "resourceId": physical_id}
        answer = self.aws.apigateway.get_resource(**target)
        return {"path": answer["path"]}

    def delete(self, physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Remove it with its methods."""
        self.aws.apigateway.delete_resource(restApiId=inputs["restApi"], resourceId=physical_id)

    def find(self, inputs: Mapping[str, Any]) -> str | None:
        """Look for the part under its parent."""
        resources = self.aws.apigateway.get_resources(restApiId=inputs["restApi"], limit=500)["items"]
        wanted = (inputs["parentId"], inputs["pathPart"])
        parts = ((each["id"], (each.get("parentId"), each.get("pathPart"))) for each in resources)
        return next((physical_id for physical_id, part in parts if part == wanted), None)

    def slot(self, inputs: Mapping[str, Any]) -> object:
        """A path exists once."""
        return (inputs["restApi"], inputs["parentId"], inputs["pathPart"])


class Method(Handler):
    """`aws.apigateway.Method`; its id is `agm-API-RESOURCE-METHOD`."""

    type = "aws:apigateway/method:Method"
    name_input = None
    replace_on = frozenset(
        {"restApi", "resourceId", "httpMethod", "requestParameters", "requestModels", "authorizationScopes"}
    )
    id_form = "agm-{restApi}-{resourceId}-{httpMethod}"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Put the method."""
        plain = ("apiKeyRequired", "authorizationScopes", "authorizerId", "operationName")
        more = ("requestModels", "requestParameters", "requestValidatorId")
        self.aws.apigateway.put_method(
            **_method(inputs),
            authorizationType=inputs["authorization"],
            **pick(inputs, {name: name for name in (*plain, *more)}),
        )

    def read(self, _physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether it is there."""
        self.aws.apigateway.get_method(**_method(inputs))
        return {}

    def update(self, _physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Patch who may call it."""
        names = {
            "authorization": "authorizationType",
            "apiKeyRequired": "apiKeyRequired",
            "authorizerId": "authorizerId",
        }
        patches = [replace(f"/{names[name]}", new[name]) for name in names if differs(name, old, new)]
        if patches:
            self.aws.apigateway.update_method(**_method(new), patchOperations=patches)

    def delete(self, _physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Remove it with its integration."""
        self.aws.apigateway.delete_method(**_method(inputs))


_INTEGRATION = (
    "type",
    "cacheKeyParameters",
    "cacheNamespace",
    "connectionId",
    "connectionType",
    "contentHandling",
    "credentials",
    "passthroughBehavior",
    "requestParameters",
    "requestTemplates",
    "uri",
)


class Integration(Handler):
    """`aws.apigateway.Integration`; its id is `agi-API-RESOURCE-METHOD`."""

    type = "aws:apigateway/integration:Integration"
    name_input = None
    replace_on = frozenset({"restApi", "resourceId", "httpMethod"})
    put_whole = True
    id_form = "agi-{restApi}-{resourceId}-{httpMethod}"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Put the integration."""
        names = {**{name: name for name in _INTEGRATION}, "timeoutMilliseconds": "timeoutInMillis"}
        self.aws.apigateway.put_integration(
            **_method(inputs), **pick(inputs, {**names, "integrationHttpMethod": "integrationHttpMethod"})
        )

    def read(self, _physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether it is there."""
        self.aws.apigateway.get_integration(**_method(inputs))
        return {}

    def delete(self, _physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Remove it."""
        self.aws.apigateway.delete_integration(**_method(inputs))


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


def _method(inputs: Mapping[str, Any]) -> Any:  # noqa: ANN401 - keywords of several calls
    return {
        "restApiId": inputs["restApi"],
        "resourceId": inputs["resourceId"],
        "httpMethod": inputs["httpMethod"],
    }


HANDLERS = (RestApi, Resource, Method, Integration, ApiDeployment)
