"""The rules of an activity: legacy states them with pydantic, the pipeline without; both mean the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from legacy.activity import read_activity
from migration.model import fold
from pipeline.domain import fact
from pipeline.domain.activity import Activity, parse_activity
from tests.legacy_aws import VALID
from tests.near_activities import EDGES, KINDS, NOW, json_values, nearly_valid_fields

# What JSON can carry as a name, lone surrogates included.
names = st.text(st.characters(exclude_categories=()), max_size=140)


def legacy_verdict(fields: dict[str, Any]) -> object:
    verdict = read_activity(fields, NOW)
    return verdict if isinstance(verdict, list) else verdict.model_dump()


def pipeline_verdict(fields: dict[str, Any]) -> object:
    verdict = parse_activity(fields, NOW)
    if isinstance(verdict, Activity):
        return {name: getattr(verdict, name) for name in VALID}
    return [{"field": problem.field, "problem": problem.problem} for problem in verdict]


def test_pipeline_and_toolkit_call_the_same_fields_an_activitys_content() -> None:
    assert fact.CONTENT == fold.CONTENT


@pytest.mark.slow
@given(nearly_valid_fields() | st.dictionaries(st.sampled_from([*KINDS]) | names, json_values))
@settings(max_examples=150, deadline=None)
def test_any_fields_get_the_same_verdict(fields: dict[str, Any]) -> None:
    assert legacy_verdict(fields) == pipeline_verdict(fields)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, kind in KINDS.items() for value in EDGES[kind]], ids=ascii
)
def test_values_at_the_edge_of_a_rule_get_the_same_verdict(name: str, value: object) -> None:
    fields = {**VALID, name: value}
    assert legacy_verdict(fields) == pipeline_verdict(fields)


def test_the_edges_lie_on_both_sides_of_every_rule() -> None:
    for name, kind in KINDS.items():
        accepted = {isinstance(read_activity({**VALID, name: value}, NOW), list) for value in EDGES[kind]}
        assert accepted == {True, False}, name
