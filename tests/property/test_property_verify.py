"""Any single fault, in any population, is named by its event id and its class."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migration.aws.bulk.side_store import DuckDBStore
from migration.compare.verify.verify import Verification
from migration.model.cause import Cause, absent_from_legacy
from migration.model.facts import Lane
from migration.model.fold import Activity, Fold, Row, fold_of
from migration.model.side import Side
from tests.doubles.clock import MemoryClock
from tests.verify_world import MemoryWorld, System, activity

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.compare.verify.verification import VerifyReport

STRANGER = Row("emp-x", "prog-x")


@dataclass(frozen=True)
class Member:
    """One activity of a population, as it is on both sides when nothing is wrong."""

    one: Activity
    lane: Lane
    side: Side


# Points are this small so that many events of a row are alike, and legacy's totals cannot tell them apart.
populations = st.lists(
    st.builds(
        lambda employee, program, points, live, pipeline: (employee, program, points, live, pipeline),
        st.integers(0, 5),
        st.integers(0, 3),
        st.integers(1, 40),
        st.booleans(),
        st.booleans(),
    ),
    min_size=1,
    max_size=60,
)


def populate(drawn: list[tuple[int, int, int, bool, bool]]) -> tuple[System, list[Member]]:
    system, members = System(MemoryWorld()), []
    for number, (employee, program, points, live, pipeline) in enumerate(drawn):
        one = activity(number, employee, program, points)
        lane = Lane.LIVE if live or pipeline else Lane.HISTORY
        member = Member(one, lane, Side.PIPELINE if pipeline else Side.LEGACY)
        system.accept(one, lane, side=member.side)
        members.append(member)
    return system, members


def not_folded(system: System, member: Member) -> Cause:
    system.fold(member.one, member.lane, times=-1)
    return Cause.LOST if member.lane is Lane.LIVE else Cause.HISTORY_NOT_INSTALLED


def folded_twice(system: System, member: Member) -> Cause:
    system.fold(member.one, member.lane)
    return Cause.DOUBLED


def folded_by_the_other_lane_too(system: System, member: Member) -> Cause:
    system.fold(member.one, Lane.HISTORY if member.lane is Lane.LIVE else Lane.LIVE)
    return Cause.DOUBLED


def points_altered(system: System, member: Member) -> Cause:
    system.alter(member.one, points=member.one.points + 3)
    return Cause.ALTERED


def wrong_key(system: System, member: Member) -> Cause:
    system.fold(member.one, member.lane, times=-1)
    wrong = (STRANGER, Row(STRANGER.employee_id, "#total"), Row(None, STRANGER.program_id))
    for row in wrong:
        system.add(row, fold_of(member.one), member.lane)
    return Cause.MISPLACED


def missing_in_facts(system: System, member: Member) -> Cause:
    """The forward mirror missed it: no fact, so nothing was folded."""
    system.world.delete_fact(member.one.identity)
    system.fold(member.one, member.lane, times=-1)
    return Cause.MIRROR_MISSED


def fact_deleted(system: System, member: Member) -> Cause:
    system.world.delete_fact(member.one.identity)
    return Cause.LOST


def extra_in_facts(system: System, member: Member) -> Cause:
    """Legacy does not have it, neither its event nor its totals."""
    system.world.delete_event(member.one.identity)
    system.legacy_counts(member.one, times=-1)
    return absent_from_legacy(member.side, member.lane)


def legacy_doubled(system: System, member: Member) -> Cause:
    system.legacy_counts(member.one)
    return Cause.LEGACY_DOUBLE_COUNT


def legacy_partial(system: System, member: Member) -> Cause:
    row = Row(member.one.employee_id, member.one.program_id)
    system.world.add_legacy(row, Fold(member.one.points, 1) * -1)
    return Cause.LEGACY_PARTIAL_UPDATE


NAMED = [
    not_folded,
    folded_twice,
    folded_by_the_other_lane_too,
    points_altered,
    wrong_key,
    missing_in_facts,
    fact_deleted,
    extra_in_facts,
]
BY_TOTALS = [legacy_doubled, legacy_partial]  # they have no fingerprint, so events alike cannot be told apart


def verify(system: System) -> VerifyReport:
    with tempfile.TemporaryDirectory() as folder:
        store = DuckDBStore(Path(folder))
        try:
            return Verification(system.world.source(), store, MemoryClock()).run()
        finally:
            store.close(keep=False)


@pytest.mark.slow
@pytest.mark.parametrize("fault", NAMED, ids=lambda fault: fault.__name__)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=populations, which=st.integers(0, 59))
def test_the_event_is_named(
    fault: Callable[[System, Member], Cause], drawn: list[tuple[int, int, int, bool, bool]], which: int
) -> None:
    system, members = populate(drawn)
    member = members[which % len(members)]
    kind = fault(system, member)
    [found] = verify(system).differences
    assert (found.kind, found.employee_id, found.event_id) == (
        kind,
        member.one.employee_id,
        member.one.event_id,
    ), found


@pytest.mark.slow
@pytest.mark.parametrize("fault", BY_TOTALS, ids=lambda fault: fault.__name__)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=populations, which=st.integers(0, 59))
def test_legacys_own_error_is_named_or_is_one_of_those_alike(
    fault: Callable[[System, Member], Cause], drawn: list[tuple[int, int, int, bool, bool]], which: int
) -> None:
    system, members = populate(drawn)
    one = members[which % len(members)].one
    kind = fault(system, members[which % len(members)])
    [found] = verify(system).differences
    assert (found.kind, found.employee_id) == (kind, one.employee_id), found
    alike = {
        other.one.event_id
        for other in members
        if (other.one.employee_id, other.one.program_id, other.one.points)
        == (one.employee_id, one.program_id, one.points)
    }
    if len(alike) == 1:
        assert found.event_id == one.event_id, found
    else:
        assert (found.event_id, set(found.candidates)) == (None, alike), found


@pytest.mark.slow
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(drawn=populations)
def test_without_a_fault_nothing_is_said(drawn: list[tuple[int, int, int, bool, bool]]) -> None:
    report = verify(populate(drawn)[0])
    assert report.clean
    assert not report.differences
