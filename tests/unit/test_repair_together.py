"""An event's rows are set right together or not at all: one that changed holds up the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migration.model.facts import Lane
from migration.model.fold import Row, fold_of, rows_of
from migration.repair.words import DeedOutcome
from tests.repair_world import RepairWorld
from tests.verify_world import activities

if TYPE_CHECKING:
    from pathlib import Path

DOUBLED, OTHER = activities()[7], activities()[10]


@pytest.mark.parametrize("place", [0, 1, 2], ids=["in its program", "the total", "the program"])
def test_a_row_that_changed_since_it_was_agreed_on_holds_up_the_events_other_rows(
    place: int, tmp_path: Path
) -> None:
    world = RepairWorld()
    for one in activities():
        world.accept(one, Lane.LIVE)
    world.system.fold(DOUBLED)
    world.system.fold(OTHER)
    changed = rows_of(DOUBLED)[place]
    assert Row(DOUBLED.employee_id, DOUBLED.program_id) not in rows_of(OTHER)
    store = world.store(tmp_path)
    job = world.repair(store)
    plan = job.look()
    world.system.add(changed, fold_of(DOUBLED) * -1)
    before = dict(world.tables.rows)
    deeds = {one.row: one.outcome for one in job.act(plan)}
    store.close(keep=False)
    assert {deeds[row] for row in rows_of(DOUBLED)} == {DeedOutcome.MOVED_ON}
    for row in rows_of(DOUBLED):
        if row not in rows_of(OTHER):
            assert world.tables.rows[row] == before[row]
