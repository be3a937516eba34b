"""Both sides' tables as a comparison reads them: boards by name, employees by key. It never scans.

    an employee    legacy's aggregates, the pipeline's, legacy's events, facts: four queries, in this order

Plain boto3, because it runs in a function whose layer has nothing else.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from migration.aws.stack.queue_depth import messages
from migration.aws.tables.fact_items import stored_fact
from migration.aws.tables.legacy_rows import FINISHED
from migration.aws.tables.progress_rows import newest_folded_at, progress_row
from migration.aws.tables.stored_boards import legacy_board, snapshot_board, snapshot_programs
from migration.aws.transport.clients import translated
from migration.compare.diff.two_sides import Sighting, Stored, StoredBoard, sighted
from migration.compare.shadow.one_employee import EmployeeRead
from migration.model.legacy.mapping import activity_mapper, row_mapper
from pipeline.domain.fold_rows import FRESHNESS_KEY
from pipeline.domain.ranking import PROGRAMS_BOARD
from pipeline.domain.snapshot import latest_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

    from migration.model.legacy.layout import LegacyPlan

Item = dict[str, Any]
AT_ONCE: Final = 10  # as many connections as a boto3 client keeps


@dataclass(frozen=True, slots=True)
class TableNames:
    """Names of tables."""

    leaderboard: str
    legacy_events: str
    legacy_employee_progress: str
    snapshots: str
    facts: str
    employee_progress: str
    program_progress: str


@dataclass(slots=True)
class TableSides:
    """The tables of a deployed stack.

    Attributes:
        dynamodb, sqs: where they are.
        names: what they are called.
        queue_url: of the pipeline's queue.
        layout: how legacy's tables are laid out.
    """

    dynamodb: DynamoDBClient
    sqs: SQSClient
    names: TableNames
    queue_url: str
    layout: LegacyPlan
    _units: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def biggest_programs(self, count: int) -> list[str]:
        """Name the programs at the top of the pipeline's board of programs."""
        item = self._get(self.names.snapshots, latest_key(PROGRAMS_BOARD))
        return snapshot_programs(item["body"])[:count] if item else []

    def boards(self, board: str) -> tuple[StoredBoard, StoredBoard]:
        """Read legacy's board and the pipeline's latest."""
        layout = self.layout.leaderboard
        legacy = self._get(self.names.leaderboard, {layout.board: {"S": board}})
        pipeline = self._get(self.names.snapshots, latest_key(board))
        return (
            legacy_board(layout, legacy) if legacy else StoredBoard(board),
            snapshot_board(board, pipeline["body"]) if pipeline else StoredBoard(board),
        )

    def employees(self, names: Collection[str]) -> Iterator[EmployeeRead]:
        """Read everything of some employees, several at once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            yield from pool.map(self._employee, sorted(names))

    def newest_folded_at(self) -> str | None:
        """Read how far the folds are."""
        return newest_folded_at(self._get(self.names.program_progress, FRESHNESS_KEY))

    def queued(self) -> int:
        """Count the messages."""
        return messages(self.sqs, self.queue_url)

    def read_units(self) -> float:
        """Tell how many read units DynamoDB said it used."""
        return self._units

    def _employee(self, name: str) -> EmployeeRead:
        names, layout = self.names, self.layout
        legacy_row, activity = row_mapper(layout.employee_progress), activity_mapper(layout.events)

        def events() -> Iterator[Sighting]:
            key = layout.events.employee_id
            for item in self._query(names.legacy_events, key, name, FilterExpression=FINISHED):
                one = activity(item)
                came_at = item.get("received_at", {}).get("S", "")
                yield Sighting(one.identity, Stored(one.program_id, one.points, came_at), None)

        legacy_items = self._query(names.legacy_employee_progress, layout.employee_progress.employee_id, name)
        return EmployeeRead(
            name,
            [legacy_row(item) for item in legacy_items],
            [progress_row(item) for item in self._query(names.employee_progress, "employee_id", name)],
            list(events()),
            [
                sighted(stored_fact(names.facts, item))
                for item in self._query(names.facts, "employee_id", name)
            ],
        )

    def _query(self, table: str, key: str, value: str, **only: str) -> Iterator[Item]:
        with translated(f"reading {table}"):
            pages = self.dynamodb.get_paginator("query").paginate(
                TableName=table,
                ConsistentRead=True,
                KeyConditionExpression="#k = :v",
                ExpressionAttributeNames={"#k": key},
                ExpressionAttributeValues={":v": {"S": value}},
                ReturnConsumedCapacity="TOTAL",
                **only,  # type: ignore[arg-type] # mypy takes it for any keyword
            )
            for page in pages:
                self._count(page)
                yield from page["Items"]

    def _get(self, table: str, key: Any) -> Item | None:  # noqa: ANN401 - as DynamoDB takes it
        with translated(f"reading {table}"):
            answer = self.dynamodb.get_item(
                TableName=table, Key=key, ConsistentRead=True, ReturnConsumedCapacity="TOTAL"
            )
        self._count(answer)
        return answer.get("Item")

    def _count(self, answer: Any) -> None:  # noqa: ANN401 - an answer of either call
        with self._lock:
            self._units += answer.get("ConsumedCapacity", {}).get("CapacityUnits", 0.0)
