"""Every single-event fault is found, with the event's id and the right class: in memory, on real tables."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from migration.aws.bulk.side_store import DuckDBStore
from migration.compare.verify.verify import Verification
from migration.model.cause import Cause
from migration.model.facts import Lane
from migration.model.fold import TOTAL, Activity, Fold, Row, fold_of, rows_of
from migration.model.side import Side
from tests.doubles.both_sides import MemorySides
from tests.doubles.clock import MemoryClock
from tests.dynamodb_http import HttpDynamoDB, dynamodb_over_http
from tests.verify_world import NEW, MemoryWorld, System, World, activities, activity, real_world

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from migration.compare.verify.verification import Difference, EmployeeReading, VerifyReport

CLOCK = MemoryClock()
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[HttpDynamoDB]:
    with dynamodb_over_http() as dynamodb:
        yield dynamodb


@pytest.fixture(params=["memory", pytest.param("tables", marks=pytest.mark.slow)])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return MemoryWorld()
    server: HttpDynamoDB = request.getfixturevalue("server")
    return real_world(server.client, server.raw(CLOCK), CLOCK, f"faults{next(numbers)}")


@pytest.fixture
def system(world: World) -> System:
    """A healthy system with 24 activities on both sides, a third of them history."""
    system = System(world)
    for number, one in enumerate(activities()):
        system.accept(one, Lane.HISTORY if number % 3 == 0 else Lane.LIVE)
    return system


LIVE, HISTORIC = activities()[7], activities()[6]  # of employee 3 in program 1, of employee 2 in program 0


def verify(system: System, folder: Path, most_suspects: int = 100) -> VerifyReport:
    store = DuckDBStore(folder)
    try:
        source, clock = system.world.source(), MemoryClock()
        return Verification(source, store, clock, most_suspects=most_suspects).run()
    finally:
        store.close(keep=False)


def only(report: VerifyReport) -> Difference:
    assert len(report.differences) == 1, report.differences
    assert not report.undecided
    return report.differences[0]


def assert_found(report: VerifyReport, kind: Cause, one: Activity) -> Difference:
    """The only difference is this event's, and it decides the verdict as its class says."""
    found = only(report)
    assert (found.kind, found.employee_id, found.event_id) == (kind, one.employee_id, one.event_id), found
    assert report.clean == (not kind.fails)
    return found


def rows(one: Activity) -> set[str]:
    return set(map(str, rows_of(one)))


def test_a_healthy_system_is_clean(system: System, tmp_path: Path) -> None:
    report = verify(system, tmp_path)
    assert report.clean
    assert not report.differences
    assert report.passes == 1
    sums = {one.name: one for one in report.sums}
    assert set(sums) == {"live", "history", "legacy", "programs"}
    assert all(one.stored == one.folded for one in report.sums)
    assert (sums["live"].stored.events, sums["history"].stored.events) == (16, 8)
    assert sums["programs"].stored.events == sums["legacy"].stored.events == 24
    assert {one.name: (one.compared, one.looked_at_again) for one in report.keys} == {
        "employee in program": (12, 0),
        "employee": (4, 0),
        "program": (3, 0),
        "legacy's employee in program": (12, 0),
        "activity on both sides": (24, 0),
    }


def test_an_empty_system_is_clean(world: World, tmp_path: Path) -> None:
    report = verify(System(world), tmp_path)
    assert report.clean
    assert not report.keys


def test_a_fact_that_was_not_folded_is_lost(system: System, tmp_path: Path) -> None:
    system.fold(LIVE, times=-1)
    found = assert_found(verify(system, tmp_path), Cause.LOST, LIVE)
    assert set(found.rows) == rows(LIVE)


@pytest.mark.parametrize("again", [1, 2])
def test_a_fact_that_was_folded_again_is_doubled(system: System, tmp_path: Path, again: int) -> None:
    system.fold(LIVE, times=again)
    found = assert_found(verify(system, tmp_path), Cause.DOUBLED, LIVE)
    assert set(found.rows) == rows(LIVE)


def test_a_fact_altered_after_it_was_folded_is_altered(system: System, tmp_path: Path) -> None:
    system.alter(LIVE, points=LIVE.points + 3)
    found = assert_found(verify(system, tmp_path), Cause.ALTERED, LIVE)
    assert f"points is {LIVE.points} in legacy and {LIVE.points + 3} in the fact" in found.detail
    assert set(found.rows) == rows(LIVE)


def test_points_altered_in_the_aggregates_are_altered(system: System, tmp_path: Path) -> None:
    one = activity(100, employee=9, program=9)
    system.accept(one)
    for row in rows_of(one):
        system.add(row, Fold(points=4))
    found = assert_found(verify(system, tmp_path), Cause.ALTERED, one)
    assert "+4 points" in found.detail
    assert set(found.rows) == rows(one)


@pytest.mark.parametrize(
    "wrong",
    [
        (Row("emp-3", "prog-2"), Row(None, "prog-2"), Row("emp-3", TOTAL)),
        (Row("emp-1", "prog-1"), Row("emp-1", TOTAL), Row(None, "prog-1")),
        (Row("nobody", "prog-1"), Row("nobody", TOTAL), Row(None, "prog-1")),
    ],
    ids=["another program", "another employee", "an employee without facts"],
)
def test_a_fact_folded_under_a_wrong_key_is_misplaced(
    system: System, tmp_path: Path, wrong: tuple[Row, ...]
) -> None:
    system.fold(LIVE, times=-1)
    for row in wrong:
        system.add(row, fold_of(LIVE))
    found = assert_found(verify(system, tmp_path), Cause.MISPLACED, LIVE)
    assert str(wrong[0]) in found.detail


def test_a_fact_also_folded_for_somebody_else_is_named_although_its_own_rows_are_right(
    system: System, tmp_path: Path
) -> None:
    system.add(Row("emp-0", "prog-0"), fold_of(LIVE))
    system.add(Row("emp-0", TOTAL), fold_of(LIVE))
    assert "emp-0" in assert_found(verify(system, tmp_path), Cause.DOUBLED, LIVE).detail


def test_an_event_of_legacys_without_a_fact_was_missed_by_the_mirror(system: System, tmp_path: Path) -> None:
    one = activity(100)
    system.legacy_accepts(one)
    assert "no fact" in assert_found(verify(system, tmp_path), Cause.MIRROR_MISSED, one).detail


def test_a_fact_deleted_after_it_was_folded_is_lost(system: System, tmp_path: Path) -> None:
    system.world.delete_fact(LIVE.identity)
    found = assert_found(verify(system, tmp_path), Cause.LOST, LIVE)
    assert "its fact is gone" in found.detail
    assert set(found.rows) == rows(LIVE)


@pytest.mark.parametrize("folded", [True, False])
def test_a_fact_of_legacys_that_legacy_does_not_have_failed_there_after_its_mirror(
    system: System, tmp_path: Path, *, folded: bool
) -> None:
    one = activity(100)
    system.store(one)
    if folded:
        system.fold(one)
    assert_found(verify(system, tmp_path), Cause.LEGACY_FAILED, one)


def test_a_fact_of_history_that_legacy_does_not_have_is_gone_from_there(
    system: System, tmp_path: Path
) -> None:
    one = activity(100)
    system.store(one, Lane.HISTORY)
    system.fold(one, Lane.HISTORY)
    assert_found(verify(system, tmp_path), Cause.GONE_FROM_LEGACY, one)


def test_a_fact_of_the_pipelines_that_legacy_does_not_have_was_missed_by_the_reverse_mirror(
    system: System, tmp_path: Path
) -> None:
    one = activity(100)
    system.store(one, side=Side.PIPELINE)
    system.fold(one)
    found = assert_found(verify(system, tmp_path), Cause.NOT_MIRRORED_BACK, one)
    assert "reverse" in found.detail


def test_an_event_that_legacy_counted_again_is_its_own_double_count(system: System, tmp_path: Path) -> None:
    system.legacy_counts(LIVE)
    assert_found(verify(system, tmp_path), Cause.LEGACY_DOUBLE_COUNT, LIVE)


def test_an_event_that_legacy_did_not_count_is_a_partial_update(system: System, tmp_path: Path) -> None:
    system.world.add_legacy(Row(LIVE.employee_id, LIVE.program_id), Fold(LIVE.points, 1) * -1)
    found = assert_found(verify(system, tmp_path), Cause.LEGACY_PARTIAL_UPDATE, LIVE)
    assert found.rows == ("legacy emp-3 x prog-1",)


def test_whom_legacy_only_counted_twice_is_told_and_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []
    employees = MemorySides.employees

    def counted(source: MemorySides, names: Sequence[str]) -> Iterator[EmployeeReading]:
        asked.append(set(names))
        return employees(source, names)

    monkeypatch.setattr(MemorySides, "employees", counted)
    system = System(MemoryWorld())
    for one in activities():
        system.accept(one)
    system.legacy_counts(LIVE)
    system.world.add_legacy(Row(HISTORIC.employee_id, HISTORIC.program_id), Fold(HISTORIC.points, 1) * -1)
    kinds = {one.kind: one.employee_id for one in verify(system, tmp_path).differences}
    assert kinds[Cause.LEGACY_DOUBLE_COUNT] == LIVE.employee_id
    assert kinds[Cause.LEGACY_PARTIAL_UPDATE] == HISTORIC.employee_id
    assert asked == [{LIVE.employee_id, HISTORIC.employee_id}, {HISTORIC.employee_id}]


def test_an_event_that_only_the_program_counted_again_is_named(system: System, tmp_path: Path) -> None:
    system.world.add_legacy(Row(None, LIVE.program_id), Fold(LIVE.points, 1))
    report = verify(system, tmp_path)
    found = only(report)
    assert (found.kind, found.event_id) == (Cause.LEGACY_DOUBLE_COUNT, f"{LIVE.employee_id} {LIVE.event_id}")
    assert report.clean


def test_events_alike_are_listed_when_legacys_totals_cannot_tell_them_apart(
    system: System, tmp_path: Path
) -> None:
    alike = [activity(number, employee=9, program=9, points=8) for number in (100, 101)]
    for one in alike:
        system.accept(one)
    system.legacy_counts(alike[0])
    found = only(verify(system, tmp_path))
    assert (found.kind, found.event_id) == (Cause.LEGACY_DOUBLE_COUNT, None)
    assert set(found.candidates) == {"ev-100", "ev-101"}


def test_a_total_of_legacys_that_no_events_make_up_is_unexplained(system: System, tmp_path: Path) -> None:
    system.world.add_legacy(Row("emp-0", "prog-0"), Fold(1_000_003, 1))
    report = verify(system, tmp_path)
    assert Cause.UNEXPLAINED in report.counts
    assert not report.clean


def test_copied_history_that_is_not_installed_says_so_for_each_employee(
    system: System, tmp_path: Path
) -> None:
    copied = [activity(number, employee=8, program=8) for number in (100, 101)]
    for one in copied:
        system.legacy_accepts(one)
        system.store(one, Lane.HISTORY)
    report = verify(system, tmp_path)
    found = only(report)
    assert (found.kind, found.employee_id) == (Cause.HISTORY_NOT_INSTALLED, "emp-8")
    assert set(found.candidates) == {"ev-100", "ev-101"}
    assert not report.clean


def test_one_event_missing_from_installed_history_is_named(system: System, tmp_path: Path) -> None:
    system.fold(HISTORIC, Lane.HISTORY, times=-1)
    found = assert_found(verify(system, tmp_path), Cause.HISTORY_NOT_INSTALLED, HISTORIC)
    assert set(found.rows) == rows(HISTORIC)


def test_history_that_the_live_lane_folded_as_well_is_doubled(system: System, tmp_path: Path) -> None:
    system.fold(HISTORIC)
    found = assert_found(verify(system, tmp_path), Cause.DOUBLED, HISTORIC)
    assert "other lane" in found.detail


def test_a_live_fact_in_the_installed_history_is_doubled(system: System, tmp_path: Path) -> None:
    system.fold(LIVE, Lane.HISTORY)
    assert "other lane" in assert_found(verify(system, tmp_path), Cause.DOUBLED, LIVE).detail


def test_a_program_row_alone_can_lack_an_event(system: System, tmp_path: Path) -> None:
    system.add(Row(None, LIVE.program_id), fold_of(LIVE) * -1)
    found = assert_found(verify(system, tmp_path), Cause.LOST, LIVE)
    assert found.rows == (LIVE.program_id,)


def test_a_row_that_is_gone_loses_every_event_in_it_by_name(system: System, tmp_path: Path) -> None:
    gone = Row("emp-3", "prog-1")
    live = [
        one
        for number, one in enumerate(activities())
        if number % 3 and (one.employee_id, one.program_id) == gone
    ]
    system.world.delete_row(gone)
    report = verify(system, tmp_path)
    assert {one.event_id for one in report.differences if one.kind is Cause.LOST} == {
        one.event_id for one in live
    }


def test_a_row_of_nobody_is_unexplained_with_its_numbers(system: System, tmp_path: Path) -> None:
    system.add(Row("ghost", "prog-1"), Fold(3, 1, 12345))
    report = verify(system, tmp_path)
    found = only(report)
    assert (found.kind, found.employee_id) == (Cause.UNEXPLAINED, "ghost")
    assert "12345" in found.detail
    assert not report.clean


def test_what_came_after_the_as_of_time_is_in_flight(system: System, tmp_path: Path) -> None:
    one = activity(100)
    system.legacy_accepts(one)
    system.store(one, at=NEW)
    report = verify(system, tmp_path)
    assert report.clean
    assert set(report.counts) <= {Cause.IN_FLIGHT}


def test_a_young_fact_is_waited_for_and_then_lost(system: System, tmp_path: Path) -> None:
    one = activity(100)
    system.legacy_accepts(one)
    system.store(one, at="2026-03-01T09:29:55.000Z")
    report = verify(system, tmp_path)
    assert_found(report, Cause.LOST, one)
    assert report.finished_at - report.as_of > 20


def test_an_old_fact_is_in_flight_while_the_queue_holds_messages(tmp_path: Path) -> None:
    system = System(MemoryWorld(MemorySides(messages=1)))
    one = activity(100)
    system.legacy_accepts(one)
    system.store(one, at="2026-03-01T09:25:00.000Z")
    report = verify(system, tmp_path)
    assert_found(report, Cause.IN_FLIGHT, one)
    assert report.queued == 1


COMING = activity(100)
AT_FAULT = activity(0, points=5)


@pytest.mark.parametrize(
    ("rows", "off", "found"),
    [
        (rows_of(AT_FAULT), fold_of(AT_FAULT), (Cause.DOUBLED, AT_FAULT.event_id)),
        ([Row(None, AT_FAULT.program_id)], fold_of(AT_FAULT), (Cause.DOUBLED, AT_FAULT.event_id)),
        ([Row(None, AT_FAULT.program_id)], Fold(4), (Cause.ALTERED, None)),
    ],
    ids=["every row has another twice", "the program has another twice", "the program has other points"],
)
def test_a_fact_is_in_flight_also_where_rows_are_wrong_by_something_else(
    tmp_path: Path, rows: list[Row], off: Fold, found: tuple[Cause, str | None]
) -> None:
    system = System(MemoryWorld(MemorySides(messages=1)))
    system.accept(AT_FAULT)
    system.accept(activity(1, points=6))
    system.legacy_accepts(COMING)
    system.store(COMING, at="2026-03-01T09:25:00.000Z")
    for row in rows:
        system.add(row, off)
    report = verify(system, tmp_path)
    assert {(one.kind, one.event_id) for one in report.differences} == {
        found,
        (Cause.IN_FLIGHT, COMING.event_id),
    }


def test_points_that_are_off_are_told_while_the_program_gets_new_facts(tmp_path: Path) -> None:
    system = System(MemoryWorld(MemorySides()))
    system.accept(AT_FAULT)
    system.accept(activity(1, employee=1, points=6), at=NEW)
    for row in rows_of(AT_FAULT):
        system.add(row, Fold(4))
    report = verify(system, tmp_path)
    found = only(report)
    assert (found.kind, found.event_id, set(found.rows)) == (
        Cause.ALTERED,
        AT_FAULT.event_id,
        set(map(str, rows_of(AT_FAULT))),
    )
    assert not report.undecided
    assert report.finished_at - report.as_of < 20


def test_a_fact_in_a_wrong_row_fails_while_its_own_rows_wait_for_it(tmp_path: Path) -> None:
    system = System(MemoryWorld(MemorySides(messages=1)))
    system.accept(AT_FAULT)
    system.legacy_accepts(COMING)
    system.store(COMING, at="2026-03-01T09:25:00.000Z")
    system.add(Row(AT_FAULT.employee_id, "prog-1"), fold_of(COMING))
    found = only(verify(system, tmp_path))
    assert (found.kind.fails, found.event_id, found.coming) == (True, COMING.event_id, True)


def test_pulses_are_folded_too_but_reported_apart(system: System, tmp_path: Path) -> None:
    pulses = [
        Activity("#pulse", f"2026-03-01T09:0{n}:00.000Z", "#pulse", "pulse", 0, "2026-03-01T09:00:00.000Z")
        for n in range(3)
    ]
    for pulse in pulses:
        system.store(pulse, side=Side.PIPELINE)
        system.fold(pulse)
    assert not verify(system, tmp_path / "right").differences
    system.fold(pulses[1], times=-1)
    report = verify(system, tmp_path / "wrong")
    assert report.clean
    found = only(report)
    assert (found.kind, found.event_id, found.reserved) == (Cause.LOST, pulses[1].event_id, True)
    pulse_sum = next(one for one in report.sums if one.name == "pulses")
    assert (pulse_sum.stored.events, pulse_sum.folded.events) == (3, 2)


def test_more_differing_employees_than_can_be_looked_at_are_counted_and_fail(
    system: System, tmp_path: Path
) -> None:
    for one in activities()[:4]:
        system.legacy_counts(one)
    report = verify(system, tmp_path, most_suspects=3)
    assert report.skipped == 1
    assert not report.clean


def test_two_faults_at_once_are_told_apart(system: System, tmp_path: Path) -> None:
    lost, doubled = activities()[7], activities()[8]
    system.fold(lost, times=-1)
    system.fold(doubled)
    report = verify(system, tmp_path)
    found = {(one.kind, one.event_id) for one in report.differences}
    assert found == {(Cause.LOST, lost.event_id), (Cause.DOUBLED, doubled.event_id)}


def test_other_content_under_one_id_is_altered_field_by_field(system: System, tmp_path: Path) -> None:
    system.world.put_event(replace(LIVE, occurred_at="2026-02-02T00:00:00.000Z"))
    assert "occurred_at" in assert_found(verify(system, tmp_path), Cause.ALTERED, LIVE).detail
