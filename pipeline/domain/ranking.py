"""Ranks: who is where on a board, and the draw that orders equals.

A board is `global`, `program#P` or `programs`. Its index key ends in a shard, so that no single index
partition takes every write.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

GLOBAL_BOARD: Final = "global"
PROGRAMS_BOARD: Final = "programs"
TOTAL: Final = "#total"
RESERVED_PREFIX: Final = "#"
_DRAW_DIGITS: Final = 9
_DRAW_SCALE: Final = Decimal(10) ** -12


@dataclass(frozen=True, slots=True)
class Standing:
    """What one employee or program has, before ranking."""

    id: str
    points: int
    events: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a board. `previous_rank` is None for who was not on the last snapshot."""

    rank: int
    id: str
    points: int
    events: int
    previous_rank: int | None


def program_board(program_id: str) -> str:
    """Name a program's board."""
    return f"program#{program_id}"


def board_of(program_id: str) -> str:
    """Name the board that an employee's progress row (`program_id` or `#total`) stands on."""
    return GLOBAL_BOARD if program_id == TOTAL else program_board(program_id)


def is_reserved(name: str) -> bool:
    """Whether an id is one that clients cannot use, such as a pulse's."""
    return name.startswith(RESERVED_PREFIX)


def board_shard(board: str, shard: int) -> str:
    """Name one partition of a board's index."""
    return f"{board}#{shard:02d}"


def shard_of(employee_id: str, shards: int) -> int:
    """Spread employees evenly over `shards` index partitions, the same everywhere and always."""
    return zlib.crc32(employee_id.encode()) % shards


def tie_break(name: str) -> int:
    """Draw the order among equals: the first 9 hexadecimal digits of the id's SHA-256, higher first."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:_DRAW_DIGITS], 16)


def score_fraction(name: str) -> Decimal:
    """Scale the draw below one point, so that points + fraction sorts a board's index exactly as a board."""
    return tie_break(name) * _DRAW_SCALE


def rank(standings: Iterable[Standing], size: int, previous: Mapping[str, int]) -> list[Entry]:
    """Order standings and number the first `size`; equal points share a rank (1, 2, 2, 4).

    Args:
        standings: at least the best `size` of the board, in any order.
        size: how many entries the board has at most.
        previous: rank by id on the last snapshot.
    """
    best = sorted(standings, key=lambda s: (-s.points, -tie_break(s.id), s.id))[:size]
    entries: list[Entry] = []
    for position, standing in enumerate(best, start=1):
        tied = entries and entries[-1].points == standing.points
        number = entries[-1].rank if tied else position
        entries.append(
            Entry(number, standing.id, standing.points, standing.events, previous.get(standing.id))
        )
    return entries
