"""Serve: the function that answers boards and the dashboard's files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutover_infra.access import allow
from cutover_infra.component import Component
from cutover_infra.functions import Function, FunctionArgs, Handler

if TYPE_CHECKING:
    from cutover_infra.component import Deployment
    from cutover_infra.snapshot import Snapshot


class Serve(Component):
    """The function `serve`."""

    def __init__(self, deployment: Deployment, owner: Component, snapshot: Snapshot) -> None:
        """Make the function."""
        super().__init__("pipeline:Serve", "serve", deployment, owner, cost_center="serve")
        settings = deployment.settings
        self.handler = Handler(
            path="pipeline.handlers.serve.handler",
            environment={
                "SNAPSHOTS_TABLE": snapshot.table.name,
                "STALE_AFTER_S": str(settings.stale_after_s),
                "CORS_ORIGIN": settings.cors_origin,
            },
            access=[allow(["dynamodb:GetItem"], [snapshot.table.arn])],
        )
        self.function = Function(
            "serve",
            deployment,
            self,
            FunctionArgs(
                handler=self.handler,
                code=deployment.pipeline_code,
                timeout_s=settings.request_timeout_s,
                memory_mb=settings.memory_mb,
                reserved_concurrency=settings.reserved_concurrency,
            ),
        )
        self.register_outputs({"function": self.function.function.name})
