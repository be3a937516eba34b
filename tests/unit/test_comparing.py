"""A comparison in memory: it says of the boards what a whole diff says, and reads those on them only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migration.compare.reasons import Judgement
from migration.compare.shadow.comparing import compare
from migration.compare.shadow.comparison import (
    ACTS_IN,
    LISTED,
    Comparison,
    comparison_fields,
    comparison_of,
    not_in,
)
from migration.model.cause import Cause
from migration.model.fold import Fold, Identity, Row
from migration.model.side import Side
from migration.model.stages import Control, Stage
from tests.diff_world import CLOCK, World, ago
from tests.doubles.comparing import MemoryComparedSides, MemoryServing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from migration.compare.diff.two_sides import Sighting
    from migration.compare.shadow.one_employee import EmployeeRead

CONTROL = Control(Stage.SHADOW, epoch=7)
SERVING = MemoryServing({Side.LEGACY: 12.5, Side.PIPELINE: 3.25})


def compared(world: World, size: int = 100) -> Comparison:
    return compare(CONTROL, size, MemoryComparedSides(world.sides()), SERVING, CLOCK)


def people(world: World, *names: str) -> list[Sighting]:
    return [world.add(name, f"v-{name}", 100 - 10 * number) for number, name in enumerate(names)]


def test_sides_that_agree_are_the_same_with_their_ages_and_latencies() -> None:
    world = World()
    people(world, "ada", "grace", "linus")
    found = compared(world)
    assert found.judgement is Judgement.SAME
    assert [board.board for board in found.boards] == ["global", "program#p"]
    agreement = found.boards[0].agreements["legacy, pipeline"]
    assert (agreement.top, agreement.tau) == (1.0, 1.0)
    assert agreement.rank_biased == pytest.approx(1.0)
    assert (found.legacy.age_s, found.pipeline.age_s, found.lag_s) == (60.0, 10.0, 1.0)
    assert (found.legacy.latency_ms, found.pipeline.latency_ms) == (12.5, 3.25)
    assert (found.stage, found.epoch, found.effort.employees) == (Stage.SHADOW, 7, 3)


def test_every_kind_of_difference_is_judged_as_a_whole_diff_judges_it() -> None:
    world = World()
    ada, grace, linus, anita = people(world, "ada", "grace", "linus", "anita")
    world.count(ada)  # legacy counted a retry again
    world.count(grace, -1)  # legacy stored it without counting it
    world.fold(linus, -1)  # the pipeline did not fold it
    world.add("barbara", "late", 95, at=ago(seconds=5), fact=False)  # on its way
    world.count(anita, 1, in_program=False)
    found, whole = compared(world), world.diff()
    for board, judged in zip(found.boards, whole.boards, strict=True):
        assert board.board == judged.board
        counted = {one: sum(line.judgement is one for line in judged.lines) for one in board.differing}
        assert board.differing == counted
        assert board.agreements["legacy, truth"].rank_biased == pytest.approx(
            judged.agreements["legacy, truth"].rank_biased
        )
    causes = set(found.boards[0].causes)
    assert {Cause.LEGACY_DOUBLE_COUNT, Cause.LEGACY_PARTIAL_UPDATE, Cause.LOST, Cause.IN_FLIGHT} <= causes
    assert found.judgement is Judgement.TO_REPAIR


def test_activities_since_the_rebuild_explain_a_board_that_is_behind() -> None:
    world = World()
    people(world, "ada", "grace")
    sides = world.sides()
    world.add("grace", "since", 50, at=ago(seconds=30))
    later = replace(world.sides(), of_legacy=sides.of_legacy)
    found = compare(CONTROL, 100, MemoryComparedSides(later), SERVING, CLOCK)
    assert found.judgement is Judgement.EXPLAINED
    assert found.boards[0].causes[Cause.LEGACY_STALE_BOARD] == 1
    (grace,) = [one for one in found.differences if one.board == "global" and one.employee_id == "grace"]
    assert "since" in grace.why
    assert (grace.legacy, grace.pipeline) != (None, None)


def test_points_that_no_event_brings_are_unexplained() -> None:
    world = World()
    people(world, "ada")
    world.miscounted[Row("ada", "p")] = Fold(3)
    found = compared(world)
    assert found.judgement is Judgement.UNEXPLAINED
    assert found.counts[Judgement.UNEXPLAINED] == 2, "on the global board, and on the program's"


def test_only_those_on_a_board_are_read() -> None:
    world = World(board_size=5)
    for number in range(50):
        world.add(f"e-{number:02}", "v", 1000 - number)
    read: list[str] = []

    class Counting(MemoryComparedSides):
        def employees(self, names: Collection[str]) -> Iterator[EmployeeRead]:
            read.extend(names)
            return super().employees(names)

    found = compare(CONTROL, 5, Counting(world.sides()), SERVING, CLOCK)
    assert len(read) == found.effort.employees == 5
    assert found.judgement is Judgement.SAME, "that others are below the edge is no difference"


def test_boards_that_were_never_made_are_compared_too() -> None:
    found = compare(CONTROL, 5, MemoryComparedSides(World().sides()), SERVING, CLOCK)
    assert found.judgement is Judgement.SAME
    assert found.legacy.age_s == 60.0


def test_counts_are_of_all_and_the_list_is_of_the_worst() -> None:
    world = World()
    for number in range(60):
        world.count(world.add(f"e-{number:02}", "v", 1000 - 7 * number))
    world.fold(world.seen[-1], -1)
    found = compared(world)
    assert sum(found.counts.values()) > LISTED == len(found.differences)
    judgements = [one.judgement for one in found.differences]
    assert judgements[0] is Judgement.TO_REPAIR
    assert judgements == sorted(judgements, key=list(Judgement).index, reverse=True)


def test_a_record_comes_back_as_it_was() -> None:
    world = World()
    world.count(people(world, "ada", "<b>&é", "x" * 128)[0])
    found = compared(world)
    assert comparison_of(comparison_fields(found)) == found


def test_what_the_reverse_mirror_wrote_came_when_the_fact_did() -> None:
    world = World()
    people(world, "ada", "grace")
    sides = world.sides()
    world.add("grace", "mirrored", 50, at=ago(seconds=30))
    later = world.sides()
    later.of_legacy = sides.of_legacy
    del later.received_at[Identity("grace", "mirrored")]
    assert compare(CONTROL, 100, MemoryComparedSides(later), SERVING, CLOCK).judgement is Judgement.EXPLAINED


@pytest.mark.parametrize("stage", Stage)
def test_it_acts_while_both_sides_are_compared_and_says_why_not_elsewhere(stage: Stage) -> None:
    refused = not_in(stage)
    assert (refused is None) is (stage in ACTS_IN)
    assert refused is None or str(stage) in refused.why
