"""The ledger check names exactly what was done to the facts and the folds."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.compare.ledger.pipeline import check_pipeline
from migration.compare.ledger.verdict import Finding, LedgerVerdict, Place
from migration.model.acknowledgements import Acknowledged, SideLedger
from migration.model.cause import Cause
from migration.model.fold import TOTAL, Activity, Fold, Identity, Row, fingerprint, fold_all, fold_of, rows_of
from pipeline.domain.fold import fingerprint as pipelines_fingerprint
from pipeline.domain.fold import identity

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]


def activity(number: int, employee: int = 0, program: int = 0, points: int = 10) -> Activity:
    return Activity(
        f"emp-{employee}",
        f"ev-{number}",
        f"prog-{program}",
        "task_completed",
        points,
        "2026-03-01T09:30:00.000Z",
    )


def facts(count: int = 24, employees: int = 4, programs: int = 3) -> list[Activity]:
    return [
        activity(number, number % employees, number * 7 % programs, 5 + number % 4) for number in range(count)
    ]


class Pipeline:
    """What a pipeline acknowledged, stored and folded; it starts without a fault."""

    def __init__(self, acknowledged: Sequence[Activity]) -> None:
        self.ledger = SideLedger(
            sent=len(acknowledged),
            acknowledged={one.identity: [Acknowledged(one, 1, 1)] for one in acknowledged},
        )
        self.facts = {one.identity: one for one in acknowledged}
        self.rows = fold_all(acknowledged)

    def add(self, row: Row, fold: Fold, times: int = 1) -> None:
        self.rows[row] = self.rows.get(row, Fold()) + fold * times

    def fold_again(self, one: Activity, times: int = 1) -> None:
        for row in rows_of(one):
            self.add(row, fold_of(one), times)

    def check(self) -> LedgerVerdict:
        return check_pipeline(self.ledger, self.facts.values(), self.rows)

    def only_finding(self) -> Finding:
        findings = self.check().findings
        assert len(findings) == 1, findings
        return findings[0]


def named(finding: Finding, one: Activity) -> bool:
    return (finding.employee_id, finding.event_id, finding.program_id, finding.points) == (
        one.employee_id,
        one.event_id,
        one.program_id,
        one.points,
    )


def test_a_faultless_pipeline_is_clean_and_its_sums_agree() -> None:
    verdict = Pipeline(facts()).check()
    assert verdict.clean
    assert (verdict.acknowledged, verdict.facts, verdict.folded.events) == (24, 24, 24)
    assert verdict.folded == verdict.expected
    assert [(level.name, level.rows, level.differing) for level in verdict.levels] == [
        ("employee in program", 12, 0),
        ("employee", 4, 0),
        ("program", 3, 0),
    ]


def test_pulses_and_bookkeeping_rows_are_left_out() -> None:
    pipeline = Pipeline(facts())
    pulse = Activity("#pulse", "2026-03-01T09:30:00.000Z", "#pulse", "pulse", 0, "2026-03-01T09:30:00.000Z")
    pipeline.facts[pulse.identity] = pulse
    pipeline.fold_again(pulse)
    assert pipeline.check().clean
    assert pipeline.check().facts == 24


def test_an_activity_lost_before_it_was_stored_is_named() -> None:
    one = facts()[7]
    pipeline = Pipeline(facts())
    del pipeline.facts[one.identity]
    pipeline.fold_again(one, -1)
    finding = pipeline.only_finding()
    assert (finding.kind, finding.place) == (Cause.LOST, Place.FACTS)
    assert named(finding, one)
    assert finding.rows == ()


def test_a_fact_deleted_after_it_was_folded_is_named_once() -> None:
    one = facts()[7]
    pipeline = Pipeline(facts())
    del pipeline.facts[one.identity]
    finding = pipeline.only_finding()
    assert (finding.kind, finding.place) == (Cause.LOST, Place.FACTS)
    assert named(finding, one)
    assert "folded all the same" in finding.detail
    assert set(finding.rows) == set(map(str, rows_of(one)))


def test_a_fact_that_was_never_folded_is_named() -> None:
    one = facts()[7]
    pipeline = Pipeline(facts())
    pipeline.fold_again(one, -1)
    finding = pipeline.only_finding()
    assert (finding.kind, finding.place) == (Cause.LOST, Place.FOLDS)
    assert named(finding, one)


@pytest.mark.parametrize(("times", "words"), [(1, "twice"), (2, "3 times"), (5, "6 times")])
def test_a_fact_folded_more_than_once_is_named(times: int, words: str) -> None:
    one = facts()[11]
    pipeline = Pipeline(facts())
    pipeline.fold_again(one, times)
    finding = pipeline.only_finding()
    assert finding.kind is Cause.DOUBLED
    assert named(finding, one)
    assert finding.detail == f"folded {words}"


def test_a_fold_into_one_row_only_is_named_with_that_row() -> None:
    one = facts()[11]
    pipeline = Pipeline(facts())
    pipeline.add(Row(None, one.program_id), fold_of(one))
    finding = pipeline.only_finding()
    assert finding.kind is Cause.DOUBLED
    assert named(finding, one)
    assert finding.rows == (one.program_id,)


def test_two_lost_and_one_doubled_of_the_same_row_are_all_named() -> None:
    everything = [activity(number, points=number + 1) for number in range(20)]
    pipeline = Pipeline(everything)
    pipeline.fold_again(everything[3], -1)
    pipeline.fold_again(everything[9], -1)
    pipeline.fold_again(everything[12], 1)
    found = {finding.event_id: finding.kind for finding in pipeline.check().findings}
    assert found == {"ev-3": Cause.LOST, "ev-9": Cause.LOST, "ev-12": Cause.DOUBLED}


@pytest.mark.parametrize(("first", "second"), [(1, 1), (-1, -1), (1, -1)])
@pytest.mark.parametrize("size", [20, 400])
def test_two_faults_of_one_row_are_both_named_also_in_a_large_one(first: int, second: int, size: int) -> None:
    everything = [activity(number, points=number % 90 + 1) for number in range(size)]
    pipeline = Pipeline(everything)
    pipeline.fold_again(everything[3], first)
    pipeline.fold_again(everything[size - 2], second)
    kinds = {1: Cause.DOUBLED, -1: Cause.LOST}
    found = {finding.event_id: finding.kind for finding in pipeline.check().findings}
    assert found == {"ev-3": kinds[first], f"ev-{size - 2}": kinds[second]}


def test_the_fingerprint_is_the_one_of_the_definition() -> None:
    known = 0x89E783FF4CC7083  # printf 'emp-1\nev-1' | sha256sum | cut -c1-15
    assert fingerprint(Identity("emp-1", "ev-1")) == known
    assert fingerprint(Identity("emp-1", "ev-1")) == pipelines_fingerprint(identity("emp-1", "ev-1"))


def test_many_faults_in_one_program_are_named_employee_by_employee() -> None:
    everything = [activity(number, employee=number) for number in range(60)]
    pipeline = Pipeline(everything)
    for one in everything[:40]:
        pipeline.fold_again(one, -1)
    for one in everything[50:]:
        pipeline.fold_again(one)
    findings = pipeline.check().findings
    assert [finding.kind for finding in findings].count(Cause.LOST) == 40
    assert [finding.kind for finding in findings].count(Cause.DOUBLED) == 10
    assert len(findings) == 50


def test_a_pipeline_that_folded_nothing_has_lost_every_event_by_name() -> None:
    pipeline = Pipeline(facts())
    pipeline.rows = {}
    findings = pipeline.check().findings
    assert len(findings) == 24
    assert {finding.kind for finding in findings} == {Cause.LOST}


def test_a_fact_with_altered_points_is_named_and_its_folds_are_explained_by_it() -> None:
    one = facts()[5]
    pipeline = Pipeline(facts())
    pipeline.facts[one.identity] = replace(one, points=999)
    finding = pipeline.only_finding()
    assert (finding.kind, finding.place) == (Cause.ALTERED, Place.FACTS)
    assert named(finding, one)
    assert finding.detail == "points 6 is stored as 999; folded as acknowledged"


def test_a_fact_altered_on_its_way_in_is_named_though_its_folds_agree() -> None:
    one = facts()[5]
    pipeline = Pipeline(facts())
    pipeline.facts[one.identity] = replace(one, activity_type="learning_milestone")
    finding = pipeline.only_finding()
    assert (finding.kind, finding.place) == (Cause.ALTERED, Place.FACTS)
    assert finding.detail == "activity_type 'task_completed' is stored as 'learning_milestone'"
    assert finding.rows == ()


def test_a_fact_moved_to_another_program_is_one_finding() -> None:
    one = facts()[5]
    pipeline = Pipeline(facts())
    pipeline.facts[one.identity] = replace(one, program_id="prog-9")
    finding = pipeline.only_finding()
    assert finding.kind is Cause.ALTERED
    assert finding.event_id == one.event_id
    assert "program_id 'prog-2' is stored as 'prog-9'" in finding.detail


def test_a_fact_stored_under_another_employee_is_misplaced_not_lost_and_extra() -> None:
    one = facts()[5]
    pipeline = Pipeline(facts())
    pipeline.fold_again(one, -1)
    del pipeline.facts[one.identity]
    moved = replace(one, employee_id="emp-other")
    pipeline.facts[moved.identity] = moved
    pipeline.fold_again(moved)
    finding = pipeline.only_finding()
    assert (finding.kind, finding.place) == (Cause.MISPLACED, Place.FACTS)
    assert named(finding, one)
    assert "emp-other" in finding.detail


def test_a_fact_folded_into_another_employees_rows_is_misplaced() -> None:
    one = facts()[5]
    pipeline = Pipeline(facts())
    for right, wrong in (
        (Row(one.employee_id, one.program_id), Row("emp-3", one.program_id)),
        (Row(one.employee_id, TOTAL), Row("emp-3", TOTAL)),
    ):
        pipeline.add(right, fold_of(one), -1)
        pipeline.add(wrong, fold_of(one))
    finding = pipeline.only_finding()
    assert (finding.kind, finding.place) == (Cause.MISPLACED, Place.FOLDS)
    assert named(finding, one)
    assert "emp-3 x #total" in finding.detail


def test_a_fact_that_nobody_was_answered_for_is_extra() -> None:
    pipeline = Pipeline(facts())
    one = activity(99)
    pipeline.facts[one.identity] = one
    pipeline.fold_again(one)
    finding = pipeline.only_finding()
    assert (finding.kind, finding.place) == (Cause.EXTRA, Place.FACTS)
    assert named(finding, one)


@pytest.mark.parametrize("event_id", ["ev-99", ""])
def test_a_fact_that_only_an_unanswered_send_accounts_for_is_no_difference(event_id: str) -> None:
    pipeline = Pipeline(facts())
    one = activity(99)
    pipeline.ledger.unknown.append(replace(one, event_id=event_id))
    pipeline.ledger.unknown_sends = 1
    assert pipeline.check().clean
    pipeline.facts[one.identity] = one
    pipeline.fold_again(one)
    assert pipeline.check().clean
    assert pipeline.check().unknown_stored == 1


def test_two_contents_acknowledged_under_one_identity_are_an_alteration() -> None:
    one = facts()[5]
    pipeline = Pipeline(facts())
    pipeline.ledger.acknowledged[one.identity].append(Acknowledged(replace(one, points=7), 1, 1))
    assert pipeline.only_finding().kind is Cause.ALTERED


def test_one_unnamed_activity_acknowledged_under_two_ids_is_doubled() -> None:
    pipeline = Pipeline(facts())
    first, second = facts()[5], replace(facts()[5], event_id="ev-other")
    twice = Pipeline([*facts(), second])
    twice.ledger.unnamed[replace(first, event_id="")] = {first.identity, second.identity}
    assert pipeline.check().clean
    assert twice.only_finding().kind is Cause.DOUBLED


def test_altered_points_of_a_row_name_the_candidates_and_the_wider_rows() -> None:
    pipeline = Pipeline(facts())
    row = Row("emp-1", "prog-1")
    for wider in (row, Row("emp-1", TOTAL), Row(None, "prog-1")):
        pipeline.add(wider, Fold(points=50))
    finding = pipeline.only_finding()
    assert (finding.kind, finding.place) == (Cause.ALTERED, Place.FOLDS)
    assert finding.rows == ("emp-1 x prog-1", "emp-1 x #total", "prog-1")
    members = [one for one in facts() if (one.employee_id, one.program_id) == ("emp-1", "prog-1")]
    assert all(one.event_id in finding.detail for one in members)


def test_altered_points_of_a_row_with_one_event_name_it() -> None:
    one = activity(1)
    pipeline = Pipeline([one])
    pipeline.add(Row(one.employee_id, one.program_id), Fold(points=-3))
    assert pipeline.only_finding().event_id == "ev-1"


def test_what_no_three_events_explain_is_called_unexplained() -> None:
    pipeline = Pipeline(facts())
    pipeline.add(Row(None, "prog-1"), Fold(points=1, events=1, fingerprint=12345))
    finding = pipeline.only_finding()
    assert finding.kind is Cause.UNEXPLAINED
    assert finding.rows == ("prog-1",)
    assert finding.event_id is None


def test_four_doubled_events_of_one_row_are_beyond_the_bound_and_unexplained() -> None:
    everything = [activity(number) for number in range(12)]
    pipeline = Pipeline(everything)
    for one in everything[:4]:
        pipeline.fold_again(one)
    finding = pipeline.only_finding()
    assert finding.kind is Cause.UNEXPLAINED
    assert finding.rows == ("emp-0 x prog-0", "emp-0 x #total", "prog-0")


def test_a_row_that_is_gone_names_all_its_events() -> None:
    pipeline = Pipeline(facts())
    del pipeline.rows[Row("emp-1", TOTAL)]
    findings = pipeline.check().findings
    assert {finding.event_id for finding in findings} == {
        one.event_id for one in facts() if one.employee_id == "emp-1"
    }
    assert {finding.kind for finding in findings} == {Cause.LOST}


random_facts = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(1, 10_000)), min_size=1, max_size=60
).map(lambda rows: [activity(number, *row) for number, row in enumerate(rows)])


@settings(deadline=None, max_examples=150)
@given(random_facts, st.data())
def test_any_single_fault_in_any_facts_names_the_very_event(
    everything: list[Activity], data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(everything))
    fault = data.draw(st.sampled_from(["unstored", "deleted", "unfolded", "doubled", "altered", "extra"]))
    pipeline = Pipeline(everything)
    if fault in ("unstored", "deleted"):
        del pipeline.facts[one.identity]
    if fault in ("unstored", "unfolded"):
        pipeline.fold_again(one, -1)
    if fault == "doubled":
        pipeline.fold_again(one, data.draw(st.integers(1, 4)))
    if fault == "altered":
        pipeline.facts[one.identity] = replace(one, points=one.points + data.draw(st.integers(1, 99)))
    if fault == "extra":
        del pipeline.ledger.acknowledged[one.identity]
    expected = {
        "unstored": Cause.LOST,
        "deleted": Cause.LOST,
        "unfolded": Cause.LOST,
        "doubled": Cause.DOUBLED,
        "altered": Cause.ALTERED,
        "extra": Cause.EXTRA,
    }
    finding = pipeline.only_finding()
    assert finding.kind is expected[fault]
    assert (finding.employee_id, finding.event_id, finding.program_id) == (
        one.employee_id,
        one.event_id,
        one.program_id,
    )


def test_the_check_imports_nothing_of_what_it_judges() -> None:
    """Follow every import of the check's modules: the pipeline's code must not be among them."""
    seen: set[str] = set()
    queue = [
        "migration.compare.ledger.pipeline",
        "migration.compare.ledger.legacy",
        "migration.model.acknowledgements",
    ]
    while queue:
        module = queue.pop()
        seen.add(module)
        tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text())
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            assert not [name for name in names if name.split(".")[0] in ("pipeline", "legacy", "boto3")], (
                module
            )
            queue += [name for name in names if name.startswith("migration.") and name not in seen]
    assert "migration.model.fold" in seen
