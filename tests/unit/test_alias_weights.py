"""What an alias must look like to give the pipeline its share, for each state there can be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.cutover.alias_weights import (
    UNSTAMPED,
    AliasWeights,
    Versions,
    share_of,
    stamp,
    stamped,
    weights_of,
)
from migration.model.routing import Shares, shares_of
from migration.model.stages import FULL_WEIGHT, Control, Stage

SIDES = Versions("7", "12")
shares = st.integers(0, FULL_WEIGHT)


@pytest.mark.parametrize(
    ("stage", "share"),
    [
        (Stage.OFF, 0),
        (Stage.DUALWRITE, 0),
        (Stage.SHADOW, 0),
        (Stage.RAMPDOWN, FULL_WEIGHT),
        (Stage.COMPLETE, FULL_WEIGHT),
    ],
)
def test_outside_live_one_side_has_everything_whatever_the_weights(stage: Stage, share: int) -> None:
    assert shares_of(Control(stage, write_weight=5_000, read_weight=5_000)) == Shares(share, share)


def test_in_live_reads_and_writes_have_weights_of_their_own() -> None:
    assert shares_of(Control(Stage.LIVE, 100, 2_500)) == Shares(100, 2_500)


@pytest.mark.parametrize(
    ("share", "weights"),
    [
        (0, AliasWeights("7")),
        (1, AliasWeights("7", {"12": 0.0001})),
        (2_500, AliasWeights("7", {"12": 0.25})),
        (FULL_WEIGHT, AliasWeights("12")),
    ],
)
def test_a_share_is_a_weight_of_the_second_version_and_the_ends_need_none(
    share: int, weights: AliasWeights
) -> None:
    assert weights_of(share, SIDES) == weights


@given(shares)
def test_what_is_set_is_what_is_read(share: int) -> None:
    assert share_of(weights_of(share, SIDES), SIDES) == share


@given(shares)
def test_it_is_the_same_share_whichever_version_comes_first(share: int) -> None:
    by_pipeline = AliasWeights(SIDES.pipeline, {SIDES.legacy: 1 - share / FULL_WEIGHT})
    assert share_of(by_pipeline, SIDES) == share


@pytest.mark.parametrize(
    ("weights", "share"),
    [
        (AliasWeights("9"), None),
        (AliasWeights("7", {"9": 0.1}), None),
        (AliasWeights("7", {"9": 0.0}), 0),
        (AliasWeights("9", {"12": 1.0}), FULL_WEIGHT),
    ],
)
def test_a_third_version_that_gets_requests_has_no_share_to_tell(
    weights: AliasWeights, share: int | None
) -> None:
    assert share_of(weights, SIDES) == share


@given(st.text(min_size=1, max_size=20), st.integers(0, 10**6))
def test_a_stamp_is_read_back_by_its_own_migration_only(migration: str, epoch: int) -> None:
    written = stamp(migration, epoch)
    assert stamped(written, migration) == epoch
    assert stamped(written, migration + "x") == UNSTAMPED
    assert stamped(f"{written}0 by hand", migration) == UNSTAMPED
