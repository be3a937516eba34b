"""Entry: where clients come in, in every phase, under the same URL; only what runs behind it changes.

    phase       what answers
    legacy      legacy's handlers
    expand      the front door, which asks either side as the control table says
    contract    the pipeline's handlers

One zip serves all phases: AWS changes a function's configuration and its code in two steps, and between them
a handler must find its code. So going from phase to phase changes the configuration alone, in one step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutover_infra.access import allow
from cutover_infra.component import Component
from cutover_infra.front import Backends, open_front
from cutover_infra.functions import Function, FunctionArgs, Handler, Handlers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutover_infra.component import Deployment
    from cutover_infra.control import Control
    from cutover_infra.exports import Part


class Entry(Component):
    """The functions `entry-ingest` and `entry-serve`, and the front that clients know."""

    def __init__(self, deployment: Deployment, sides: Sequence[Handlers], control: Control | None) -> None:
        """Make the functions and the front; `sides` are legacy and the pipeline, as far as there are both."""
        super().__init__("migration:Entry", "entry", deployment, cost_center="entry")
        self._deployment = deployment
        (first, *second) = sides
        behind = door(deployment, first, second[0], control) if control and second else first
        self.ingest = self._make_function("entry-ingest", behind.ingest)
        self.serve = self._make_function("entry-serve", behind.serve)
        # No page here: its routes would come and go with the phases. The pipeline's own front has it.
        self.front = open_front("entry", deployment, self, Backends(self.ingest, self.serve))
        self.register_outputs({})

    @property
    def functions(self) -> Sequence[Function]:
        """Both functions."""
        return (self.ingest, self.serve)

    @property
    def outputs(self) -> Part:
        """What the stack exports of the entry."""
        return {
            "ingest_url": self.front.ingest_url,
            "serve_url": self.front.serve_url,
            "ingest_function": self.ingest.function.name,
            "serve_function": self.serve.function.name,
        }

    def _make_function(self, thing: str, handler: Handler) -> Function:
        deployment = self._deployment
        args = FunctionArgs.answering(deployment.settings, handler, deployment.entry_code)
        return Function(thing, deployment, self, args)


def door(deployment: Deployment, legacy: Handlers, pipeline: Handlers, control: Control) -> Handlers:
    """Give the front door's handlers, each with both sides' variables and access and a view of the stage."""
    settings = deployment.settings
    sees_stage = allow(["dynamodb:GetItem"], [control.table.arn])
    # Its own partition of the control table, where it can write no state.
    own = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": [f"{settings.migration}#door"]}}
    tells_counts = allow(["dynamodb:PutItem"], [control.table.arn], own)

    def wrap(path: str, legacy: Handler, pipeline: Handler) -> Handler:
        return Handler(
            path=path,
            environment={
                **legacy.environment,
                **pipeline.environment,
                "LEGACY_HANDLER": legacy.path,
                "PIPELINE_HANDLER": pipeline.path,
                "CONTROL_TABLE": control.table.name,
                "MIGRATION": settings.migration,
                "BAKED_CONTROL": settings.baked_control,
            },
            access=[*legacy.access, *pipeline.access, sees_stage, tells_counts],
            powertools=True,
        )

    return Handlers(
        ingest=wrap("migration.door.ingest.handler", legacy.ingest, pipeline.ingest),
        serve=wrap("migration.door.serve.handler", legacy.serve, pipeline.serve),
    )
