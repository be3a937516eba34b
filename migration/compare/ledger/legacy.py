"""The verdict on legacy: its event rows against what it acknowledged, its aggregates against its event rows.

Legacy has no fingerprints, so an event is named where what was sent says that it can be the cause: legacy
adds again for every send, and an attempt that failed may have stored the event without adding it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Final

from migration.compare.explain import Times, joined
from migration.compare.folds import Explained, wider_rows
from migration.compare.ledger.findings import by_event, employee_times, in_words, name_rows
from migration.compare.ledger.pipeline import levels
from migration.compare.ledger.stored import check_facts
from migration.compare.ledger.verdict import Finding, LedgerVerdict, Place
from migration.model.cause import Cause
from migration.model.fold import TOTAL, Fold, differences, fold_all, rows_of, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from migration.model.acknowledgements import SideLedger
    from migration.model.fold import Activity, Identity, Row

MOST_EVENTS: Final = 3  # tried together beyond those that were acknowledged more than once
MOST_CANDIDATES: Final = 60


def check_legacy(side: SideLedger, stored: Iterable[Activity], actual: Mapping[Row, Fold]) -> LedgerVerdict:
    """Judge what legacy stored and counted; `actual` has no fingerprints and no totals."""
    events = {event.identity: event for event in stored}
    expected = {
        row: replace(fold, fingerprint=0)
        for row, fold in fold_all(events.values()).items()
        if row.program_id != TOTAL
    }
    wrong = differences(actual, expected)
    compared = check_facts(side, events)
    explained = _Search(events, side).run(wrong)
    findings = [
        *compared.findings.values(),
        *(_finding(events[name], counts, side) for name, counts in by_event(explained).items()),
        *name_rows(explained, events.values()),
    ]
    return LedgerVerdict(
        acknowledgements=side.acknowledgements,
        acknowledged=len(side.acknowledged),
        facts=len(events),
        conflicts=side.conflicts,
        unknown=side.unknown_sends,
        unknown_stored=compared.unknown_stored,
        rejected=side.rejected,
        rejected_because=dict(side.rejected_because.most_common()),
        expected=whole(expected),
        folded=whole(actual),
        levels=[level for level in levels(actual, expected, wrong) if level.rows],
        findings=findings,
    )


class _Search:
    """How often each event may have been counted, by row."""

    def __init__(self, events: Mapping[Identity, Activity], side: SideLedger) -> None:
        self._events = events
        self._own: defaultdict[Row, list[Identity]] = defaultdict(list)
        for event in events.values():
            for row in rows_of(event):
                self._own[row].append(event.identity)
        self._sends = {name: sum(one.sends for one in several) for name, several in side.acknowledged.items()}
        self._spare = _spare_tries(side, events.values())

    def run(self, wrong: Mapping[Row, Fold]) -> Explained:
        """Explain employees' rows first, then the programs' with what that explains taken off."""
        explained = Explained()
        parts: defaultdict[Row, list[Times]] = defaultdict(list)
        for row in sorted(wrong, key=lambda row: (row.employee_id is None, str(row))):
            guesses = [*filter(None, [joined(parts[row]), self._acknowledged_again(row)]), {}]
            times = next(filter(None, (self._explain(row, wrong[row], guess) for guess in guesses)), None)
            if times is None:
                explained.unexplained[row] = wrong[row]
                continue
            explained.times[row] = times
            for wider in wider_rows(row):
                parts[wider].append(times)
        return explained

    def _acknowledged_again(self, row: Row) -> Times:
        """Guess that every acknowledged send was counted."""
        again = {name: self._sends.get(name, 1) - 1 for name in self._own[row]}
        return {name: times for name, times in again.items() if times}

    def _explain(self, row: Row, difference: Fold, guess: Times) -> Times | None:
        left = difference - self._weigh(guess)
        for more in self._guesses(row, guess):
            if self._weigh(more) == left:
                return joined([guess, more])
        return None

    def _guesses(self, row: Row, guess: Times) -> Iterator[Times]:
        """Yield how a few events may differ from a guess.

        An unanswered attempt was counted, or not; an event that was never acknowledged may not be counted at
        all; and what was acknowledged again was not counted again where the pipeline had authority by then.
        """
        options = [
            (name, times - guess.get(name, 0))
            for name in self._own[row]
            for times in self._possible(name)
            if times != guess.get(name, 0)
        ]
        for size in range(MOST_EVENTS + 1 if len(options) <= MOST_CANDIDATES else 2):
            for chosen in combinations(options, size):
                if len({name for name, _ in chosen}) == size:
                    yield dict(chosen)

    def _possible(self, name: Identity) -> range:
        """Tell how often too often an event can have been counted; -1 is not at all."""
        sends = self._sends.get(name)
        return range(-1 if sends is None else 0, self._spare[name] + (sends or 1))

    def _weigh(self, times: Times) -> Fold:
        parts = (Fold(self._events[name].points * count, count) for name, count in times.items())
        return sum(parts, Fold())


def _spare_tries(side: SideLedger, events: Iterable[Activity]) -> Counter[Identity]:
    """Count attempts beyond the acknowledged one of each send: legacy may have counted them as well."""
    spare: Counter[Identity] = Counter()
    for several in side.acknowledged.values():
        for one in several:
            spare[one.activity.identity] += one.tries - one.sends
    unanswered = Counter(side.unknown)
    for event in events if unanswered else ():
        spare[event.identity] += unanswered[event] + unanswered[replace(event, event_id="")]
    return spare


def _finding(event: Activity, counts: dict[Row, int], side: SideLedger) -> Finding:
    sends = sum(one.sends for one in side.acknowledged.get(event.identity, []))
    again = max(counts.values())
    kind, detail = Cause.LOST, "legacy partial update: stored, but not counted"
    if again > 0:
        detail = f"legacy double count: acknowledged {in_words(sends)}, counted {in_words(again + 1)}"
        kind = Cause.DOUBLED
    ids = (event.employee_id, event.event_id, event.program_id)
    return Finding(
        kind, Place.FOLDS, detail, *ids, event.points, tuple(map(str, counts)), employee_times(counts)
    )
