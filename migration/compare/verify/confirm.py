"""Looking again at what differs, until it is right, or wrong in the same way twice, or the patience ends.

    names ──► read again ──► judge ──► nothing new, nothing on its way ──► done
                ▲                 │
                └──── pause ◄─────┘

A difference counts when two looks in a row saw it. Only what differed before is read, with consistent reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from migration.compare.both_sides import Part
from migration.compare.verify.judge import Verdict, judge
from migration.compare.verify.verification import Difference, Horizon
from migration.model.cause import Cause
from migration.model.moments import epoch_of, moment_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from migration.compare.both_sides import BothSides
    from migration.compare.store import SideStore
    from migration.compare.verify.verification import EmployeeReading, Parts, WideReading
    from migration.model.clock import Clock
    from migration.model.fold import Row

_SURE: Final = (
    Cause.IN_FLIGHT,
    Cause.LEGACY_DOUBLE_COUNT,
)  # one look is enough: rows are read before their events


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what is on its way may take.

    Attributes:
        in_flight: a fact may be this long between two stations.
        late: a fact may be this long in a queue: visibility timeout times receives.
        pause: between two looks at the same keys.
        longest: after this, what is still on its way is reported as such.
        samples: how often the programs' rows are read in a look; to be right once is enough.
    """

    in_flight: timedelta = timedelta(seconds=30)
    late: timedelta = timedelta(minutes=15)
    pause: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(minutes=2)
    samples: int = 3


@dataclass(slots=True)
class Confirmation:
    """Looks again.

    Attributes:
        source: both sides' tables.
        store: what was read before.
        clock: the time.
        as_of: up to when every fact must be folded, UTC text.
        patience: with what is on its way.
        on_look: called with a sentence about each look.
    """

    source: BothSides
    store: SideStore
    clock: Clock
    as_of: str
    patience: Patience
    on_look: Callable[[str], None]
    looks: int = field(default=0, init=False)
    _told: frozenset[Difference] = field(default=frozenset(), init=False)

    def run(self, names: Sequence[str], wide: Sequence[WideReading]) -> Verdict:
        """Look at these employees and programs until there is nothing to wait for."""
        deadline = self.clock.elapsed() + self.patience.longest.total_seconds()
        look, names = self._look(names, wide)
        seen = _seen_again(look, Verdict())
        while self._is_open(look, seen) and self.clock.elapsed() < deadline:
            self.on_look(_sentence(self.looks, look))
            self.clock.sleep(self.patience.pause.total_seconds())
            before = look
            look, names = self._look(names, self._programs_again() if wide else wide)
            seen = _seen_again(look, before)
        rows = (_rows(one) for one in look.differences - seen if one.kind.fails)
        return replace(look, differences=seen | self._told, undecided=look.undecided.union(*rows))

    def again(self, names: Sequence[str]) -> Verdict:
        """Look later than everything the caller read or did until now, at programs too."""
        return self.run(names, self._programs_again())

    def _is_open(self, look: Verdict, seen: frozenset[Difference]) -> bool:
        """Whether another look can tell more; legacy's own errors get one, they may come in for ever."""
        new = [one for one in look.differences - seen if one.kind.fails or self.looks == 1]
        return bool(new or look.undecided) or look.waiting

    def _look(self, names: Sequence[str], wide: Sequence[WideReading]) -> tuple[Verdict, list[str]]:
        """Read employees again; gives the verdict, and who still differs."""
        self.looks += 1
        horizon = self._horizon()
        wrong = list(self._wrong(names, horizon))
        verdict = judge(wrong, wide, horizon)
        if verdict.fingerprints:
            verdict = judge(wrong, wide, horizon, self.store.named(verdict.fingerprints))
        return verdict, [reading.employee_id for reading in wrong]

    def _wrong(self, names: Sequence[str], horizon: Horizon) -> Iterator[EmployeeReading]:
        """Keep who differs, but tell legacy's double counts at once: there is no need to look again."""
        for reading in self.source.employees(names):
            found = judge([reading], [], horizon).differences
            if all(one.kind is Cause.LEGACY_DOUBLE_COUNT for one in found):
                self._told |= found
            else:
                yield reading

    def _programs_again(self) -> Sequence[WideReading]:
        """Read the programs' rows, then the facts that came since."""
        samples = sample_programs(self.source, self.source.programs(), self.clock, self.patience)
        since = moment_text(epoch_of(self.as_of) - self.patience.in_flight.total_seconds())
        self.store.add_new(self.source.chunks(Part.FACTS, {}, since))
        return self.store.programs(samples)

    def _horizon(self) -> Horizon:
        # The queue first: a message that is not in it any more is folded before the rows are read.
        queued, now = self.source.queued(), self.clock.now()
        young_since = moment_text(now - self.patience.in_flight.total_seconds())
        return Horizon(self.as_of, young_since, moment_text(now - self.patience.late.total_seconds()), queued)


def sample_programs(
    source: BothSides, first: Mapping[Row, Parts], clock: Clock, patience: Patience
) -> list[Mapping[Row, Parts]]:
    """Read the programs' rows at several moments; the first sample was just read."""
    samples = [first]
    for _ in range(patience.samples - 1):
        clock.sleep(patience.pause.total_seconds() / patience.samples)
        samples.append(source.programs())
    return samples


def _seen_again(now: Verdict, before: Verdict) -> frozenset[Difference]:
    known = {_key(one) for one in before.differences}
    return frozenset(one for one in now.differences if one.kind in _SURE or _key(one) in known)


def _key(one: Difference) -> tuple[object, ...]:
    """What must be the same in two looks; counts in the words may change while activities pour in."""
    return one.kind, one.employee_id, one.event_id, one.program_id, one.rows


def _rows(one: Difference) -> tuple[str, ...]:
    return one.rows or (f"event {one.event_id} of {one.employee_id}",)


def _sentence(looks: int, verdict: Verdict) -> str:
    waiting = sum(one.kind is Cause.IN_FLIGHT for one in verdict.differences)
    wrong = len(verdict.differences) - waiting
    return (
        f"look {looks}: {waiting:,} in flight, {wrong:,} differences, {len(verdict.undecided):,} rows moving"
    )
