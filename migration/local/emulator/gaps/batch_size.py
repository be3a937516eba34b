"""Batches of more than 10 messages from a queue to a function.

ministack 1.5.33 keeps a mapping's `BatchSize` and gives at most 10 messages. AWS gives up to `BatchSize`, at
most 10,000, and never more than 6 MB. Filled by receiving as many as the mapping asks for. Its batching
window stays ignored: a batch is whatever is visible when a slot is free.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ministack.services import sqs

from migration.local.emulator.gaps import seam

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST: Final = 10_000
_PAYLOAD_BYTES: Final = 6 * 1024 * 1024
# A record is its body and about this much of names, handles and attributes.
_RECORD_BYTES: Final = 700


def fill() -> None:
    """Fill the gap."""
    seam.replace(sqs, "_receive_messages_for_esm", _as_many_as_asked)


def _as_many_as_asked(_ten_at_most: object) -> Callable[[str, int], list[dict[str, Any]]]:
    lock, queue_at, expire, sweep, collect = (
        seam.original(sqs, name)
        for name in ("_queues_lock", "_get_q", "_expire_retained", "_dlq_sweep", "_collect_msgs")
    )

    def receive(queue_url: str, batch_size: int) -> list[dict[str, Any]]:
        with lock:
            queue = queue_at(queue_url)
            expire(queue)
            sweep(queue)
            visibility_s = int(queue["attributes"]["VisibilityTimeout"])
            received: list[dict[str, Any]] = collect(queue, _fitting(queue, batch_size), visibility_s)
            return received

    return receive


def _fitting(queue: dict[str, Any], batch_size: int) -> int:
    """Count how many messages an invocation can take; one always goes, however large."""
    size = 0
    for count, message in enumerate(queue["messages"][: min(batch_size, _MOST)]):
        size += len(message["body"].encode()) + _RECORD_BYTES
        if size > _PAYLOAD_BYTES:
            return max(count, 1)
    return min(batch_size, _MOST)
