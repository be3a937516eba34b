"""Somebody else's legacy tables: other names, maps inside maps, other keys, and verified all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from migration.aws.bulk.side_store import DuckDBStore
from migration.aws.tables.both_sides import StackSides
from migration.aws.tables.legacy_side import LegacyNames, LegacySide
from migration.aws.transport.scan import ReadPace
from migration.compare.verify.verification import Parts
from migration.compare.verify.verify import Verification
from migration.model.cause import Cause
from migration.model.facts import Lane, StoredFact
from migration.model.fold import Activity, fold_of, rows_of
from migration.model.side import Side
from migration.plan.plan import load_plan
from tests.doubles.clock import MemoryClock
from tests.dynamodb_http import dynamodb_over_http
from tests.verify_world import OLD, real_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.compare.verify.verification import VerifyReport
    from tests.verify_world import TableWorld

pytestmark = pytest.mark.slow

# Visits are keyed by themselves, members by their number, and a visit has no points: each counts one.
PLAN = """
[legacy.events]
employee_id = "visit.member"
event_id = "pk"
program_id = "visit.club"
activity_type = { constant = "program_check_in" }
points = { constant = 1 }
occurred_at = "at"
time_format = "epoch_s"

[legacy.employee_progress]
employee_id = "member"
program_id = "sk"
points = "stats.score"
events = "stats.visits"

[legacy.program_progress]
program_id = "club"
points = "score"
events = "visits"
"""
KEYS = {"gym-visits": ("pk", None), "gym-members": ("member", "sk"), "gym-clubs": ("club", None)}


class Gym:
    """The gym's tables, and the pipeline next to it."""

    def __init__(self, client: DynamoDBClient, pipeline: TableWorld) -> None:
        self.client = client
        self.pipeline = pipeline
        for name, keys in KEYS.items():
            names = [key for key in keys if key]
            client.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[
                    {"AttributeName": key, "KeyType": "RANGE" if place else "HASH"}
                    for place, key in enumerate(names)
                ],
                AttributeDefinitions=[
                    {"AttributeName": key, "AttributeType": "N" if key == "member" else "S"} for key in names
                ],
            )

    def visits(self, count: int) -> list[Activity]:
        """Members visit clubs, legacy counts them, and every visit is a fact that is folded."""
        visits = [
            Activity(
                str(number % 3),
                f"v#{number}",
                f"club-{number % 2}",
                "program_check_in",
                1,
                "1970-01-01T00:00:05.000Z",
            )
            for number in range(count)
        ]
        for visit in visits:
            self.put_visit(visit)
            self.store(visit)
        self.write_progress(visits)
        return visits

    def put_visit(self, visit: Activity) -> None:
        where: Any = {"M": {"member": {"N": visit.employee_id}, "club": {"S": visit.program_id}}}
        item: Any = {"pk": {"S": visit.event_id}, "visit": where, "at": {"N": "5"}}
        self.client.put_item(TableName="gym-visits", Item=item)

    def store(self, visit: Activity) -> None:
        self.pipeline.put_fact(StoredFact(visit, Lane.LIVE, Side.LEGACY, OLD))
        for row in rows_of(visit):
            self.pipeline.add(row, Parts(fold_of(visit)))

    def write_progress(self, visits: list[Activity]) -> None:
        for member, club in {(visit.employee_id, visit.program_id) for visit in visits}:
            count = sum((visit.employee_id, visit.program_id) == (member, club) for visit in visits)
            self.put_member(member, club, count)
        for club in {visit.program_id for visit in visits}:
            number = {"N": str(sum(visit.program_id == club for visit in visits))}
            item: Any = {"club": {"S": club}, "score": number, "visits": number}
            self.client.put_item(TableName="gym-clubs", Item=item)

    def put_member(self, member: str, club: str, count: int) -> None:
        stats: Any = {"M": {"score": {"N": str(count)}, "visits": {"N": str(count)}}}
        item: Any = {"member": {"N": member}, "sk": {"S": club}, "stats": stats}
        self.client.put_item(TableName="gym-members", Item=item)


@pytest.fixture
def gym(tmp_path: Path) -> Iterator[tuple[Gym, StackSides]]:
    (tmp_path / "cutover.toml").write_text(PLAN)
    clock = MemoryClock()
    with dynamodb_over_http() as dynamodb:
        raw = dynamodb.raw(clock)
        pipeline = real_world(dynamodb.client, raw, clock, "gym")
        gym = Gym(dynamodb.client, pipeline)
        pace, plan = ReadPace(None, clock), load_plan(tmp_path / "cutover.toml").legacy
        legacy = LegacySide(dynamodb.client, raw, plan, LegacyNames(*KEYS), pace)
        reader = pipeline.source()
        assert isinstance(reader, StackSides)
        yield gym, StackSides(raw, reader.pipeline, legacy, pace, segments=2)


def verify(tables: StackSides, folder: Path) -> VerifyReport:
    store = DuckDBStore(folder)
    try:
        return Verification(tables, store, MemoryClock()).run()
    finally:
        store.close(keep=False)


def test_another_teams_tables_are_verified(gym: tuple[Gym, StackSides], tmp_path: Path) -> None:
    gym[0].visits(9)
    report = verify(gym[1], tmp_path)
    assert not report.differences
    assert next(one for one in report.sums if one.name == "legacy").stored.events == 9


def test_faults_in_another_teams_tables_are_named(gym: tuple[Gym, StackSides], tmp_path: Path) -> None:
    place, tables = gym
    visits = place.visits(9)
    missed = Activity("1", "v#missed", "club-0", "program_check_in", 1, "1970-01-01T00:00:05.000Z")
    place.put_visit(missed)
    place.write_progress([*visits, missed])
    place.put_member("2", "club-1", 3)  # of two
    report = verify(tables, tmp_path)
    found = {one.kind: one for one in report.differences}
    assert set(found) == {Cause.MIRROR_MISSED, Cause.LEGACY_DOUBLE_COUNT}
    assert found[Cause.MIRROR_MISSED].event_id == "v#missed"
    double = found[Cause.LEGACY_DOUBLE_COUNT]
    assert (double.employee_id, double.program_id) == ("2", "club-1")
