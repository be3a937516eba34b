"""A difference counts when two looks in a row saw it; what only one saw was the moment's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from migration.aws.bulk.side_store import DuckDBStore
from migration.compare.verify.verify import Verification
from migration.model.cause import Cause
from tests.doubles.both_sides import MemorySides
from tests.doubles.clock import MemoryClock
from tests.verify_world import MemoryWorld, System, activities, activity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from migration.compare.verify.verification import EmployeeReading

ONE = activity(100, employee=1, program=1, points=10)


@dataclass(slots=True)
class Looked(MemorySides):
    """Something happens after so many looks."""

    looks: int = 0
    after: dict[int, Callable[[], None]] = field(default_factory=dict)

    def employees(self, names: Sequence[str]) -> Iterator[EmployeeReading]:
        self.looks += 1
        yield from list(super(Looked, self).employees(names))
        self.after.pop(self.looks, lambda: None)()


@pytest.fixture
def system() -> System:
    system = System(MemoryWorld(Looked()))
    for one in activities(6):
        system.accept(one)
    return system


def causes(system: System, folder: Path) -> list[Cause]:
    store = DuckDBStore(folder)
    report = Verification(system.world.source(), store, MemoryClock()).run()
    store.close(keep=False)
    return [one.kind for one in report.differences]


def test_what_one_look_saw_does_not_count(system: System, tmp_path: Path) -> None:
    system.legacy_accepts(ONE)
    system.store(ONE)
    sides = system.world.source()
    assert isinstance(sides, Looked)
    sides.after[1] = lambda: system.fold(ONE)
    assert causes(system, tmp_path) == []
    assert sides.looks >= 2


def test_what_two_looks_saw_counts(system: System, tmp_path: Path) -> None:
    system.legacy_accepts(ONE)
    system.store(ONE)
    assert causes(system, tmp_path) == [Cause.LOST]
