"""Legacy is checked against its own event rows; what was sent more than once names the double counts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from migration.compare.ledger.legacy import check_legacy
from migration.compare.ledger.verdict import Place
from migration.model.acknowledgements import Acknowledged, SideLedger
from migration.model.cause import Cause
from migration.model.fold import TOTAL, Activity, Fold, Row, fold_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.compare.ledger.verdict import LedgerVerdict


def event(number: int, employee: int = 0, program: int = 0, points: int = 10) -> Activity:
    time = "2026-03-01T09:30:00.000Z"
    return Activity(f"emp-{employee}", f"ev-{number}", f"prog-{program}", "task_completed", points, time)


EVENTS = [event(number, number % 4, number % 3, 5 + number) for number in range(24)]


class Legacy:
    """What legacy was sent, stored and counted: every event once, until told otherwise."""

    def __init__(self, events: Sequence[Activity] = EVENTS) -> None:
        self.side = SideLedger(acknowledged={one.identity: [Acknowledged(one, 1, 1)] for one in events})
        self.events = list(events)
        self.rows = {
            row: Fold(fold.points, fold.events)
            for row, fold in fold_all(events).items()
            if row.program_id != TOTAL
        }

    def count(self, one: Activity, times: int, *, program: bool = True, employee: bool = True) -> None:
        rows = [Row(None, one.program_id)] * program + [Row(one.employee_id, one.program_id)] * employee
        for row in rows:
            self.rows[row] += Fold(one.points, 1) * times

    def answered(self, one: Activity, sends: int, tries: int) -> None:
        self.side.acknowledged[one.identity] = [Acknowledged(one, sends, tries)]

    def check(self) -> LedgerVerdict:
        return check_legacy(self.side, self.events, self.rows)


def found(verdict: LedgerVerdict) -> list[tuple[str | None, Cause]]:
    return [(finding.event_id, finding.kind) for finding in verdict.findings]


def test_legacy_that_counted_everything_once_is_clean() -> None:
    verdict = Legacy().check()
    assert verdict.clean
    assert [(level.name, level.rows) for level in verdict.levels] == [
        ("employee in program", 12),
        ("program", 3),
    ]


def test_activities_sent_again_are_double_counts_by_name() -> None:
    legacy = Legacy()
    for one, sends in ((EVENTS[3], 2), (EVENTS[15], 3)):
        legacy.answered(one, sends, sends)
        legacy.count(one, sends - 1)
    verdict = legacy.check()
    assert found(verdict) == [("ev-15", Cause.DOUBLED), ("ev-3", Cause.DOUBLED)] or found(verdict) == [
        ("ev-3", Cause.DOUBLED),
        ("ev-15", Cause.DOUBLED),
    ]
    assert {finding.detail for finding in verdict.findings} == {
        "legacy double count: acknowledged twice, counted twice",
        "legacy double count: acknowledged 3 times, counted 3 times",
    }


def test_a_retry_after_an_attempt_without_an_answer_that_was_counted_is_named() -> None:
    legacy = Legacy()
    legacy.answered(EVENTS[3], 1, 2)
    legacy.count(EVENTS[3], 1)
    assert found(legacy.check()) == [("ev-3", Cause.DOUBLED)]


def test_an_event_stored_by_an_attempt_that_failed_before_counting_is_a_partial_update() -> None:
    legacy = Legacy()
    one = event(99)
    legacy.events.append(one)
    legacy.side.unknown.append(replace(one, event_id=""))
    verdict = legacy.check()
    assert found(verdict) == [("ev-99", Cause.LOST)]
    assert verdict.findings[0].detail.startswith("legacy partial update")


def test_a_partial_update_that_reached_the_program_only_names_the_employees_row() -> None:
    legacy = Legacy()
    one = event(99)
    legacy.events.append(one)
    legacy.side.unknown.append(one)
    legacy.count(one, 1, employee=False)
    verdict = legacy.check()
    assert found(verdict) == [("ev-99", Cause.LOST)]
    assert verdict.findings[0].rows == ("emp-0 x prog-0",)


def test_an_acknowledged_event_that_legacy_does_not_have_is_lost() -> None:
    legacy = Legacy()
    legacy.events.remove(EVENTS[3])
    legacy.count(EVENTS[3], -1)
    verdict = legacy.check()
    assert found(verdict) == [("ev-3", Cause.LOST)]
    assert verdict.findings[0].place is Place.FACTS


def test_what_was_sent_once_and_counted_twice_is_unexplained() -> None:
    legacy = Legacy()
    legacy.count(EVENTS[3], 1)
    assert {finding.kind for finding in legacy.check().findings} == {Cause.UNEXPLAINED}


def test_what_came_again_where_the_pipeline_had_authority_was_not_counted_again() -> None:
    """Then an employee's retries are counted in part, and each that was is still named."""
    events = [event(number, points=2**number) for number in range(8)]
    legacy = Legacy(events)
    for one in events:
        legacy.answered(one, 2, 2)
    for one in events[:5]:
        legacy.count(one, 1)
    verdict = legacy.check()
    assert sorted(found(verdict)) == [(f"ev-{number}", Cause.DOUBLED) for number in range(5)]
