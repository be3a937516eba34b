"""Ingest: the function that stores an activity as a fact, and may do nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutover_infra.access import allow
from cutover_infra.component import Component
from cutover_infra.functions import Function, FunctionArgs, Handler

if TYPE_CHECKING:
    from cutover_infra.component import Deployment
    from cutover_infra.facts import Facts


class Ingest(Component):
    """The function `ingest`."""

    def __init__(self, deployment: Deployment, owner: Component, facts: Facts) -> None:
        """Make the function."""
        super().__init__("pipeline:Ingest", "ingest", deployment, owner, cost_center="ingest")
        self.handler = Handler(
            path="pipeline.handlers.ingest.handler",
            environment={"FACTS_TABLE": facts.table.name},
            access=[allow(["dynamodb:PutItem", "dynamodb:UpdateItem"], [facts.table.arn])],
        )
        args = FunctionArgs.answering(deployment.settings, self.handler, deployment.pipeline_code)
        self.function = Function("ingest", deployment, self, args)
        self.register_outputs({"function": self.function.function.name})
