"""Realistic activities from a seed: skewed, bursty, with the retries and mistakes of real clients.

The same seed and the same `now` give the same bytes, on every Python. Another `now` gives other event
ids, so that two runs with one seed do not collide.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone
from itertools import accumulate, cycle
from typing import TYPE_CHECKING, Any, Final

from migration.load.malformed import MALFORMED, as_line, malform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

PROGRAMS: Final = tuple(
    f"prog-{name}"
    for name in (
        "onboarding",
        "security-basics",
        "customer-care",
        "leadership",
        "data-literacy",
        "wellbeing",
        "python-guild",
        "sales-academy",
        "mentoring",
        "first-aid",
        "green-office",
        "public-speaking",
    )
)
POINTS: Final[Mapping[str, tuple[int, ...]]] = {
    "task_completed": (5, 10, 15, 20, 25),
    "program_check_in": (1, 2, 5),
    "learning_milestone": (50, 75, 100, 150),
}
TYPE_WEIGHTS: Final = (60, 30, 10)  # in the order of POINTS

RETRY_SHARE: Final = 0.06
CONFLICT_SHARE: Final = 0.005
MALFORMED_SHARE: Final = 0.03
LATE_SHARE: Final = 0.03
BURST_SHARE: Final = 2 / 3
UNNAMED_SHARE: Final = 0.25  # come without an event_id
RETRY_REACH: Final = 200  # lines back that a retry repeats
CONFLICT_DISTANCE: Final = 100  # fresh lines at least between a conflict and what it contradicts
CONFLICT_REACH: Final = 2_000
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _Skewed:
    """A population in which few are chosen often: the n-th with weight 1/n^skew (Zipf)."""

    names: Sequence[str]
    weights: Sequence[float]

    @classmethod
    def of(cls, names: Sequence[str], skew: float) -> _Skewed:
        return cls(names, list(accumulate((rank + 1) ** -skew for rank in range(len(names)))))

    def choose(self, rng: random.Random) -> str:
        return rng.choices(self.names, cum_weights=self.weights)[0]


def generate(count: int, seed: int, now: datetime, *, conflicts: bool = True) -> Iterator[bytes]:
    """Yield `count` request bodies, one a line, without line breaks.

    Args:
        count: lines altogether, retries, conflicts and malformed ones among them.
        seed: any whole number.
        now: an aware time; activities happened in the week before it, late ones up to a year before.
        conflicts: whether some event ids come again with another content.
    """
    rng = random.Random(f"{seed} {now.astimezone(UTC).isoformat()}")  # noqa: S311 - a seed is the point
    kinds = _kinds(count, rng, conflicts=conflicts)
    fresh = _fresh(sum(kind != "retry" for kind in kinds), rng, now)
    ways = cycle(rng.sample(MALFORMED, len(MALFORMED)))
    sent: list[Mapping[str, Any]] = []
    for kind in kinds:
        if kind == "malformed":
            yield malform(next(ways), next(fresh), now)
        elif kind == "retry":
            yield as_line(rng.choice(sent[-RETRY_REACH:]))
        elif kind == "conflict" and (named := _named(sent[-CONFLICT_REACH:-CONFLICT_DISTANCE])):
            contradicted = rng.choice(named)
            yield as_line({**contradicted, "points": contradicted["points"] + 1})
        else:
            sent.append(next(fresh))
            yield as_line(sent[-1])


def _named(sent: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [fields for fields in sent if "event_id" in fields]


def _kinds(count: int, rng: random.Random, *, conflicts: bool) -> list[str]:
    """Say what each line is; the first one is always fresh, so that a retry has something to repeat."""
    kinds = ["retry"] * round(count * RETRY_SHARE)
    kinds += ["conflict"] * (round(count * CONFLICT_SHARE) if conflicts else 0)
    kinds += ["malformed"] * round(count * MALFORMED_SHARE)
    kinds += ["fresh"] * (count - len(kinds) - 1)
    rng.shuffle(kinds)
    return ["fresh", *kinds][:count]


def _fresh(count: int, rng: random.Random, now: datetime) -> Iterator[Mapping[str, Any]]:
    """Yield valid activities in the order in which they happened, late ones in between."""
    names = [f"emp-{number:04}" for number in range(1, max(12, min(5_000, count // 8)) + 1)]
    rng.shuffle(names)
    employees, programs = _Skewed.of(names, 0.9), _Skewed.of(PROGRAMS, 0.8)
    for moment in _moments(count, rng, now):
        late = timedelta(minutes=rng.randrange(10_000, 500_000)) if rng.random() < LATE_SHARE else timedelta()
        activity_type = rng.choices(tuple(POINTS), TYPE_WEIGHTS)[0]
        fields = {
            "employee_id": employees.choose(rng),
            "program_id": programs.choose(rng),
            "activity_type": activity_type,
            "points": rng.choice(POINTS[activity_type]),
            "occurred_at": _written(moment - late, rng),
        }
        if rng.random() >= UNNAMED_SHARE:
            fields = {"event_id": f"ev-{rng.getrandbits(48):012x}", **fields}
        yield fields


def _moments(count: int, rng: random.Random, now: datetime) -> list[datetime]:
    """Two thirds in bursts of a few minutes, the rest anywhere in the week; ascending."""
    bursts = [rng.random() for _ in range(max(3, count // 100))]
    minute = timedelta(minutes=1) / WEEK
    places = [
        rng.choice(bursts) + rng.expovariate(0.5) * minute if rng.random() < BURST_SHARE else rng.random()
        for _ in range(count)
    ]
    return [now - WEEK * (1 - min(place, 1.0)) for place in sorted(places)]


def _in_seconds(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _in_milliseconds(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _with_an_offset(moment: datetime) -> str:
    return moment.astimezone(timezone(timedelta(hours=2))).isoformat(timespec="seconds")


def _written(moment: datetime, rng: random.Random) -> str:
    """Write a time in one of the ways that clients do."""
    write = rng.choices((_in_seconds, _in_milliseconds, _with_an_offset), (6, 3, 1))[0]
    return write(moment.astimezone(UTC))
