"""Two cohorts of one time: what each side answered, since the epoch began and since later moments.

A test over everything since the epoch began would sleep through a fault that comes late: a thousand good
requests outweigh the first hundred bad ones. So it is begun again every few seconds, and all are averaged:

    start      0           1        2        3    …
    weight    1/2    1/2 · (1/2     1/6     1/12  …  1/(j(j+1)))          together 1

A weighted mean of e-processes is one (each start was fixed before what it counts), so the chance of a false
alarm stays what it was; a late fault costs the logarithm of its start's weight. The oldest later starts are
forgotten, which only makes the mean smaller.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log
from typing import TYPE_CHECKING, Final

from migration.door.counts import NOTHING, Answers
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.door.counts import DoorCounts, Role

RESTART_S: Final = 5.0
MOST_STARTS: Final = 36
_HALF: Final = log(0.5)

Tally = dict[str, tuple[Answers, Answers]]  # of an instance: legacy's and the pipeline's


@dataclass(frozen=True, slots=True)
class Cohort:
    """Both sides since one start; `log_weight` is of the start."""

    log_weight: float
    legacy: Answers
    pipeline: Answers


@dataclass(frozen=True, slots=True)
class Start:
    """What had been counted when the test was begun again."""

    number: int
    at: float
    tallies: Mapping[Role, Tally]


@dataclass(frozen=True, slots=True)
class History:
    """What the looks at one epoch remember.

    Attributes:
        epoch: of the state.
        begun: how often the test was begun again.
        starts: the latest of them, oldest first.
    """

    epoch: int = -1
    begun: int = 0
    starts: Sequence[Start] = field(default_factory=tuple)

    def after(self, counts: Sequence[DoorCounts], epoch: int, now: float) -> History:
        """Remember what was counted by now, if it is time to begin again."""
        was = self if self.epoch == epoch else History(epoch)
        if was.starts and now - was.starts[-1].at < RESTART_S:
            return was
        tallies = {role: tally_of(counts, role, epoch) for role in {one.role for one in counts}}
        if was.starts and tallies == was.starts[-1].tallies:
            return was
        start = Start(was.begun + 1, now, tallies)
        return History(epoch, was.begun + 1, (*was.starts, start)[-MOST_STARTS:])

    def cohorts(self, counts: Sequence[DoorCounts], role: Role) -> list[Cohort]:
        """Set both sides beside each other: since the epoch began, then since each later start."""
        now = tally_of(counts, role, self.epoch)
        return [
            _cohort(_HALF, now, {}),
            *(_cohort(_weight(one.number), now, one.tallies.get(role, {})) for one in self.starts),
        ]


def tally_of(counts: Sequence[DoorCounts], role: Role, epoch: int) -> Tally:
    """Take what was counted by an epoch, instance by instance: items of instances long gone may vanish."""
    return {
        one.instance: (one.sides.get(Side.LEGACY, NOTHING), one.sides.get(Side.PIPELINE, NOTHING))
        for one in counts
        if one.role is role and one.epoch == epoch
    }


def pulses_of(counts: Sequence[DoorCounts], role: Role, epoch: int) -> Answers:
    """Sum up what the pipeline answered to pulses."""
    return sum((one.pulses for one in counts if one.role is role and one.epoch == epoch), NOTHING)


def _cohort(log_weight: float, now: Tally, before: Tally) -> Cohort:
    legacy = pipeline = NOTHING
    for instance, (of_legacy, of_pipeline) in now.items():
        was_legacy, was_pipeline = before.get(instance, (NOTHING, NOTHING))
        legacy += of_legacy - was_legacy
        pipeline += of_pipeline - was_pipeline
    return Cohort(log_weight, legacy, pipeline)


def _weight(number: int) -> float:
    return _HALF - log(number * (number + 1))
