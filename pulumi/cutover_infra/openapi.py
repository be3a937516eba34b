"""The routes of a REST API as an OpenAPI document with API Gateway's extensions.

Decides which path goes to which function and what it asks for. Wrong methods and paths go to the functions
too, so that they are answered as behind a Function URL (docs/contracts.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from cutover_infra.settings import Auth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pulumi

Security = list[dict[str, list[str]]]
ANY: Final = "x-amazon-apigateway-any-method"
_SCHEMES: Final[Mapping[Auth, Mapping[str, str]]] = {
    Auth.IAM: {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
    Auth.API_KEY: {"type": "apiKey", "name": "x-api-key", "in": "header"},
}


def openapi(
    title: str,
    auth: Auth,
    ingest: pulumi.Input[str],
    serve: pulumi.Input[str],
    page: Sequence[str],
) -> dict[str, Any]:
    """Write the document.

    Args:
        title: the API's name.
        auth: what a client must bring, except for a CORS preflight and the page.
        ingest: the invocation ARN of the function that accepts activities.
        serve: the invocation ARN of the function that answers boards.
        page: the paths of the dashboard's files.
    """
    guarded: Security = [{str(auth): []}] if auth in _SCHEMES else []
    paths: dict[str, Any] = {
        "/activities": {ANY: _method(ingest, guarded)},
        "/leaderboard": {ANY: _method(serve, guarded), "options": _method(serve, [])},
        "/": {ANY: _method(ingest, guarded)},
        "/{proxy+}": {ANY: {**_method(ingest, guarded), "parameters": [_PROXY]}},
    }
    for path in page:
        paths[path] = {**paths.get(path, {}), "get": _method(serve, [])}
    schemes = {str(auth): _SCHEMES[auth]} if auth in _SCHEMES else {}
    return {
        "openapi": "3.0.1",
        "info": {"title": title, "version": "1"},
        "x-amazon-apigateway-api-key-source": "HEADER",
        "components": {"securitySchemes": schemes},
        "paths": paths,
    }


_PROXY: Final = {"name": "proxy", "in": "path", "required": True, "schema": {"type": "string"}}


def _method(target: pulumi.Input[str], security: Security) -> dict[str, Any]:
    return {
        "responses": {},
        "security": security,
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "passthroughBehavior": "when_no_match",
            "uri": target,
        },
    }
