"""A REST API: the front that throttles, logs every request, and asks for IAM credentials or an API key."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

import pulumi
import pulumi_aws as aws

from cutover_infra.component import Component
from cutover_infra.metrics import Metric
from cutover_infra.openapi import openapi
from cutover_infra.settings import Auth

if TYPE_CHECKING:
    from cutover_infra.component import Deployment
    from cutover_infra.front import Backends
    from cutover_infra.settings import Settings

STAGE: Final = "live"
# No addresses, queries or bodies: they can hold personal data.
_LOG_FORMAT: Final = json.dumps(
    {
        "requestId": "$context.requestId",
        "time": "$context.requestTime",
        "method": "$context.httpMethod",
        "path": "$context.path",
        "status": "$context.status",
        "latencyMs": "$context.responseLatency",
        "functionLatencyMs": "$context.integration.latency",
        "error": "$context.error.message",
    }
)


class RestApi(Component):
    """One regional API for both functions, with a single stage."""

    def __init__(self, side: str, deployment: Deployment, owner: Component, backends: Backends) -> None:
        """Make the API, its stage and its limits, and let it invoke the two functions."""
        super().__init__("front:RestApi", side, deployment, owner, cost_center=f"{side}-front")
        self._side = side
        self._settings = deployment.settings
        self._log_role = deployment.api_account
        name = deployment.name(f"{side}-api")
        self.api = self._make_api(name, backends)
        self.stage = self._make_stage(name, backends)
        self._limit()
        self._admit(backends)
        if self._settings.auth is Auth.API_KEY:
            self._make_key(name)
        self.ingest_url = self.serve_url = pulumi.Output.concat(self.stage.invoke_url, "/")
        self.failures = Metric("AWS/ApiGateway", "5XXError", {"ApiName": name, "Stage": STAGE})
        self.register_outputs({"ingest_url": self.ingest_url, "serve_url": self.serve_url})

    def _make_api(self, name: str, backends: Backends) -> aws.apigateway.RestApi:
        body = openapi(
            name,
            self._settings.auth,
            backends.ingest.function.invoke_arn,
            backends.serve.function.invoke_arn,
            backends.page,
        )
        return aws.apigateway.RestApi(
            self._side,
            name=name,
            body=pulumi.Output.json_dumps(body),
            endpoint_configuration=aws.apigateway.RestApiEndpointConfigurationArgs(types="REGIONAL"),
            opts=self.child(),
        )

    def _make_stage(self, name: str, backends: Backends) -> aws.apigateway.Stage:
        logs = aws.cloudwatch.LogGroup(
            f"{self._side}-api",
            name=f"/aws/apigateway/{name}",
            retention_in_days=self._settings.log_retention_days,
            opts=self.child(),
        )
        # A deployment is a snapshot of the routes. Names stand for ARNs, so that a preview knows the digest.
        routes = openapi(name, self._settings.auth, backends.ingest.name, backends.serve.name, backends.page)
        digest = hashlib.sha256(json.dumps(routes).encode()).hexdigest()
        deployed = aws.apigateway.Deployment(
            self._side, rest_api=self.api.id, triggers={"routes": digest}, opts=self.child()
        )
        return aws.apigateway.Stage(
            self._side,
            rest_api=self.api.id,
            deployment=deployed.id,
            stage_name=STAGE,
            access_log_settings=aws.apigateway.StageAccessLogSettingsArgs(
                destination_arn=logs.arn, format=_LOG_FORMAT
            ),
            opts=self.child(depends_on=[self._log_role] if self._log_role else None),
        )

    def _limit(self) -> None:
        settings = self._settings
        aws.apigateway.MethodSettings(
            self._side,
            rest_api=self.api.id,
            stage_name=self.stage.stage_name,
            method_path="*/*",
            settings=aws.apigateway.MethodSettingsSettingsArgs(
                metrics_enabled=True,
                # API Gateway keeps execution logs for ever, in a group of its own; access logs say enough.
                logging_level="OFF",
                data_trace_enabled=False,
                throttling_rate_limit=settings.throttle_rate,
                throttling_burst_limit=settings.throttle_burst,
            ),
            opts=self.child(),
        )

    def _admit(self, backends: Backends) -> None:
        for target in (backends.ingest, backends.serve):
            aws.lambda_.Permission(
                f"{target.thing}-api",
                function=target.function.name,
                action="lambda:InvokeFunction",
                principal="apigateway.amazonaws.com",
                source_arn=pulumi.Output.concat(self.api.execution_arn, "/", STAGE, "/*"),
                opts=self.child(),
            )

    def _make_key(self, name: str) -> None:
        """Make the first client's key and the plan that limits it; its value stays in API Gateway."""
        settings: Settings = self._settings
        key = aws.apigateway.ApiKey(self._side, name=name, opts=self.child())
        plan = aws.apigateway.UsagePlan(
            self._side,
            name=name,
            api_stages=[
                aws.apigateway.UsagePlanApiStageArgs(api_id=self.api.id, stage=self.stage.stage_name)
            ],
            throttle_settings=aws.apigateway.UsagePlanThrottleSettingsArgs(
                rate_limit=settings.throttle_rate, burst_limit=settings.throttle_burst
            ),
            opts=self.child(),
        )
        aws.apigateway.UsagePlanKey(
            self._side, key_id=key.id, key_type="API_KEY", usage_plan_id=plan.id, opts=self.child()
        )
