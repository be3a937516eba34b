"""The pipeline: its parts in the order in which an activity passes them, and its front.

ingest -> facts -> (stream) -> capture -> aggregate -> snapshot -> serve
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutover_infra.aggregate import Aggregate
from cutover_infra.capture import Capture
from cutover_infra.component import Component
from cutover_infra.facts import Facts
from cutover_infra.front import Backends, open_front
from cutover_infra.functions import Handlers
from cutover_infra.ingest import Ingest
from cutover_infra.serve import Serve
from cutover_infra.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutover_infra.component import Deployment
    from cutover_infra.exports import Part
    from cutover_infra.functions import Function

PAGE: Final = ("/", "/app.js", "/style.css")


class Pipeline(Component):
    """The whole of the pipeline."""

    def __init__(self, deployment: Deployment) -> None:
        """Make the parts and the front."""
        super().__init__("pipeline:Pipeline", "pipeline", deployment)
        self.facts = Facts(deployment, self)
        self.ingest = Ingest(deployment, self, self.facts)
        self.capture = Capture(deployment, self, self.facts)
        self.aggregate = Aggregate(deployment, self, self.capture)
        self.snapshot = Snapshot(deployment, self, self.facts, self.capture, self.aggregate)
        self.serve = Serve(deployment, self, self.snapshot)
        self.front = open_front(
            "pipeline", deployment, self, Backends(self.ingest.function, self.serve.function, PAGE)
        )
        self.register_outputs({})

    @property
    def handlers(self) -> Handlers:
        """What answers clients."""
        return Handlers(ingest=self.ingest.handler, serve=self.serve.handler)

    @property
    def functions(self) -> Sequence[Function]:
        """All of the pipeline's functions."""
        return (self.ingest.function, self.aggregate.function, self.snapshot.function, self.serve.function)

    @property
    def outputs(self) -> Part:
        """What the stack exports of the pipeline."""
        return {
            "ingest_url": self.front.ingest_url,
            "serve_url": self.front.serve_url,
            "ingest_function": self.ingest.function.function.name,
            "aggregate_function": self.aggregate.function.function.name,
            "snapshot_function": self.snapshot.function.function.name,
            "serve_function": self.serve.function.function.name,
            "facts_table": self.facts.table.name,
            "dedup_table": self.aggregate.dedup.name,
            "employee_progress_table": self.aggregate.employees.name,
            "program_progress_table": self.aggregate.programs.name,
            "snapshots_table": self.snapshot.table.name,
            "queue_url": self.capture.queue.url,
            "dead_letter_queue_url": self.capture.dead_letters.url,
            "capture_dead_letter_queue_url": self.capture.pipe_dead_letters.url,
            "pipe": self.capture.pipe.name,
        }
