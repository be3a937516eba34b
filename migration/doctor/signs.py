"""What the deployed stack shows of trouble: given-up messages, stopped pipes, a mirror that is behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.doctor.diagnosis import Danger, Diagnosis
from migration.model.stages import Stage
from migration.preflight.deployed import Missing, Unread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.doctor.scene import Gathered, Scene
    from migration.preflight.deployed import Read

BEHIND: Final = 1_000  # messages; the reverse mirror applies some hundreds a second


def read_signs(scene: Scene) -> Iterator[Diagnosis]:
    """Name what the stack shows."""
    signs = scene.signs
    for name, state in signs.pipes:
        yield from _pipe(name, state)
    aggregate = _some(signs.folds_given_up)
    if aggregate:
        what = "that aggregate gave up"
        yield _given_up("folds_given_up", aggregate, what, "those facts are stored, and not folded")
    mirror = _some(signs.mirrors_given_up)
    if mirror:
        what = "that the reverse mirror gave up"
        yield _given_up("mirrors_given_up", mirror, what, "legacy lacks those activities")
    for one in map(_some, signs.never_queued):
        if one:
            yield Diagnosis(
                "never_queued",
                f"{one.messages} records in {one.name}: a pipe gave them up before they were queued",
                "those facts are stored, and not folded or not with legacy",
                Danger.GROWS,
                "cutover verify",
            )
    behind = _some(signs.mirror_queue)
    if behind and behind.messages >= BEHIND and scene.records.known.stage in (Stage.LIVE, Stage.RAMPDOWN):
        what = f"{behind.messages:,} facts wait in {behind.name} for legacy"
        state = "a rollback now would find legacy behind by those"
        yield Diagnosis("mirror_behind", what, state, Danger.GROWS, "cutover status --watch")


def _pipe(name: str, state: Read[str]) -> Iterator[Diagnosis]:
    if isinstance(state, Unread) or state == "RUNNING":
        return
    what = f"{state.what} is not there" if isinstance(state, Missing) else f"pipe {name} is {state}"
    command = "cutover preflight" if isinstance(state, Missing) else f"aws pipes start-pipe --name {name}"
    left = "what is stored waits in the stream, which keeps 24 h; after that it is not folded or mirrored"
    yield Diagnosis("pipe_stopped", what, left, Danger.GROWS, command)


def _given_up(name: str, queue: Gathered, whose: str, state: str) -> Diagnosis:
    what = f"{queue.messages} messages in {queue.name} {whose}"
    command = f"aws sqs start-message-move-task --source-arn {queue.arn}"
    return Diagnosis(name, what, state, Danger.GROWS, command)


def _some(queue: Read[Gathered] | None) -> Gathered | None:
    """Take a queue with messages in it."""
    return None if queue is None or isinstance(queue, Missing | Unread) or not queue.messages else queue
