"""Aggregates of an organisation of any size, put into the tables directly, as folding would have left them.

So that a snapshot of 100,000 employees can be measured without folding their activities first;
tests/unit/test_benchmarks_smoke.py holds the rows to what folding writes.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from benchmarks.systems import BOARD_SHARDS, NOW
from benchmarks.workload import PROGRAM_SKEW, PROGRAMS, employee_id, program_id, zipf
from pipeline.domain.activity import format_time
from pipeline.domain.fold import Fold
from pipeline.domain.fold_rows import FRESHNESS_KEY
from pipeline.domain.ranking import TOTAL, board_of, board_shard, score_fraction, shard_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.expressions import Item
    from benchmarks.tables import Table

PROGRAMS_EACH: Final = 3
Folds = dict[str, Fold]


def progress(employees: int, seed: int) -> dict[str, Folds]:
    """Draw the folds of each employee by program, up to three programs each."""
    rng = random.Random(seed)
    weights = zipf(PROGRAMS, PROGRAM_SKEW)
    return {
        employee_id(number): {
            program_id(program): _fold(rng)
            for program in set(rng.choices(range(PROGRAMS), cum_weights=weights, k=PROGRAMS_EACH))
        }
        for number in range(employees)
    }


def fill_pipeline(tables: Mapping[str, Table], folds: Mapping[str, Folds]) -> None:
    """Store the pipeline's aggregates."""
    tables["program_progress"].put_all(_program_items(folds))
    tables["employee_progress"].put_all(_employee_items(folds))


def fill_legacy(tables: Mapping[str, Table], folds: Mapping[str, Folds]) -> None:
    """Store legacy's aggregates."""
    tables["legacy_program_progress"].put_all(
        {"program_id": {"S": program}, **_counts(fold)} for program, fold in _by_program(folds).items()
    )
    tables["legacy_employee_progress"].put_all(
        {"employee_id": {"S": employee}, "program_id": {"S": program}, **_counts(fold)}
        for employee, programs in folds.items()
        for program, fold in programs.items()
    )


def _fold(rng: random.Random) -> Fold:
    events = rng.randint(1, 40)
    return Fold(events * rng.randint(1, 100), events, rng.getrandbits(60) * events)


def _by_program(folds: Mapping[str, Folds]) -> Folds:
    sums: Folds = {}
    for programs in folds.values():
        for program, fold in programs.items():
            sums[program] = sums.get(program, Fold()) + fold
    return sums


def _program_items(folds: Mapping[str, Folds]) -> Iterator[Item]:
    for program, fold in _by_program(folds).items():
        yield {"program_id": {"S": program}, "shard": {"S": "00"}, **_sums(fold)}
    newest = {"S": format_time(NOW)}
    yield {**FRESHNESS_KEY, "newest_folded_at": newest}


def _employee_items(folds: Mapping[str, Folds]) -> Iterator[Item]:
    for employee, programs in folds.items():
        shard, fraction = shard_of(employee, BOARD_SHARDS), score_fraction(employee)
        for program, fold in {**programs, TOTAL: sum(programs.values(), Fold())}.items():
            yield {
                "employee_id": {"S": employee},
                "program_id": {"S": program},
                **_sums(fold),
                "board": {"S": board_shard(board_of(program), shard)},
                "score": {"N": f"{fold.points + fraction:f}"},
            }


def _sums(fold: Fold) -> Item:
    return {**_counts(fold), "fingerprint": {"N": str(fold.fingerprint)}}


def _counts(fold: Fold) -> Item:
    return {"points": {"N": str(fold.points)}, "events": {"N": str(fold.events)}}
