"""What legacy may hold and a fact cannot is named before anything is put, and what fits goes all the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.aws.bulk.history_bulk import compared_in_bulk, folded_in_bulk
from migration.aws.bulk.side_store import DuckDBStore
from migration.aws.tables.both_sides import StackSides
from migration.backfill.history import fold_history
from migration.compare.diff.row_reasons import _waiting
from migration.compare.miscounts import Pool, name_miscount
from migration.compare.verify.verification import LegacyReading
from migration.compare.verify.verify import Verification
from migration.door.mirror import ForwardMirror, Mirrored
from migration.model.backfill import BackfillPhase, Wish
from migration.model.cause import Cause
from migration.model.errors import IntegrityError
from migration.model.facts import Lane, StoredFact
from migration.model.fold import Activity, Fold, Row
from migration.model.legacy.layout import LegacyEmployeeProgress, LegacyEvents
from migration.model.legacy.mapping import UnmappableError, activity_mapper, row_mapper
from migration.model.misfit import PARTITION_KEY_BYTES, SORT_KEY_BYTES, misfit
from migration.model.side import Side
from migration.model.stages import Control, Stage
from migration.repair.differing import ReconcileAction, TimeWindow, compare
from migration.repair.remedies import Ground, Known, decide
from migration.repair.words import REPAIR, Compensation, RepairAction
from pipeline.domain.activity import Activity as Incoming
from pipeline.domain.activity import parse_activity
from pipeline.domain.fold import identity
from pipeline.domain.ranking import board_of, board_shard, score_fraction
from tests.backfill_world import World, activity
from tests.doubles.both_sides import MemorySides
from tests.doubles.clock import MemoryClock
from tests.verify_world import OLD, MemoryWorld, System

if TYPE_CHECKING:
    from pathlib import Path

ONE = activity(1)
E_ACUTE, EMOJI = "é", "\U0001f600"  # two bytes, and four
MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "2^63": ({"points": 2**63}, "points"),
    "-2^63": ({"points": -(2**63)}, "points"),
    "30 digits": ({"points": 10**30}, "points"),
    "empty employee": ({"employee_id": ""}, "employee_id"),
    "empty event": ({"event_id": ""}, "event_id"),
    "empty program": ({"program_id": ""}, "program_id"),
    "reserved": ({"program_id": "#total"}, "program_id"),
    "line break": ({"employee_id": "a\nb"}, "employee_id"),
    "long employee": ({"employee_id": "x" * 2_049}, "employee_id"),
    "long employee in bytes": ({"employee_id": E_ACUTE * 1_025}, "employee_id"),
    "long event": ({"event_id": "x" * 1_025}, "event_id"),
    "long event in bytes": ({"event_id": EMOJI * 257}, "event_id"),
    "long program": ({"program_id": "x" * 1_025}, "program_id"),
    "long program in bytes": ({"program_id": E_ACUTE * 513}, "program_id"),
    "long claim": ({"employee_id": "x" * 1_100, "event_id": "y" * 1_000}, "employee_id and event_id"),
    "long claim of a repair": ({"employee_id": "x" * 1_100, "program_id": "y" * 1_000}, "and program_id"),
    "half a pair in an employee": ({"employee_id": "\ud83d"}, "employee_id"),
    "half a pair in an event": ({"event_id": "\ude00"}, "event_id"),
    "half a pair in a program": ({"program_id": "a\ud800"}, "program_id"),
    "half a pair in a type": ({"activity_type": "\ud800"}, "activity_type"),
}
FITS: dict[str, dict[str, Any]] = {
    "the greatest number": {"points": 2**63 - 1},
    "the least": {"points": -(2**63) + 1},
    "nothing": {"points": 0},
    "long event": {"event_id": "x" * 1_024},
    "long event in bytes": {"event_id": EMOJI * 256},
    "long program in bytes": {"program_id": E_ACUTE * 512},
    "long employee": {"employee_id": "x" * 2_000},
    "any other character": {"event_id": "a\r\t\x85\x00\u2028'\"\\"},
    "a whole pair": {"event_id": "\U0001f600"},
}


@pytest.fixture(params=list(MISFITS.values()), ids=list(MISFITS))
def case(request: pytest.FixtureRequest) -> tuple[Activity, str]:
    changes, named = request.param
    return replace(ONE, **changes), named


def test_an_event_that_can_be_no_fact_is_named(case: tuple[Activity, str]) -> None:
    event, named = case
    problem = misfit(event)
    assert problem is not None
    assert named in problem
    assert len(problem) < 400, "a person reads it"
    problem.encode()


@pytest.mark.parametrize("changes", FITS.values(), ids=list(FITS))
def test_what_fits_is_within_every_key_and_number(changes: dict[str, Any]) -> None:
    one = replace(ONE, **changes)
    assert misfit(one) is None
    employee, event, program = (text.encode() for text in (one.employee_id, one.event_id, one.program_id))
    assert 0 < len(employee) <= PARTITION_KEY_BYTES
    assert 0 < max(len(event), len(program)) <= SORT_KEY_BYTES
    keys = [
        identity(one.employee_id, one.event_id),
        board_shard(board_of(one.program_id), 99),
        *(Compensation(Row(of, one.program_id), 10**9, Fold()).identity for of in (one.employee_id, None)),
    ]
    assert max(len(key.encode()) for key in keys) <= PARTITION_KEY_BYTES
    assert keys[2].startswith(REPAIR)
    digits = f"{10**6 * one.points + score_fraction(one.employee_id):f}".replace(".", "").strip("-0")
    assert len(digits) <= 38, "a million of them in one row"


def test_a_backfill_names_it_and_puts_nothing_of_it(case: tuple[Activity, str]) -> None:
    event, named = case
    world = World()
    world.legacy.take(ONE)
    world.legacy.events[event.identity] = event
    with pytest.raises(IntegrityError, match="do not fit the plan") as raised:
        world.backfill().start(Wish(1))
    assert named in str(raised.value)
    assert {fact.activity for fact in world.facts.by_identity.values()} <= {ONE}
    job = world.backfill().start(Wish(1, skip_unmappable=True))
    assert job.phase is BackfillPhase.INSTALLED
    assert event not in {fact.activity for fact in world.facts.by_identity.values()}


def test_a_reconcile_leaves_it_and_says_why(case: tuple[Activity, str]) -> None:
    event, named = case
    world = World()
    world.checkpoints.state = Control(Stage.DUALWRITE)
    world.legacy.events[event.identity] = event
    reconcile = world.reconcile()
    findings = reconcile.look(TimeWindow("2026"), timedelta(minutes=1))
    [decision] = findings.decisions
    assert decision.action is ReconcileAction.LEAVE
    assert named in decision.why
    list(reconcile.act(findings, 1e6))
    assert world.facts.by_identity == {}


@pytest.mark.parametrize("kind", ["2^63", "30 digits", "empty event", "long event", "long program in bytes"])
def test_a_repair_does_not_put_it_back(kind: str, tmp_path: Path) -> None:
    """Its fact was put by an earlier version, and is gone."""
    changes, named = MISFITS[kind]
    event = replace(ONE, **changes)
    system = System(MemoryWorld())
    system.accept(event)
    system.world.delete_fact(event.identity)
    store = DuckDBStore(tmp_path)
    report = Verification(system.world.source(), store, MemoryClock()).run()
    store.close(keep=False)
    known = {event.identity: Known(None, event)}
    ground = Ground(Stage.DUALWRITE, True, True, OLD, OLD, OLD)  # noqa: FBT003
    remedies = decide(report.differences, known, ground)
    assert {one.action for one in remedies} == {RepairAction.LEAVE}
    assert any(named in one.why for one in remedies)


NUMBERS = [2**63, -(2**63), 2**64 + 1, 10**25 + 7, -(10**25) - 7]


@pytest.mark.parametrize("points", NUMBERS)
def test_a_proof_names_an_event_that_can_be_no_fact(points: int, tmp_path: Path) -> None:
    system = System(MemoryWorld())
    system.accept(activity(2, "e-2", "p-2"))
    event = replace(ONE, points=points)
    system.legacy_accepts(event)
    store = DuckDBStore(tmp_path)
    report = Verification(system.world.source(), store, MemoryClock()).run()
    store.close(keep=False)
    [difference] = report.differences
    assert (difference.kind, difference.event_id) == (Cause.MIRROR_MISSED, "ev-1")
    assert f"it can be no fact: 'e-1' 'ev-1': points {points:,} are beyond 64 bits" in difference.detail


@pytest.mark.parametrize("points", [*NUMBERS, 2**63 - 1])
def test_the_comparison_in_bulk_keeps_every_digit(points: int) -> None:
    events = [replace(ONE, points=points), activity(2)]
    facts = [StoredFact(replace(ONE, points=points - 1), Lane.HISTORY, Side.LEGACY, OLD)]
    with compared_in_bulk(iter(events), iter(facts)) as pairs:
        assert list(pairs) == list(compare(events, facts))


wide = st.integers(-(2**63) + 1, 2**63 - 1) | st.sampled_from([2**63 - 1, -(2**63) + 1, 0, -1])


@settings(max_examples=10, deadline=None)
@given(st.lists(wide, min_size=1, max_size=30))
def test_sums_beyond_64_bits_are_exact(numbers: list[int]) -> None:
    facts = [replace(activity(number), points=points) for number, points in enumerate(numbers)]
    bases = [(Row("nobody", "p"), Fold(-(2**64), 1, 7))]
    due = fold_history(facts, bases)
    with folded_in_bulk(iter(facts), iter(bases)) as folded:
        assert folded.history == due.history
        assert set(folded.changes) == set(due.changes)


@pytest.mark.parametrize("points", NUMBERS)
def test_what_an_earlier_version_put_is_folded_all_the_same(points: int) -> None:
    facts = [replace(ONE, points=points), activity(2)]
    due = fold_history(facts, [])
    with folded_in_bulk(iter(facts), iter([])) as folded:
        assert (folded.history, set(folded.changes)) == (due.history, set(due.changes))


def test_a_proof_of_rows_beyond_64_bits_passes_and_sees_one_point(tmp_path: Path) -> None:
    sides = MemorySides()
    system = System(MemoryWorld(sides))
    for number in range(5):
        one = replace(activity(number, "e-1", "p-1"), points=2**63 - 1 - number)
        system.accept(one, Lane.HISTORY)
    negative = replace(activity(9, "e-1", "p-2"), points=-5)
    system.accept(negative, Lane.HISTORY)
    assert sides.rows[Row("e-1", "p-1")].base.points > 2**65

    def report() -> list[Cause]:
        store = DuckDBStore(tmp_path)
        found = Verification(system.world.source(), store, MemoryClock()).run()
        store.close(keep=False)
        return [one.kind for one in found.differences]

    assert report() == []
    system.add(Row("e-1", "p-1"), Fold(points=1), Lane.HISTORY)
    assert report() != []


def item(**changes: Any) -> dict[str, Any]:
    texts = {name: {"S": getattr(ONE, name)} for name in ("employee_id", "event_id", "program_id")}
    times = {"activity_type": {"S": "t"}, "occurred_at": {"S": ONE.occurred_at}}
    return {**texts, **times, "points": {"N": "5"}, **changes}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"points": {"N": "1E+26"}}, "points"),
        ({"points": {"N": "-1E+125"}}, "points"),
        ({"points": {"N": "9" * 38}}, "points"),
        ({"points": {"S": "9" * 5_000}}, "points"),
        ({"employee_id": {"S": ""}}, "employee_id is empty"),
        ({"employee_id": {"S": "\ud800"}}, "employee_id"),
        ({"event_id": {"S": "\udfff"}}, "event_id"),
        ({"program_id": {"S": "a\ud83d"}}, "program_id"),
        ({"activity_type": {"S": "\ud83d"}}, "activity_type"),
    ],
)
def test_what_no_database_could_hold_does_not_fit_the_plan(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(UnmappableError, match=named) as raised:
        activity_mapper(LegacyEvents())(item(**changes))
    str(raised.value).encode()


def test_a_row_of_nobody_or_of_more_than_can_be_summed_up_does_not_fit_the_plan() -> None:
    read = row_mapper(LegacyEmployeeProgress())
    assert read(item(points={"N": "9" * 26}))[1].points == 10**26 - 1
    for changes in ({"employee_id": {"S": ""}}, {"points": {"N": "1E+26"}}):
        with pytest.raises(UnmappableError):
            read(item(**changes))


@given(
    st.fixed_dictionaries(
        {
            **{name: st.text(min_size=1, max_size=128) for name in ("event_id", "employee_id", "program_id")},
            "points": st.integers(-1, 10_001) | st.sampled_from([2**63, 10**40]),
        }
    )
)
def test_what_a_door_takes_always_fits(fields: dict[str, Any]) -> None:
    known = {"activity_type": "task_completed", "occurred_at": "2026-03-01T09:30:00Z"}
    parsed = parse_activity({**fields, **known}, datetime(2026, 4, 1, tzinfo=UTC))
    if isinstance(parsed, Incoming):
        assert misfit(Activity(**{name: getattr(parsed, name) for name in COLUMNS})) is None


COLUMNS = ("employee_id", "event_id", "program_id", "activity_type", "points", "occurred_at")


class Refusing:
    """A wire that can send only what is a text."""

    def send(self, _operation: str, parameters: dict[str, Any]) -> None:
        str(parameters["Item"]).encode()
        parameters["Item"]["employee_id"]["S"].encode()

    def collect(self, _within_s: float) -> Any:
        raise ValueError("nothing was sent")


def test_a_misfit_is_a_missed_mirror_and_no_exception() -> None:
    wire: Any = Refusing()
    mirror = ForwardMirror("facts", wire)
    mirror.begin(Incoming("ev-1", "\ud83d", "p-1", "task_completed", 5, ONE.occurred_at), OLD)
    assert mirror.finish() is Mirrored.MISSED


class Raw:
    """DynamoDB as far as it is asked by key: a key that is too long, or nothing, it refuses."""

    def call(self, _operation: str, request: Any) -> bytes:
        raise AssertionError(f"asked for {request}")


@pytest.mark.parametrize("name", ["x" * 2_049, E_ACUTE * 1_025, ""])
def test_an_employee_whom_no_table_can_hold_is_not_asked_for(name: str) -> None:
    unused: Any = None
    raw: Any = Raw()
    legacy: Any = type("Legacy", (), {"readings": lambda *_: lambda _name: LegacyReading({}, [ONE])})()
    pipeline: Any = type("Pipeline", (), {"outputs": unused})()
    [reading] = StackSides(raw, pipeline, legacy, unused, 1).employees([name])
    assert (reading.rows, list(reading.facts)) == ({}, [])
    assert reading.legacy == LegacyReading({}, [ONE])


@pytest.mark.parametrize("points", [-7, 0, 7])
def test_a_missed_event_is_all_that_a_proof_names_whatever_its_points(points: int, tmp_path: Path) -> None:
    system = System(MemoryWorld())
    for number, some in enumerate((-3, 0, 4)):
        system.accept(replace(activity(10 + number), points=some), Lane.HISTORY)
    system.legacy_accepts(replace(ONE, points=points))
    store = DuckDBStore(tmp_path)
    report = Verification(system.world.source(), store, MemoryClock()).run()
    store.close(keep=False)
    assert [(one.kind, one.event_id) for one in report.differences] == [(Cause.MIRROR_MISSED, "ev-1")]


@pytest.mark.parametrize(
    ("difference", "again", "missed"),
    [(Fold(-50, 5), 5, 0), (Fold(50, -5), 0, 5), (Fold(0, 5), 5, 0), (Fold(50, 5), 5, 0)],
)
def test_many_miscounts_are_held_against_points_of_either_sign(
    difference: Fold, again: int, missed: int
) -> None:
    pool = Pool.of((f"v{number}", points) for number, points in enumerate([-10, 0, 10] * 3))
    found = name_miscount(difference, pool)
    assert found is not None
    assert (found.again, found.missed) == (again, missed)
    assert name_miscount(Fold(51, 5), pool) is None
    assert name_miscount(Fold(-51, 5), pool) is None


@pytest.mark.parametrize("points", [(-5, -2), (0, 0), (5, -5), (5, 2)])
def test_what_is_on_its_way_is_named_whatever_its_points(points: tuple[int, int]) -> None:
    coming = {f"ev-{number}": Fold(one, 1, number + 1) for number, one in enumerate(points)}
    reason = _waiting(Side.PIPELINE, Fold(-sum(points), -2, -3), coming)
    assert reason is not None
    assert (reason.cause, set(reason.events)) == (Cause.IN_FLIGHT, set(coming))
    assert _waiting(Side.PIPELINE, Fold(-sum(points) - 20, -2, -3), coming) is None
