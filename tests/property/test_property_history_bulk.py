"""The fold and the comparison in DuckDB are the ones that the core defines, for any ids."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.aws.bulk.history_bulk import compared_in_bulk, folded_in_bulk
from migration.backfill.history import fold_history
from migration.model.facts import Lane, StoredFact
from migration.model.fold import Activity, Fold, Row, fold_all
from migration.model.side import Side
from migration.repair.differing import compare

ids = st.sampled_from(["a", "b", "é\t\"'", "NULL", "\x00", "💥,"]) | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1, max_size=5
)
activities = st.builds(
    Activity,
    employee_id=ids,
    event_id=ids,
    program_id=ids,
    activity_type=st.sampled_from(["task_completed", "learning_milestone"]),
    points=st.integers(0, 10_000) | st.integers(-(2**63) + 1, 2**63 - 1),
    occurred_at=st.just("2026-03-01T09:30:00.000Z"),
)
sets = st.lists(activities, max_size=12, unique_by=lambda one: one.identity)


@pytest.mark.slow
@settings(max_examples=25)
@given(sets, st.data())
def test_the_bulk_fold_is_the_defined_fold(facts: list[Activity], data: st.DataObject) -> None:
    some = data.draw(st.lists(st.sampled_from(facts), unique_by=lambda one: one.identity)) if facts else []
    bases = [*fold_all(some).items(), (Row("nobody", "p"), Fold(7, 1, 10**30))]
    due = fold_history(facts, bases)
    with folded_in_bulk(iter(facts), iter(bases)) as folded:
        assert (folded.history, folded.rows, folded.changed) == (due.history, due.rows, due.changed)
        assert set(folded.changes) == set(due.changes)


@pytest.mark.slow
@settings(max_examples=25)
@given(sets, sets, st.data())
def test_the_bulk_comparison_is_the_defined_comparison(
    events: list[Activity], more: list[Activity], data: st.DataObject
) -> None:
    shared = (
        data.draw(st.lists(st.sampled_from(events), unique_by=lambda one: one.identity)) if events else []
    )
    altered = [replace(one, points=one.points + data.draw(st.integers(0, 1))) for one in shared]
    known = {one.identity for one in altered}
    facts = [
        StoredFact(one, Lane.LIVE, Side.PIPELINE, "2026-03-01T09:30:01.000Z")
        for one in [*altered, *(one for one in more if one.identity not in known)]
    ]
    with compared_in_bulk(iter(events), iter(facts)) as pairs:
        assert set(pairs) == set(compare(events, facts))
