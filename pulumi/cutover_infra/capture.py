"""Capture: the facts of the live lane on their way to be folded.

Decides which facts go, and what of them. It never decides what they add up to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutover_infra.fact_pipe import FactPipe, Route

if TYPE_CHECKING:
    from cutover_infra.component import Component, Deployment
    from cutover_infra.facts import Facts

ROUTE: Final = Route(
    pipe="capture",
    queue="activities",
    dead_letters="capture-dlq",
    says="Facts of the live lane, from the fact table's stream to the queue of facts to fold",
    images={"lane": ["live"]},
    fields=("employee_id", "event_id", "program_id", "points", "ingested_at"),
)


class Capture(FactPipe):
    """The pipe `capture`, the queue `activities`, and the dead-letter queues of both."""

    def __init__(self, deployment: Deployment, owner: Component, facts: Facts) -> None:
        """Make the queues and the pipe between the fact table and them."""
        super().__init__("pipeline:Capture", ROUTE, deployment, owner, facts)
