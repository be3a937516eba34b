"""What a deployed stack shows of trouble, read for doctor; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.aws.stack.described import Describe, ask
from migration.doctor.scene import Gathered, TroubleSigns
from migration.preflight.deployed import Missing, Unread
from pipeline.domain.queue_depth import COUNTS, depth

if TYPE_CHECKING:
    from migration.aws.transport.clients import Clients, DescribingClients
    from migration.plan.outputs import StackOutputs
    from migration.preflight.deployed import Pipe, Read


@dataclass(frozen=True, slots=True)
class StackSigns:
    """Reads one stack."""

    clients: Clients
    more: DescribingClients
    outputs: StackOutputs

    def read(self) -> TroubleSigns:
        """Read pipes and queues, as far as the phase has them."""
        pipeline, migration = self.outputs.pipeline, self.outputs.migration
        if pipeline is None or migration is None:
            return TroubleSigns(self.outputs.contracting)
        describe = Describe(self.clients, self.more)
        pipes = [name for name in (pipeline.pipe, migration.mirror_pipe) if name]
        never_queued = (
            pipeline.capture_dead_letter_queue_url,
            migration.mirror_capture_dead_letter_queue_url,
        )
        mirror_given_up, mirror = migration.mirror_dead_letter_queue_url, migration.mirror_queue_url
        return TroubleSigns(
            self.outputs.contracting,
            pipes=tuple((name, _state(describe.pipe(name))) for name in pipes),
            folds_given_up=self._gathered(pipeline.dead_letter_queue_url),
            mirrors_given_up=self._gathered(mirror_given_up) if mirror_given_up else None,
            never_queued=tuple(self._gathered(url) for url in never_queued if url),
            mirror_queue=self._gathered(mirror) if mirror else None,
        )

    def _gathered(self, url: str) -> Read[Gathered]:
        name = url.rpartition("/")[2]

        def read() -> Gathered:
            found = self.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn", *COUNTS])[
                "Attributes"
            ]
            return Gathered(name, found["QueueArn"], depth(found))

        return ask(f"queue {name}", read)


def _state(pipe: Read[Pipe]) -> Read[str]:
    return pipe if isinstance(pipe, Missing | Unread) else pipe.state
