"""The routes of an OpenAPI document, put into a REST API call by call: the local AWS has no import.

Reads paths, methods, API Gateway's integrations, and security by IAM or API key. Anything else that would
change who may call (authorizers) is refused rather than left out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from migration.local.deployer.resources.handler import pick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_apigateway.client import APIGatewayClient

_METHODS: Final = {
    "x-amazon-apigateway-any-method": "ANY",
    **{name: name.upper() for name in ("delete", "get", "head", "options", "patch", "post", "put")},
}
_INTEGRATION: Final = {
    "httpMethod": "integrationHttpMethod",
    "passthroughBehavior": "passthroughBehavior",
    "credentials": "credentials",
    "requestTemplates": "requestTemplates",
    "timeoutInMillis": "timeoutInMillis",
    "uri": "uri",
}


def put_routes(apigateway: APIGatewayClient, api: str, body: str) -> None:
    """Make the API have the document's routes, and no others."""
    document = json.loads(body)
    root = _emptied(apigateway, api)
    resources = {"": root}
    for path, item in document["paths"].items():
        resource = _resource(apigateway, api, path.strip("/"), resources)
        for name, method in _METHODS.items():
            if name in item:
                target = {"restApiId": api, "resourceId": resource, "httpMethod": method}
                _put(apigateway, target, item[name], document)


def _emptied(apigateway: APIGatewayClient, api: str) -> str:
    """Delete every route; give the id of the root, which cannot be deleted."""
    root = ""
    for resource in apigateway.get_resources(restApiId=api, limit=500)["items"]:
        if resource["path"] == "/":
            root = resource["id"]
            for method in resource.get("resourceMethods", {}):
                apigateway.delete_method(restApiId=api, resourceId=root, httpMethod=method)
    for resource in apigateway.get_resources(restApiId=api, limit=500)["items"]:
        if resource.get("parentId") == root:
            apigateway.delete_resource(restApiId=api, resourceId=resource["id"])
    return root


def _resource(apigateway: APIGatewayClient, api: str, path: str, resources: dict[str, str]) -> str:
    """Make the parts of a path that are not there yet; give the id of the last."""
    if path not in resources:
        above, _, part = path.rpartition("/")
        parent = _resource(apigateway, api, above, resources)
        made = apigateway.create_resource(restApiId=api, parentId=parent, pathPart=part)
        resources[path] = made["id"]
    return resources[path]


def _put(
    apigateway: APIGatewayClient,
    target: Any,  # noqa: ANN401 - keywords of two calls
    operation: Mapping[str, Any],
    document: Mapping[str, Any],
) -> None:
    security = operation.get("security", document.get("security", []))
    apigateway.put_method(**target, **_access(security, document))
    integration = operation.get("x-amazon-apigateway-integration")
    if integration:
        kind = integration["type"].upper()
        apigateway.put_integration(**target, type=kind, **pick(integration, _INTEGRATION))


def _access(security: list[Mapping[str, Any]], document: Mapping[str, Any]) -> dict[str, Any]:
    """Say what a caller must bring."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    access: dict[str, Any] = {"authorizationType": "NONE", "apiKeyRequired": False}
    for name in (name for requirement in security for name in requirement):
        scheme = schemes[name]
        if scheme.get("x-amazon-apigateway-authtype", "").lower() == "awssigv4":
            access["authorizationType"] = "AWS_IAM"
        elif scheme.get("type") == "apiKey" and scheme.get("name", "").lower() == "x-api-key":
            access["apiKeyRequired"] = True
        else:
            raise ValueError(f"the local deployer cannot enforce the security scheme {name!r}")
    return access
