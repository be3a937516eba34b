"""Reconciling from outside: every difference found, the right one re-driven, and nothing ever overwritten."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from migration.model.backfill import BackfillPhase, Job
from migration.model.cause import Cause
from migration.model.errors import ConflictError, UsageError
from migration.model.facts import Lane, StoredFact
from migration.model.fold import Fold, Row
from migration.model.moments import moment_text
from migration.model.side import Side
from migration.model.stages import Control, Stage
from migration.repair.differing import ReconcileAction, ReconcileOutcome, TimeWindow, too_long
from tests.backfill_world import World, activity

if TYPE_CHECKING:
    from migration.model.fold import Activity
    from migration.repair.reconcile import Findings

GRACE = timedelta(minutes=5)
OLD = "2026-03-01T00:00:00.000Z"
ONE = activity(1)
COPIED = Job(1, 2, 500, OLD, phase=BackfillPhase.SEALED)


@pytest.fixture
def world() -> World:
    world = World()
    world.checkpoints.state = Control(Stage.DUALWRITE)
    world.checkpoints.stored_job = COPIED
    return world


def stored(one: Activity, side: Side, lane: Lane = Lane.LIVE, at: str = OLD) -> StoredFact:
    return StoredFact(one, lane, side, at)


def look(world: World, window: TimeWindow | None = None) -> Findings:
    return world.reconcile().look(window or TimeWindow(), GRACE)


def act(world: World) -> list[ReconcileOutcome]:
    return [done.outcome for done in world.reconcile().act(look(world), 1e6)]


def test_what_is_the_same_needs_nothing(world: World) -> None:
    world.legacy.take(ONE)
    world.facts.put(stored(ONE, Side.LEGACY))
    findings = look(world)
    assert (findings.events, findings.facts, findings.decisions) == (1, 1, [])
    assert act(world) == []


def test_a_missed_mirror_becomes_a_fact_of_the_live_lane_accepted_by_legacy(world: World) -> None:
    world.legacy.take(ONE)
    assert act(world) == [ReconcileOutcome.STORED]
    fact = world.facts.by_identity[ONE.identity]
    assert (fact.activity, fact.lane, fact.side) == (ONE, Lane.LIVE, Side.LEGACY)
    assert fact.ingested_at == moment_text(world.clock.now())
    assert look(world).decisions == []


@pytest.mark.parametrize(
    ("side", "kind"), [(Side.PIPELINE, Cause.NOT_MIRRORED_BACK), (Side.LEGACY, Cause.LEGACY_FAILED)]
)
def test_a_fact_that_legacy_lacks_is_applied_with_its_totals(world: World, side: Side, kind: Cause) -> None:
    world.facts.put(stored(ONE, side))
    [decision] = look(world).decisions
    assert (decision.kind, decision.action) == (kind, ReconcileAction.APPLY_TO_LEGACY)
    assert act(world) == [ReconcileOutcome.APPLIED]
    assert world.legacy.events == {ONE.identity: ONE}
    assert world.legacy.totals == {Row("e-1", "p-1"): Fold(10, 1), Row(None, "p-1"): Fold(10, 1)}
    assert look(world).decisions == []


@pytest.mark.parametrize("side", list(Side))
def test_a_young_fact_may_be_on_its_way_to_legacy(world: World, side: Side) -> None:
    world.facts.put(stored(ONE, side, at=moment_text(world.clock.now() - 299)))
    assert act(world) == [ReconcileOutcome.WAITING]
    assert world.legacy.events == {}
    world.clock.at += 2
    assert act(world) == [ReconcileOutcome.APPLIED]


def test_history_that_legacy_dropped_is_left_alone(world: World) -> None:
    world.facts.put(stored(ONE, Side.LEGACY, Lane.HISTORY))
    [decision] = look(world).decisions
    assert (decision.kind, decision.action) == (Cause.GONE_FROM_LEGACY, ReconcileAction.LEAVE)


def test_another_content_is_named_and_left_alone(world: World) -> None:
    world.legacy.take(ONE)
    other = replace(ONE, points=99, program_id="p-2")
    world.facts.put(stored(other, Side.PIPELINE))
    [decision] = look(world).decisions
    assert decision.kind is Cause.ALTERED
    assert decision.why == (
        "e-1 ev-1: program_id 'p-1' in legacy, 'p-2' in facts; points 10 in legacy, 99 in facts; "
        "cutover repair says which of them has authority, and settles it"
    )
    assert act(world) == [ReconcileOutcome.LEFT]
    assert world.legacy.events[ONE.identity].points == 10
    assert world.facts.by_identity[ONE.identity].activity == other


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"points": 1_000_000}, "a backfill would take it"), ({"program_id": "#x"}, "no fact")],
)
def test_what_the_live_lane_could_not_fold_is_left_alone(
    world: World, changes: dict[str, str | int], why: str
) -> None:
    world.legacy.take(replace(ONE, **changes))  # type: ignore[arg-type] # one field of its type
    [decision] = look(world).decisions
    assert decision.action is ReconcileAction.LEAVE
    assert why in decision.why


@pytest.mark.parametrize(
    ("stage", "event", "fact"),
    [
        (Stage.OFF, ReconcileAction.LEAVE, ReconcileAction.APPLY_TO_LEGACY),
        (Stage.DUALWRITE, ReconcileAction.PUT_FACT, ReconcileAction.APPLY_TO_LEGACY),
        (Stage.SHADOW, ReconcileAction.PUT_FACT, ReconcileAction.APPLY_TO_LEGACY),
        (Stage.LIVE, ReconcileAction.PUT_FACT, ReconcileAction.APPLY_TO_LEGACY),
        (Stage.RAMPDOWN, ReconcileAction.PUT_FACT, ReconcileAction.APPLY_TO_LEGACY),
        (Stage.COMPLETE, ReconcileAction.PUT_FACT, ReconcileAction.LEAVE),
    ],
)
def test_each_direction_is_re_driven_in_the_stages_that_mirror_it(
    world: World, stage: Stage, event: ReconcileAction, fact: ReconcileAction
) -> None:
    world.checkpoints.state = Control(stage)
    world.legacy.take(ONE)
    world.facts.put(stored(activity(2), Side.PIPELINE))
    actions = {one.pair.activity.event_id: one.action for one in look(world).decisions}
    assert actions == {"ev-1": event, "ev-2": fact}


def test_what_changed_between_looking_and_acting_is_said(world: World) -> None:
    two, three = activity(2), activity(3)
    for one in (ONE, two):
        world.legacy.take(one)
    world.facts.put(stored(three, Side.PIPELINE))
    reconcile = world.reconcile()
    findings = reconcile.look(TimeWindow(), GRACE)
    world.put(ONE, Lane.HISTORY, Side.LEGACY)
    world.put(replace(two, points=99), Lane.LIVE, Side.PIPELINE)
    world.legacy.take(three)
    outcomes = {done.decision.pair.activity: done.outcome for done in reconcile.act(findings, 1e6)}
    assert outcomes == {
        ONE: ReconcileOutcome.STORED_BEFORE,
        two: ReconcileOutcome.CONFLICT,
        three: ReconcileOutcome.APPLIED_BEFORE,
    }
    assert world.legacy.totals[Row(None, "p-1")].events == 3


def test_another_stage_since_the_look_stops_everything(world: World) -> None:
    world.legacy.take(ONE)
    reconcile = world.reconcile()
    findings = reconcile.look(TimeWindow(), GRACE)
    world.checkpoints.state = Control(Stage.SHADOW)
    with pytest.raises(ConflictError, match="moved from dualwrite to shadow"):
        list(reconcile.act(findings, 1e6))
    assert world.facts.by_identity == {}


def test_a_window_leaves_out_what_occurred_elsewhere(world: World) -> None:
    for number in range(5):
        world.legacy.take(activity(number))
    findings = look(world, TimeWindow("2026-03-01T09:00:01.000Z", "2026-03-01T09:00:03.000Z"))
    assert {one.pair.activity.event_id for one in findings.decisions} == {"ev-1", "ev-2"}


@pytest.mark.parametrize("job", [None, replace(COPIED, phase=BackfillPhase.COPYING)])
def test_history_that_is_not_copied_yet_is_not_put_in_the_live_lane(world: World, job: Job | None) -> None:
    world.checkpoints.stored_job = job
    world.legacy.take(ONE)
    with pytest.raises(UsageError, match="not copied yet"):
        look(world)
    assert len(look(world, TimeWindow(since="2026")).decisions) == 1


def test_items_that_do_not_fit_the_plan_are_reported(world: World) -> None:
    world.legacy.misfits.append("an item without points: e-9 ev-9")
    assert look(world).misfits == ["an item without points: e-9 ev-9"]


def test_more_facts_than_the_live_lane_bears_are_refused(world: World) -> None:
    assert too_long(100_000, 10) is None
    assert "1,000,000 facts at 10 a second take 28 hours" in str(too_long(1_000_000, 10))
    for number in range(3):
        world.legacy.take(activity(number))
    reconcile = world.reconcile()
    with pytest.raises(UsageError, match="a stream keeps"):
        list(reconcile.act(reconcile.look(TimeWindow(), GRACE), 3 / 50_000))
    assert world.facts.by_identity == {}
