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
        args = FunctionArgs.answering(settings, self.handler, deployment.pipeline_code)
        self.function = Function("serve", deployment, self, args)
        self.register_outputs({"function": self.function.function.name})
