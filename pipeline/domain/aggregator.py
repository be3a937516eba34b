"""Folding a batch: exactly once in effect, whatever is delivered again, reordered or interrupted.

    unique facts ──chunks──► commit ──► folded
                               ├─ some were folded before ──► drop them, commit the rest
                               ├─ a row cannot take its delta ──► fail that row's facts, commit the rest
                               └─ busy or unanswered ──► wait, commit the same chunk again

A transaction writes each fact's dedup entry together with the sums, so committing again after an unanswered
commit finds the entries and changes nothing. Never check-then-act, never mark-then-fold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.domain.batch import Chunk, Row, chunks, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pipeline.domain.queued_fact import QueuedFact

MAX_BUSY: Final = 6
_FIRST_WAIT_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Committed:
    """The chunk's facts are folded."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was written: these facts were folded before, or these rows cannot take their delta."""

    duplicates: frozenset[str] = frozenset()
    unfoldable: frozenset[Row] = frozenset()


@dataclass(frozen=True, slots=True)
class Busy:
    """No usable answer: a conflict, a throttle, or a timeout after which the commit may have happened."""

    reason: str


class FoldStore(Protocol):
    """Where aggregates live."""

    def commit(self, chunk: Chunk) -> Committed | Refused | Busy:
        """Fold a chunk in one transaction, or none of it."""

    def advance_newest(self, ingested_at: str) -> bool:
        """Move the time of the newest folded fact forward, never backward; False when the store was busy.

        It is not part of the fold: the next batch, at the latest the next pulse, makes up for a missed move.
        """


@dataclass(slots=True)
class Outcome:
    """What became of each fact of a batch, by identity."""

    folded: set[str] = field(default_factory=set)
    duplicates: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)
    transactions: int = 0

    def fail(self, facts: Iterable[QueuedFact], reason: str) -> None:
        """Leave facts to be delivered again, or to end in the dead-letter queue."""
        self.failed.update({fact.identity: reason for fact in facts})


def longest_wait_s(attempt: int) -> float:
    """Bound the wait before attempt 1, 2, … of a busy chunk; a caller draws evenly below it."""
    return _FIRST_WAIT_S * 2.0**attempt


@dataclass(frozen=True, slots=True)
class Aggregator:
    """Folds batches into a store.

    Attributes:
        store: where aggregates live.
        wait: sleeps before attempt 1, 2, … of a busy chunk, with jitter.
        has_time: whether the invocation can still afford another transaction.
    """

    store: FoldStore
    wait: Callable[[int], None]
    has_time: Callable[[], bool]

    def fold(self, facts: Iterable[QueuedFact]) -> Outcome:
        """Fold each distinct fact once; facts that could not be folded are in `failed`, with the reason."""
        unique = {fact.identity: fact for fact in facts}
        outcome = Outcome()
        for chunk in chunks(unique.values()):
            self._fold_chunk(chunk, outcome)
        done = outcome.folded | outcome.duplicates
        if done:
            self.store.advance_newest(max(unique[name].ingested_at for name in done))
        return outcome

    def _fold_chunk(self, chunk: Chunk, outcome: Outcome) -> None:
        busy = 0
        while chunk.facts:
            if not self.has_time():
                outcome.fail(chunk.facts, "out of time")
                return
            outcome.transactions += 1
            match self.store.commit(chunk):
                case Committed():
                    outcome.folded.update(fact.identity for fact in chunk.facts)
                    return
                case Refused(duplicates, unfoldable):
                    outcome.duplicates |= duplicates
                    chunk = self._drop_unfoldable(chunk.without(duplicates), unfoldable, outcome)
                case Busy(reason):
                    busy += 1
                    if busy == MAX_BUSY:
                        outcome.fail(chunk.facts, reason)
                        return
                    self.wait(busy)

    @staticmethod
    def _drop_unfoldable(chunk: Chunk, rows: frozenset[Row], outcome: Outcome) -> Chunk:
        stuck = [fact for fact in chunk.facts if rows.intersection(rows_of(fact))]
        outcome.fail(stuck, "an aggregate row cannot take it")
        return chunk.without(frozenset(fact.identity for fact in stuck))


def read_reasons(reasons: Sequence[str], chunk: Chunk, rows: Sequence[Row]) -> Refused | Busy:
    """Read why a transaction of one put a fact, then one update a row, was cancelled.

    Args:
        reasons: DynamoDB's cancellation codes, one an action in order; `None` for an action without fault.
        chunk: whose facts the puts are for.
        rows: what the updates are for.
    """
    puts, updates = reasons[: len(chunk.facts)], reasons[len(chunk.facts) :]
    duplicates = (
        fact.identity
        for fact, reason in zip(chunk.facts, puts, strict=False)
        if reason == "ConditionalCheckFailed"
    )
    unfoldable = (row for row, reason in zip(rows, updates, strict=False) if reason in _UNFOLDABLE)
    refused = Refused(frozenset(duplicates), frozenset(unfoldable))
    if refused.duplicates or refused.unfoldable:
        return refused
    return Busy(next((reason for reason in reasons if reason != "None"), "TransactionCanceledException"))


_UNFOLDABLE: Final = ("ValidationError", "ItemCollectionSizeLimitExceeded")
