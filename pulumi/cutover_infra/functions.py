"""A Lambda function with a role of its own, a log group of its own, and nothing that it does not use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import pulumi
import pulumi_aws as aws

from cutover_infra.access import allow, make_role, trust
from cutover_infra.component import Component
from cutover_infra.metrics import METRICS_NAMESPACE
from cutover_infra.settings import NOT_RESERVED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cutover_infra.access import Statement
    from cutover_infra.component import Deployment
    from cutover_infra.packaging import Package
    from cutover_infra.settings import Settings

RUNTIME: Final = "python3.13"


@dataclass(frozen=True, kw_only=True)
class Handler:
    """A handler and what it needs, in whichever function it runs.

    Attributes:
        path: where it starts, such as `pipeline.handlers.ingest.handler`.
        environment: its variables, beyond those that all functions get.
        access: what it may do, beyond writing its log.
        powertools: whether it imports Powertools or pydantic.
    """

    path: str
    environment: Mapping[str, pulumi.Input[str]]
    access: Sequence[Statement]
    powertools: bool = False


@dataclass(frozen=True, kw_only=True)
class Handlers:
    """A side's handlers for clients' requests."""

    ingest: Handler
    serve: Handler


@dataclass(frozen=True, kw_only=True)
class FunctionArgs:
    """What one function needs.

    Attributes:
        handler: what it runs.
        code: the zip that the handler is in.
        timeout_s: after which it is stopped.
        memory_mb: its memory.
        reserved_concurrency: its share of the account's concurrency; -1 for none.
    """

    handler: Handler
    code: Package
    timeout_s: int
    memory_mb: int
    reserved_concurrency: int = NOT_RESERVED

    @classmethod
    def answering(cls, settings: Settings, handler: Handler, code: Package) -> Self:
        """Say what a function needs that clients wait for."""
        return cls(
            handler=handler,
            code=code,
            timeout_s=settings.request_timeout_s,
            memory_mb=settings.memory_mb,
            reserved_concurrency=settings.reserved_concurrency,
        )

    @classmethod
    def scheduled(cls, settings: Settings, handler: Handler, code: Package, memory_mb: int) -> Self:
        """Say what a function needs that runs by the clock."""
        return cls(
            handler=handler,
            code=code,
            timeout_s=settings.job_timeout_s,
            memory_mb=memory_mb,
            reserved_concurrency=settings.job_reserved_concurrency,
        )


class Function(Component):
    """A function: `thing` names it here, `name` in AWS, and `function` is the Lambda function itself."""

    def __init__(self, thing: str, deployment: Deployment, owner: Component, args: FunctionArgs) -> None:
        """Make the function, its role and its log group, all named `cutover-<stack>-<thing>`."""
        super().__init__("function:Function", thing, deployment, owner)
        self.thing = thing
        self.name = deployment.name(thing)
        settings = deployment.settings
        logs = aws.cloudwatch.LogGroup(
            thing,
            name=f"/aws/lambda/{self.name}",
            retention_in_days=settings.log_retention_days,
            opts=self.child(),
        )
        # Not logs:CreateLogGroup: the group is made here, with a retention, before the function first runs.
        write_log = allow(
            ["logs:CreateLogStream", "logs:PutLogEvents"], [pulumi.Output.concat(logs.arn, ":log-stream:*")]
        )
        role, policy = make_role(
            self, thing, self.name, trust("lambda.amazonaws.com"), [write_log, *args.handler.access]
        )
        self.function = aws.lambda_.Function(
            thing,
            name=self.name,
            role=role.arn,
            runtime=RUNTIME,
            architectures=[settings.architecture],
            handler=args.handler.path,
            code=args.code.archive,
            source_code_hash=args.code.code_sha256,
            layers=_layers(deployment) if args.handler.powertools else None,
            timeout=args.timeout_s,
            memory_size=args.memory_mb,
            reserved_concurrent_executions=args.reserved_concurrency,
            environment=aws.lambda_.FunctionEnvironmentArgs(
                variables={**_common_environment(deployment, thing), **args.handler.environment}
            ),
            opts=self.child(depends_on=[policy, logs]),
        )
        self.register_outputs({"name": self.function.name})


def _common_environment(deployment: Deployment, thing: str) -> dict[str, pulumi.Input[str]]:
    return {
        "POWERTOOLS_SERVICE_NAME": thing,
        "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
        "POWERTOOLS_LOG_LEVEL": deployment.settings.log_level,
    }


def _layers(deployment: Deployment) -> list[pulumi.Input[str]] | None:
    settings = deployment.settings
    if settings.powertools_layer == "none":
        return None
    template = settings.powertools_layer.replace("{architecture}", settings.architecture)
    return [deployment.region.apply(lambda region: template.replace("{region}", region))]
