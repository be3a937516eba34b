"""What DynamoDB refuses for another's transaction is written again until it is taken, whoever writes it."""

from __future__ import annotations

import re
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from migration.aws.tables.base_tables import BaseTables
from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.tables.comparison_table import ComparisonTable
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.tables.fact_puts import FactWriter
from migration.aws.tables.fact_table import FactTable
from migration.aws.tables.legacy_rows import LegacyRows
from migration.aws.tables.legacy_sink import MirrorSink
from migration.aws.tables.live_fold_tables import LiveFoldTables
from migration.aws.transport.clients import Clients, connect_dynamodb, open_session
from migration.aws.transport.metered import Writer
from migration.aws.transport.scan import ReadPace
from migration.backfill.bases import Installed
from migration.backfill.history import BaseChange
from migration.compare.shadow.comparison import Comparison, SideState
from migration.model.backfill import Pulse
from migration.model.facts import Created, Lane, Restated, Restatement, StoredFact
from migration.model.fold import NOTHING, Activity, Fold, Row
from migration.model.legacy.layout import LegacyPlan
from migration.model.side import Side
from migration.model.stages import Stage
from migration.model.state import Lease
from migration.repair.legacy_sink import Applied
from migration.repair.live_folds import Compensated
from migration.repair.words import Compensation
from tests.doubles.clock import MemoryClock
from tests.dynamodb_http import dynamodb_over_http
from tests.pipeline_aws import create_table, create_tables
from tests.unit.test_conflicts import CONFLICT, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.dynamodb_http import HttpDynamoDB

AT = "2026-03-01T09:30:00.000Z"
CANCELLED = refused("TransactionCanceledException", "TransactionConflict", "None")
AWS = Path(__file__).parents[2] / "migration" / "aws"
WRITES = re.compile(
    r'\.(put_item|update_item|delete_item|transact_write_items|batch_write_item)\b|\.write\(\s*"'
)
TABLES = {
    "control": ("migration", "record"),
    "events": ("employee_id", "event_id"),
    "employees": ("employee_id", "program_id"),
    "programs": ("program_id",),
}


class Writers:
    """Each adapter on one server, by what it writes."""

    def __init__(self, http: HttpDynamoDB) -> None:
        self.http = http
        self.client = connect_dynamodb(open_session("us-east-1", http.endpoint_url), http.endpoint_url)
        self.raw = http.raw(MemoryClock())
        self.number = 0

    def fact(self) -> StoredFact:
        self.number += 1
        one = Activity("e-1", f"ev-{self.number}", "p-1", "task_completed", 5, AT)
        return StoredFact(one, Lane.LIVE, Side.LEGACY, AT)

    @property
    def _lane(self) -> LiveFoldTables:
        names: Any = type("Names", (), {f"{one}_table": f"t-{one.replace('_', '-')}" for one in _PIPELINE})
        clients = Clients(self.client, boto3.client("lambda"), boto3.client("sqs"))
        return LiveFoldTables(clients, names, MemoryClock(), 2, timedelta(days=1))

    def base_tables(self) -> bool:
        pace = ReadPace(None, MemoryClock())
        bases = BaseTables(self.raw, Writer(self.raw), "t-employee-progress", "t-program-progress", 2, pace)
        change = BaseChange(Row(f"e-{self.number}", "p-1"), NOTHING, Fold(5, 1, 7))
        return bases.install(change)[0] == Installed()

    def fact_puts(self) -> bool:
        return FactWriter(Writer(self.raw), "t-facts").put(self.fact())[0] == Created()

    def fact_table(self) -> bool:
        fact = self.fact()
        FactWriter(Writer(self.raw), "t-facts").put(fact)
        self.http.faults.extend([CONFLICT] * 3)
        table = FactTable(self.raw, Writer(self.raw), "t-facts", ReadPace(None, MemoryClock()), segments=1)
        other = Activity("e-1", fact.activity.event_id, "p-1", "task_completed", 6, AT)
        return table.restate(Restatement(fact, other))[0] == Restated()

    def checkpoint_table(self) -> bool:
        table = CheckpointTable(self.client, "control", "m")
        pulse = Pulse("one", 5.0, 1.0, "")
        table.save_pulse(pulse)
        return table.pulse() == pulse

    def comparison_table(self) -> bool:
        table = ComparisonTable(self.client, "control", "m")
        side = SideState(None, None)
        table.add(Comparison(AT, Stage.SHADOW, 1, side, side, None, 0, ()), datetime.now(UTC))
        return len(list(table.since(AT))) == 1

    def control_plane_table(self) -> bool:
        return ControlPlaneTable(self.client, "control", "m").take_lease(Lease("ana", 1, 5.0), None)

    def live_fold_tables(self) -> bool:
        identity = self.fact().activity.identity
        self._lane.close(identity)
        self.http.faults.extend([CANCELLED] * 3)
        compensation = Compensation(Row("e-1", "p-1"), self.number, Fold(5, 1, 7))
        return self._lane.has_folded(identity) and self._lane.compensate(compensation) == Compensated()

    def legacy_rows(self) -> bool:
        rows = LegacyRows(self.client, "events", "programs", "employees", LegacyPlan().written())
        return MirrorSink(rows, MemoryClock()).apply(self.fact()) == Applied()


_PIPELINE = ("facts", "dedup", "employee_progress", "program_progress")
WRITERS: dict[str, Callable[[Writers], bool]] = {
    name: method for name, method in vars(Writers).items() if not name.startswith("_") and name != "fact"
}


@pytest.fixture(scope="module")
def writers() -> Iterator[Writers]:
    with ExitStack() as stack:
        http = stack.enter_context(dynamodb_over_http())
        create_tables(http.client, "t")
        for name, keys in TABLES.items():
            create_table(http.client, name, *keys)
        yield Writers(http)


@pytest.mark.parametrize("fault", [CONFLICT, CANCELLED], ids=["plain", "transaction"])
@pytest.mark.parametrize("writer", WRITERS)
def test_a_refused_write_is_made_again(writers: Writers, writer: str, fault: Any) -> None:
    writers.number += 1
    for key in ("backfill#pulse", "lease"):
        writers.http.client.delete_item(
            TableName="control", Key={"migration": {"S": "m"}, "record": {"S": key}}
        )
    writers.http.faults.extend([fault] * 3)
    assert WRITERS[writer](writers)
    assert not writers.http.faults


def test_every_file_that_writes_is_tried() -> None:
    """Not preflight's: it asks whether it may write, and never does."""
    writing = {path.stem for path in AWS.rglob("*.py") if WRITES.search(path.read_text(encoding="utf-8"))}
    assert writing - {"permissions"} == set(WRITERS)
