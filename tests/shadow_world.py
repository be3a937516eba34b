"""Hours of comparisons as a comparator would have recorded them, from a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from migration.compare.boards.windows import EntryChange
from migration.compare.reasons import Judgement
from migration.compare.shadow.comparison import (
    PAIRS,
    BoardDifference,
    BoardPlace,
    ComparedBoard,
    Comparison,
    Effort,
    PairAgreement,
    SideState,
)
from migration.model.cause import Cause
from migration.model.stages import Stage
from pipeline.domain.activity import format_time

BEGAN: Final = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)
NAMES: Final = ("ada", "grace", "linus", "barbara", "edsger", "radia", "ken", "margaret", "dennis", "frances")
BOARDS: Final = ("global", "program#mentoring", "program#first aid", "program#onboarding")
REBUILD_S: Final = 300


@dataclass(frozen=True, slots=True)
class Story:
    """What happens in these hours.

    Attributes:
        unexplained: minutes in which points appear that no event brings.
        missed: minutes in which the forward mirror's misses wait for `reconcile`.
        silent: minutes without a comparison.
    """

    hours: float = 8
    unexplained: range = range(0)
    missed: range = range(130, 141)
    silent: range = range(290, 311)
    names: tuple[str, ...] = NAMES


def comparisons(seed: int = 7, story: Story | None = None) -> list[Comparison]:
    told = story or Story()
    chance = random.Random(seed)
    minutes = [minute for minute in range(round(60 * told.hours)) if minute not in told.silent]
    return [_comparison(minute, told, chance) for minute in minutes]


def _comparison(minute: int, story: Story, chance: random.Random) -> Comparison:
    at = BEGAN + timedelta(minutes=minute, seconds=chance.uniform(0, 2))
    stage = Stage.SHADOW if minute < 300 else Stage.LIVE
    found = _differences(minute, story, chance, at)
    counts = {
        one: sum(each.judgement is one for each in found) for one in Judgement if one is not Judgement.SAME
    }
    per_board: list[dict[Judgement, int]] = [
        {one: count // len(BOARDS) for one, count in counts.items()} for _ in BOARDS
    ]
    per_board[0] = {one: counts[one] - sum(board[one] for board in per_board[1:]) for one in counts}
    doubled = sum("again" in one.why for one in found)
    behind = (60 * minute) % REBUILD_S
    return Comparison(
        at=format_time(at),
        stage=stage,
        epoch=3 if stage is Stage.SHADOW else 4 + (minute - 300) // 30,
        legacy=SideState(behind + chance.uniform(1, 3), _latency(chance, 21, 0.35) if minute % 97 else None),
        pipeline=SideState(chance.uniform(2, 58), _latency(chance, 9, 0.25)),
        lag_s=chance.uniform(0.8, 3.5) + (12 if minute in range(200, 206) else 0),
        queued=chance.randrange(4),
        boards=tuple(
            ComparedBoard(
                board,
                (100, 100),
                _agreements(chance, doubled, behind),
                per_board[number],
                {Cause.LEGACY_DOUBLE_COUNT: doubled, Cause.LEGACY_STALE_BOARD: int(behind > 60)}
                if doubled
                else {},
            )
            for number, board in enumerate(BOARDS)
        ),
        differences=tuple(found),
        effort=Effort(146, 1210.5, chance.uniform(900, 1400)),
    )


def _latency(chance: random.Random, typical: float, spread: float) -> float:
    return typical * chance.lognormvariate(0, spread) * (4 if chance.random() < 0.01 else 1)


def _agreements(chance: random.Random, doubled: int, behind: float) -> dict[str, PairAgreement]:
    wrong = 0.004 * doubled + 0.00012 * behind + chance.uniform(0, 0.002)
    late = chance.uniform(0, 0.0015)
    off = dict(zip(PAIRS, (wrong + late, wrong, late), strict=True))
    return {
        pair: PairAgreement(round(1 - min(apart * 2, 0.3), 1), 1 - apart, 1 - 1.5 * apart)
        for pair, apart in off.items()
    }


def _differences(minute: int, story: Story, chance: random.Random, at: datetime) -> list[BoardDifference]:
    doubled = min(minute // 55, len(story.names))
    found = [
        _difference(
            story.names[number],
            BOARDS[0],
            Judgement.EXPLAINED,
            f"legacy counted a retry again: ev-{hash_of(number):08x} [legacy +{5 + number}]",
            points=900 - 11 * number,
            off=5 + number,
        )
        for number in range(doubled)
    ]
    if minute % 5:
        name = chance.choice(story.names)
        why = f"legacy's board is older than its totals: ev-{chance.getrandbits(32):08x} [legacy -10]"
        found.append(
            _difference(name, chance.choice(BOARDS[1:]), Judgement.EXPLAINED, why, points=420, off=-10)
        )
    if minute in story.missed:
        why = f"{Cause.MIRROR_MISSED.text}: ev-5f0c71aa [pipeline -15]"
        found.append(_difference(story.names[2], BOARDS[0], Judgement.TO_REPAIR, why, points=640, off=15))
    if minute in story.unexplained:
        why = "no named events account for it (+3 points, +0 events)"
        found.append(_difference(story.names[4], BOARDS[2], Judgement.UNEXPLAINED, why, points=77, off=3))
    return found


def hash_of(number: int) -> int:
    return (number * 2_654_435_761) % 2**32


def _difference(  # noqa: PLR0913 - one for each part
    name: str, board: str, judgement: Judgement, why: str, *, points: int, off: int
) -> BoardDifference:
    return BoardDifference(
        board=board,
        employee_id=name,
        change=EntryChange.SCORE_DIFFERS if abs(off) < 8 else EntryChange.MOVED,
        legacy=BoardPlace(3 if off > 0 else 5, points + off),
        truth=BoardPlace(4, points),
        pipeline=BoardPlace(4, points),
        judgement=judgement,
        why=why,
    )
