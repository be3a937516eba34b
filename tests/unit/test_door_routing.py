"""Which side answers: fixed by the stage, or by a stable and monotone cohort."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migration.door.breaker import Breaker
from migration.model.routing import WriteRoute, bucket, route_read, route_write
from migration.model.side import Side
from migration.model.stages import FULL_WEIGHT, Control, Stage

keys = st.text(max_size=40)
weights = st.integers(0, FULL_WEIGHT)


@pytest.mark.parametrize(
    ("stage", "authority", "forward", "reads"),
    [
        (Stage.OFF, Side.LEGACY, False, Side.LEGACY),
        (Stage.DUALWRITE, Side.LEGACY, True, Side.LEGACY),
        (Stage.SHADOW, Side.LEGACY, True, Side.LEGACY),
        (Stage.RAMPDOWN, Side.PIPELINE, False, Side.PIPELINE),
        (Stage.COMPLETE, Side.PIPELINE, False, Side.PIPELINE),
    ],
)
def test_outside_live_the_stage_decides_whatever_the_weights(
    stage: Stage, authority: Side, forward: bool, reads: Side
) -> None:
    control = Control(stage, write_weight=5_000, read_weight=5_000)
    for name in ("a", "b", "c", "d"):
        assert route_write(control, name) == WriteRoute(authority, forward)
        assert route_read(control, name) is reads


@given(keys, weights, weights)
def test_a_growing_weight_only_ever_moves_clients_to_the_pipeline(key: str, one: int, other: int) -> None:
    low, high = sorted((one, other))
    before, after = Control(Stage.LIVE, low, low), Control(Stage.LIVE, high, high)
    if route_write(before, key).authority is Side.PIPELINE:
        assert route_write(after, key).authority is Side.PIPELINE
    if route_read(before, key) is Side.PIPELINE:
        assert route_read(after, key) is Side.PIPELINE


@given(keys)
def test_in_live_every_write_reaches_both_sides_and_the_ends_are_exact(key: str) -> None:
    assert route_write(Control(Stage.LIVE, 0), key) == WriteRoute(Side.LEGACY, forward=True)
    assert route_write(Control(Stage.LIVE, FULL_WEIGHT), key).authority is Side.PIPELINE
    assert 0 <= bucket(key) < FULL_WEIGHT


def test_a_weight_moves_its_share_of_employees() -> None:
    moved = sum(bucket(f"emp-{n}") < 2_500 for n in range(20_000))
    assert 4_750 < moved < 5_250


@pytest.mark.parametrize("weight", [-1, FULL_WEIGHT + 1])
def test_a_weight_out_of_range_is_refused(weight: int) -> None:
    with pytest.raises(ValueError, match="write_weight"):
        Control(Stage.LIVE, write_weight=weight)


def test_the_breaker_opens_after_failures_in_a_row_probes_and_closes() -> None:
    breaker = Breaker(limit=2, cooldown_s=5)
    breaker = breaker.after(ok=False, now=0).after(ok=True, now=1).after(ok=False, now=2)
    assert breaker.allows(2)
    breaker = breaker.after(ok=False, now=3)
    assert not breaker.allows(7.9)
    assert breaker.allows(8)
    again = breaker.after(ok=False, now=8)
    assert not again.allows(12.9)
    assert breaker.after(ok=True, now=8).allows(8)
