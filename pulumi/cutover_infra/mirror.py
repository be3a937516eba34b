"""Mirror: the reverse mirror, which keeps legacy's tables exact while the pipeline has authority.

Follows every activity that the pipeline accepted. It never sits in a client's request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutover_infra.access import allow
from cutover_infra.component import Component
from cutover_infra.consumers import consume, feed
from cutover_infra.fact_pipe import FactPipe, Route
from cutover_infra.functions import Function, FunctionArgs, Handler
from cutover_infra.snapshot import PULSE
from migration.model.fold import COLUMNS

if TYPE_CHECKING:
    from cutover_infra.component import Deployment
    from cutover_infra.exports import Part
    from cutover_infra.facts import Facts
    from cutover_infra.legacy import Legacy

# Pipes know `anything-but` for whole texts, not for prefixes; only pulses are facts with reserved ids.
_NO_PULSE: Final = {"anything-but": [PULSE]}
ROUTE: Final = Route(
    pipe="mirror",
    queue="mirror",
    dead_letters="mirror-pipe-dlq",
    says="Activities that the pipeline accepted, from the fact table's stream to the reverse mirror's queue",
    images={"side": ["pipeline"], "employee_id": [_NO_PULSE], "program_id": [_NO_PULSE]},
    fields=(*COLUMNS, "ingested_at"),
    events=("INSERT", "MODIFY"),  # a fact of legacy's that the pipeline accepts again is handed over to it
)


class Mirror(Component):
    """The pipe and the queue `mirror` with their dead-letter queues, and the function `mirror`."""

    def __init__(self, deployment: Deployment, facts: Facts, legacy: Legacy) -> None:
        """Make the pipe, the function and its mapping."""
        super().__init__("migration:Mirror", "mirror", deployment, cost_center="mirror")
        self.pipe = FactPipe("migration:MirrorPipe", ROUTE, deployment, self, facts)
        self.function = Function("mirror", deployment, self, self._args(deployment, legacy))
        feed(
            self,
            deployment,
            self.function,
            self.pipe.queue,
            batch=deployment.settings.mirror_batch_size,
            at_once=deployment.settings.mirror_max_concurrency,
        )
        self.register_outputs({"function": self.function.function.name})

    @property
    def outputs(self) -> Part:
        """What the stack exports of the reverse mirror."""
        return {
            "mirror_function": self.function.function.name,
            "mirror_queue_url": self.pipe.queue.url,
            "mirror_dead_letter_queue_url": self.pipe.dead_letters.url,
            "mirror_capture_dead_letter_queue_url": self.pipe.pipe_dead_letters.url,
            "mirror_pipe": self.pipe.pipe.name,
        }

    def _args(self, deployment: Deployment, legacy: Legacy) -> FunctionArgs:
        settings = deployment.settings
        handler = Handler(
            path="migration.functions.mirror.handler",
            powertools=True,
            environment={
                "EVENTS_TABLE": legacy.events.name,
                "PROGRAM_PROGRESS_TABLE": legacy.programs.name,
                "EMPLOYEE_PROGRESS_TABLE": legacy.employees.name,
                "LEGACY_SHAPE": settings.legacy_shape,
            },
            access=[
                allow(
                    [
                        "dynamodb:BatchGetItem",
                        "dynamodb:DescribeTable",
                        "dynamodb:PutItem",
                        "dynamodb:UpdateItem",
                    ],
                    [legacy.events.arn],
                ),
                allow(
                    ["dynamodb:BatchGetItem", "dynamodb:UpdateItem"],
                    [legacy.programs.arn, legacy.employees.arn],
                ),
                consume(self.pipe.queue),
            ],
        )
        return FunctionArgs(
            handler=handler,
            code=deployment.mirror_code,
            timeout_s=settings.aggregate_timeout_s,
            memory_mb=settings.aggregate_memory_mb,
        )
