"""What a deployed stack shows of trouble, read for doctor; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.aws.stack.described import Describe, ask
from migration.doctor.scene import Gathered, TroubleSigns
from migration.preflight.deployed import Missing, Unread

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
        names = [name for name in (pipeline.pipe, migration.mirror_pipe) if name]
        pipes = {name: describe.pipe(name) for name in names}
        mirror_given_up, mirror = migration.mirror_dead_letter_queue_url, migration.mirror_queue_url
        return TroubleSigns(
            self.outputs.contracting,
            pipes=tuple((name, _state(pipe)) for name, pipe in pipes.items()),
            folds_given_up=self._gathered(pipeline.dead_letter_queue_url),
            mirrors_given_up=self._gathered(mirror_given_up) if mirror_given_up else None,
            never_queued=tuple(self._given_up_by(pipe) for pipe in pipes.values()),
            mirror_queue=self._gathered(mirror) if mirror else None,
        )

    def _given_up_by(self, pipe: Read[Pipe]) -> Read[Gathered]:
        if isinstance(pipe, Missing | Unread):
            return pipe
        if pipe.dead_letters is None:
            return Missing(f"a dead-letter queue of pipe {pipe.name}")
        name = pipe.dead_letters.rpartition(":")[2]
        url = ask(f"queue {name}", lambda: self.clients.sqs.get_queue_url(QueueName=name)["QueueUrl"])
        return url if isinstance(url, Missing | Unread) else self._gathered(url)

    def _gathered(self, url: str) -> Read[Gathered]:
        name = url.rpartition("/")[2]

        def read() -> Gathered:
            found = self.clients.sqs.get_queue_attributes(
                QueueUrl=url, AttributeNames=["QueueArn", "ApproximateNumberOfMessages"]
            )["Attributes"]
            return Gathered(name, found["QueueArn"], int(found["ApproximateNumberOfMessages"]))

        return ask(f"queue {name}", read)


def _state(pipe: Read[Pipe]) -> Read[str]:
    return pipe if isinstance(pipe, Missing | Unread) else pipe.state
