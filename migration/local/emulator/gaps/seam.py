"""The only way a filler reaches into ministack: what it needs must be there, in the version it is for.

A private function that moved would otherwise leave a gap open without a sign.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ministack import app
from ministack.services import sqs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
_WRITTEN_FOR: Final = "1.5.33"


class DriftError(RuntimeError):
    """ministack is not what the fillers were written for; the local AWS must not start."""


def require_version() -> None:
    """Check the installed version.

    Raises:
        DriftError: it is another one.
    """
    if (installed := version("ministack")) != _WRITTEN_FOR:
        raise DriftError(f"the gap fillers are for ministack {_WRITTEN_FOR}; installed is {installed}")


def original(owner: Any, name: str) -> Any:  # noqa: ANN401 - ministack is untyped
    """Return a member of a module or class.

    Raises:
        DriftError: it is not there.
    """
    try:
        return getattr(owner, name)
    except AttributeError as error:
        raise DriftError(f"ministack has no {owner.__name__}.{name} to build on") from error


def replace(owner: Any, name: str, make: Callable[[Any], Any]) -> None:  # noqa: ANN401 - ministack is untyped
    """Put `make(what is there)` in place of a member."""
    setattr(owner, name, make(original(owner, name)))


def rewrite(owner: Any, name: str, old: str, new: str) -> None:  # noqa: ANN401 - ministack is untyped
    """Replace the one occurrence of a text in a member that is program text.

    Raises:
        DriftError: the text does not occur exactly once.
    """
    text = original(owner, name)
    if text.count(old) != 1:
        raise DriftError(f"{owner.__name__}.{name} does not hold exactly one {old!r}")
    setattr(owner, name, text.replace(old, new))


def with_queues(action: Callable[[], T]) -> T:
    """Run an action that changes queues, from a thread, so that nothing else changes them meanwhile.

    ministack's own handlers change queues on its event loop without a lock, its event source mappings in
    threads with one: only what runs on the loop and under the lock is safe from both. The lock is taken here
    and not on the loop, so that the loop never waits for it.
    """

    async def act() -> T:
        return action()

    with original(sqs, "_queues_lock"):
        return asyncio.run_coroutine_threadsafe(act(), original(app, "_MAIN_LOOP")).result()


def send_messages(queue: Mapping[str, Any], entries: list[dict[str, Any]]) -> set[str]:
    """Send at most 10 messages to a queue, inside `with_queues`; return the `Id` of each that was refused."""
    answer = original(sqs, "_act_send_message_batch")({"Entries": entries}, queue["url"])
    return {refused["Id"] for refused in answer["Failed"]}


def send_to_arn(queue_arn: str, bodies: list[str]) -> set[int]:
    """Send at most 10 bodies to a queue, from a thread; return the places in the list of the refused."""

    def send() -> set[int]:
        queue = original(sqs, "_queue_by_arn")(queue_arn)
        if queue is None:
            return set(range(len(bodies)))
        entries = [{"Id": str(place), "MessageBody": body} for place, body in enumerate(bodies)]
        return {int(place) for place in send_messages(queue, entries)}

    return with_queues(send)
