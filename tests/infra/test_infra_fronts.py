"""Fronts: a base URL that ends in `/`, the contract's paths behind it, and credentials where asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cutover_infra.openapi import ANY

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.conftest import Deployed

PAGE = {"/", "/app.js", "/style.css"}
FREE = {("get", path) for path in PAGE} | {("options", "/leaderboard")}


def routes(deployed: Deployed, side: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Give an API's operations by method (`any` for all) and path."""
    paths = json.loads(deployed.named("RestApi", f"{side}-api").get("body"))["paths"]
    return {
        ("any" if method == ANY else method, path): operation
        for path, operations in paths.items()
        for method, operation in operations.items()
    }


@pytest.mark.parametrize("auth", ["iam", "api_key"])
@pytest.mark.parametrize("side", ["entry", "pipeline"])
def test_an_api_sends_each_path_to_its_function(
    side: str, auth: str, deploy: Callable[..., Deployed]
) -> None:
    deployed = deploy("prod", "expand", auth=auth)
    prefix = "entry-" if side == "entry" else ""
    ingest, serve = (
        deployed.named("Function", f"{prefix}{name}").get("invokeArn") for name in ("ingest", "serve")
    )
    expected = {("any", path): ingest for path in ("/", "/activities", "/{proxy+}")}
    expected |= {(method, "/leaderboard"): serve for method in ("any", "options")}
    if side == "pipeline":
        expected |= {("get", path): serve for path in PAGE}

    found = routes(deployed, side)

    integrations = {route: each["x-amazon-apigateway-integration"] for route, each in found.items()}
    assert {route: each["uri"] for route, each in integrations.items()} == expected
    assert {(each["type"], each["httpMethod"]) for each in integrations.values()} == {("aws_proxy", "POST")}
    assert {route for route, each in found.items() if not each["security"]} == FREE & set(expected)
    assert all(each["security"] == [{auth: []}] for route, each in found.items() if route not in FREE)


def test_the_scheme_named_by_the_routes_is_defined(deploy: Callable[..., Deployed]) -> None:
    for auth, header in (("iam", "Authorization"), ("api_key", "x-api-key")):
        body = json.loads(deploy("prod", "expand", auth=auth).named("RestApi", "pipeline-api").get("body"))
        (scheme,) = body["components"]["securitySchemes"].items()
        assert (scheme[0], scheme[1]["name"], scheme[1]["in"]) == (auth, header, "header")


def test_both_urls_of_an_api_are_its_base(deploy: Callable[..., Deployed]) -> None:
    outputs = deploy("prod", "expand").recording.outputs
    for side in ("entry", "pipeline"):
        assert outputs[side]["ingest_url"] == outputs[side]["serve_url"]
        assert outputs[side]["serve_url"].endswith(".amazonaws.com/live/")
    assert outputs["entry"]["serve_url"] != outputs["pipeline"]["serve_url"]


def test_only_the_api_may_invoke_the_functions_behind_it(deploy: Callable[..., Deployed]) -> None:
    deployed = deploy("prod", "expand")
    granted = {each.get("function"): each for each in deployed.of_type("Permission")}
    assert set(granted) == {
        f"cutover-prod-{name}" for name in ("ingest", "serve", "entry-ingest", "entry-serve")
    }
    for permission in granted.values():
        assert permission.get("principal") == "apigateway.amazonaws.com"
        assert permission.get("sourceArn").endswith("/live/*")
    assert not deployed.of_type("FunctionUrl")


def test_an_api_throttles_logs_and_limits_its_key(deploy: Callable[..., Deployed]) -> None:
    deployed = deploy("prod", "expand", auth="api_key", throttle_rate="7", throttle_burst="9")
    for settings in deployed.of_type("MethodSettings"):
        assert settings.get("settings", "throttlingRateLimit") == 7
        assert settings.get("settings", "throttlingBurstLimit") == 9
        assert settings.get("settings", "dataTraceEnabled") is False
    for plan in deployed.of_type("UsagePlan"):
        assert plan.get("throttleSettings") == {"rateLimit": 7, "burstLimit": 9}
        assert plan.get("apiStages")
    assert len(deployed.of_type("UsagePlan")) == len(deployed.of_type("UsagePlanKey")) == 2
    groups = {each.get("arn") for each in deployed.of_type("LogGroup")}
    assert {each.get("accessLogSettings", "destinationArn") for each in deployed.of_type("Stage")} <= groups


def test_access_logs_hold_nothing_personal(deploy: Callable[..., Deployed]) -> None:
    for stage in deploy("prod", "expand").of_type("Stage"):
        text = stage.get("accessLogSettings", "format")
        assert {"requestId", "status", "latencyMs"} <= set(json.loads(text))
        assert not any(word in text for word in ("identity", "querystring", "requestOverride"))


def test_a_stage_waits_for_the_role_that_its_logs_need(deploy: Callable[..., Deployed]) -> None:
    recording = deploy("prod", "expand").recording
    (account,) = recording.of_type("aws:apigateway/account:Account")
    stages = recording.of_type("aws:apigateway/stage:Stage")
    assert len(stages) == 2
    assert all(account.urn in stage.options.dependencies for stage in stages)


def test_only_an_owner_sets_the_log_role_that_all_apis_share(deploy: Callable[..., Deployed]) -> None:
    assert len(deploy("prod", "expand").of_type("Account")) == 1
    assert not deploy("prod", "expand", owns_api_account="false").of_type("Account")


@pytest.mark.parametrize(("auth", "kind", "grants"), [("none", "NONE", 2), ("iam", "AWS_IAM", 0)])
def test_function_urls_are_open_only_when_asked(
    auth: str, kind: str, grants: int, deploy: Callable[..., Deployed]
) -> None:
    deployed = deploy("local", "expand", auth=auth)
    urls = {each.get("functionName"): each for each in deployed.of_type("FunctionUrl")}
    assert set(urls) == {
        f"cutover-local-{name}" for name in ("ingest", "serve", "entry-ingest", "entry-serve")
    }
    assert {each.get("authorizationType") for each in urls.values()} == {kind}
    for name in urls:
        permissions = [each for each in deployed.of_type("Permission") if each.get("function") == name]
        assert len(permissions) == grants
        for permission in permissions:
            # Either condition keeps the grant to calls through the URL.
            assert permission.get("functionUrlAuthType") == "NONE" or permission.get("invokedViaFunctionUrl")
    assert not any(each.get("cors") for each in urls.values()), "the function answers CORS itself"
