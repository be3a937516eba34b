"""One vocabulary: each cause has one text, and what earlier versions wrote is still read."""

from __future__ import annotations

from pathlib import Path

import pytest

from migration.model.cause import Cause, absent_from_legacy, commonest
from migration.model.facts import Lane
from migration.model.side import Side


def test_each_cause_has_a_text_of_its_own() -> None:
    texts = [cause.text for cause in Cause]
    assert all(texts)
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("was", "cause"),
    [
        ("not_folded", Cause.LOST),
        ("folded_again", Cause.DOUBLED),
        ("stored_differently", Cause.ALTERED),
        ("conflict", Cause.ALTERED),
        ("no_fact_yet", Cause.MIRROR_MISSED),
        ("not_in_legacy", Cause.NOT_MIRRORED_BACK),
    ],
)
def test_a_record_of_an_earlier_version_is_read(was: str, cause: Cause) -> None:
    assert Cause(was) is cause


def test_what_is_no_cause_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Cause("nothing")


@pytest.mark.parametrize(
    ("side", "lane", "cause"),
    [
        (Side.PIPELINE, Lane.LIVE, Cause.NOT_MIRRORED_BACK),
        (Side.LEGACY, Lane.LIVE, Cause.LEGACY_FAILED),
        (Side.LEGACY, Lane.HISTORY, Cause.GONE_FROM_LEGACY),
    ],
)
def test_why_legacy_lacks_an_event(side: Side, lane: Lane, cause: Cause) -> None:
    assert absent_from_legacy(side, lane) is cause
    assert cause.fails


def test_only_what_is_on_its_way_or_legacys_own_passes() -> None:
    assert not Cause.IN_FLIGHT.fails
    assert not Cause.LEGACY_DOUBLE_COUNT.fails
    assert Cause.UNEXPLAINED.fails
    assert Cause.UNEXPLAINED.severity == max(cause.severity for cause in Cause)


def test_each_cause_is_documented_in_its_own_words_and_in_order() -> None:
    page = (Path(__file__).parents[2] / "docs" / "causes.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    assert [name.strip("| `") for name, *_ in rows] == [*Cause]
    for name, happened, _ in rows:
        assert Cause(name.strip("| `")).text in happened


def test_causes_that_are_as_common_come_in_one_order() -> None:
    found = commonest([Cause.IN_FLIGHT, Cause.LOST, Cause.DOUBLED, Cause.DOUBLED])
    assert list(found.items()) == [(Cause.DOUBLED, 2), (Cause.LOST, 1), (Cause.IN_FLIGHT, 1)]
