"""A delivered batch: which messages are folded, and which must come again, with the reason.

A message that cannot be folded never holds back the rest of its batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.domain.queued_fact import QueuedFact, UnfoldableMessageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pipeline.domain.aggregator import Outcome

F = TypeVar("F", bound=QueuedFact)


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of a batch: facts by message id, and reasons by message id of what must come again."""

    facts: Mapping[str, QueuedFact]
    outcome: Outcome
    failed: dict[str, str]

    @property
    def response(self) -> dict[str, Any]:
        """The partial batch response that an SQS event source mapping expects."""
        return {"batchItemFailures": [{"itemIdentifier": message} for message in self.failed]}


def deliver(
    records: Iterable[Mapping[str, Any]],
    parse: Callable[[str], F],
    fold: Callable[[Iterable[F]], Outcome],
) -> Delivered:
    """Fold SQS records; `parse` raises `UnfoldableMessageError` for a message that must not be folded."""
    facts, failed = read(records, parse)
    outcome = fold(facts.values())
    stuck = {message: outcome.failed.get(fact.identity) for message, fact in facts.items()}
    failed |= {message: reason for message, reason in stuck.items() if reason is not None}
    return Delivered(facts, outcome, failed)


def read(
    records: Iterable[Mapping[str, Any]], parse: Callable[[str], F]
) -> tuple[dict[str, F], dict[str, str]]:
    """Parse SQS records; returns facts, and reasons of what must not be folded, both by message id."""
    facts: dict[str, F] = {}
    failed: dict[str, str] = {}
    for record in records:
        try:
            facts[record["messageId"]] = parse(record["body"])
        except UnfoldableMessageError as error:
            failed[record["messageId"]] = str(error)
    return facts, failed
