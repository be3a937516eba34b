"""Seeded activities, skewed as real ones are: few employees and few programs bring most of them.

Every side gets the same list, in the same order.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from pipeline.domain.activity import ACTIVITY_TYPES, format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

EMPLOYEES: Final = 5_000
PROGRAMS: Final = 50
EMPLOYEE_SKEW: Final = 1.0
PROGRAM_SKEW: Final = 0.8
_BEGIN: Final = datetime(2025, 3, 1, 9, tzinfo=UTC)


def activities(count: int, seed: int) -> list[dict[str, Any]]:
    """Make `count` distinct activities as clients send them."""
    return list(each_activity(count, seed))


def each_activity(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Make the same ones, one by one."""
    rng = random.Random(seed)
    employees = rng.choices(range(EMPLOYEES), cum_weights=zipf(EMPLOYEES, EMPLOYEE_SKEW), k=count)
    programs = rng.choices(range(PROGRAMS), cum_weights=zipf(PROGRAMS, PROGRAM_SKEW), k=count)
    for number, (employee, program) in enumerate(zip(employees, programs, strict=True)):
        yield {
            "event_id": f"{rng.getrandbits(128):032x}",
            "employee_id": employee_id(employee),
            "program_id": program_id(program),
            "activity_type": rng.choice(ACTIVITY_TYPES),
            "points": rng.randint(1, 100),
            "occurred_at": format_time(_BEGIN + timedelta(milliseconds=20 * number)),
        }


def zipf(ranks: int, exponent: float) -> list[float]:
    """Cumulate the weights of a Zipf distribution: rank r has the weight r ** -exponent."""
    return list(accumulate(rank**-exponent for rank in range(1, ranks + 1)))


def employee_id(number: int) -> str:
    """Name an employee."""
    return f"e-{number:06d}"


def program_id(number: int) -> str:
    """Name a program."""
    return f"p-{number:02d}"
