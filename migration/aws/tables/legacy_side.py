"""Legacy's tables as the plan file maps them: whole by the fast scan, again by employee.

An employee is one query where the table's partition key is the employee; any other table is read whole once
for all employees of a look, so every layout works, and the reference system's is fast.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from migration.aws.tables.legacy_rows import FINISHED
from migration.aws.tables.stored_boards import attribute, legacy_board, plain_value
from migration.aws.transport.clients import translated
from migration.aws.transport.query import partition
from migration.aws.transport.scan import ReadPace, Scan, batches
from migration.compare.both_sides import Part
from migration.compare.diff.two_sides import GLOBAL, PROGRAM_BOARD, StoredBoard
from migration.compare.verify.verification import LegacyReading
from migration.model.fold import COLUMNS, Activity, Fold, Row
from migration.model.legacy.mapping import activity_mapper, columns_mapper, row_mapper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.model.legacy.layout import LegacyPlan

    Item = dict[str, Any]

_OF_EMPLOYEES: Final = (GLOBAL, PROGRAM_BOARD)


_EventLine: Final = msgspec.defstruct("_EventLine", [*COLUMNS.items(), ("received_at", str)], gc=False)


@dataclass(frozen=True, slots=True)
class LegacyNames:
    """The physical names of legacy's tables; no leaderboard where none is known."""

    events: str
    employee_progress: str
    program_progress: str
    leaderboard: str | None = None


@dataclass(frozen=True, slots=True)
class LegacySide:
    """Reads legacy.

    Attributes:
        client: DynamoDB, for what the tables' keys are.
        raw: DynamoDB, for the items.
        plan: what the attributes mean.
        names: the tables.
        pace: shared by all scans.
    """

    client: DynamoDBClient
    raw: RawDynamoDB
    plan: LegacyPlan
    names: LegacyNames
    pace: ReadPace

    def table(self, part: Part) -> str:
        """Name the table of a part."""
        return {
            Part.LEGACY_EMPLOYEE_ROWS: self.names.employee_progress,
            Part.LEGACY_PROGRAM_ROWS: self.names.program_progress,
            Part.LEGACY_EVENTS: self.names.events,
        }[part]

    def line(self, part: Part) -> Callable[[Item], object]:
        """Tell how an item of a part becomes a line."""
        if part is Part.LEGACY_EVENTS:
            columns = columns_mapper(self.plan.events)
            return lambda item: _EventLine(*columns(item), _received_at(item))
        of_employees = part is Part.LEGACY_EMPLOYEE_ROWS
        row = row_mapper(self.plan.employee_progress if of_employees else self.plan.program_progress)
        return lambda item: _row_line(*row(item))

    def boards(self) -> Iterator[StoredBoard]:
        """Read the boards; one that is not of employees, or of one program, is left out."""
        layout = self.plan.leaderboard
        for item in self._all(self.names.leaderboard) if self.names.leaderboard else ():
            if str(plain_value(attribute(item, layout.board))).startswith(_OF_EMPLOYEES):
                yield legacy_board(layout, item)

    def readings(self, names: Sequence[str]) -> Callable[[str], LegacyReading]:
        """Prepare to read these employees; what it gives is called once for each, from any thread."""
        rows, events = self._rows(names), self._events(names)

        def read(name: str) -> LegacyReading:
            held = rows(name)
            return LegacyReading(held, list(events(name)))

        return read

    def _rows(self, names: Sequence[str]) -> Callable[[str], Mapping[Row, Fold]]:
        layout, table = self.plan.employee_progress, self.names.employee_progress
        row = row_mapper(layout)
        kind = self._key_type(table, layout.employee_id)
        if kind is not None:
            key = layout.employee_id
            return lambda name: _summed(map(row, partition(self.raw, table, dict, (key, {kind: name}))))
        wanted, found = set(names), defaultdict[str | None, list[tuple[Row, Fold]]](list)
        for one in map(row, self._all(table)):
            if one[0].employee_id in wanted:
                found[one[0].employee_id].append(one)
        return lambda name: _summed(found[name])

    def _events(self, names: Sequence[str]) -> Callable[[str], Iterable[Activity]]:
        layout, table = self.plan.events, self.names.events
        activity = activity_mapper(layout)
        kind = self._key_type(table, layout.employee_id)
        if kind is not None:
            key = layout.employee_id
            return lambda name: map(activity, partition(self.raw, table, dict, (key, {kind: name}), FINISHED))
        wanted, found = set(names), defaultdict[str, list[Activity]](list)
        for one in map(activity, self._all(table, FINISHED)):
            if one.employee_id in wanted:
                found[one.employee_id].append(one)
        return lambda name: found[name]

    def _all(self, table: str, condition: str | None = None) -> Iterator[Item]:
        for batch in batches(self.raw, Scan(table, dict, condition=condition), self.pace):
            yield from batch.items

    def _key_type(self, table: str, attribute: str) -> str | None:
        """Give the type of a table's partition key, if it is this attribute."""
        with translated(f"looking at {table}"):
            described = self.client.describe_table(TableName=table)["Table"]
        keys = [one["AttributeName"] for one in described["KeySchema"] if one["KeyType"] == "HASH"]
        if keys != [attribute]:
            return None
        types = {one["AttributeName"]: one["AttributeType"] for one in described["AttributeDefinitions"]}
        return str(types[keys[0]])


def _received_at(item: Item) -> Any:  # noqa: ANN401 - a text, as DynamoDB writes it
    """Tell when an event came; other systems than the reference one do not say it."""
    return item.get("received_at", {}).get("S", "")


def _row_line(row: Row, fold: Fold) -> dict[str, str | int | None]:
    return {
        "employee_id": row.employee_id,
        "program_id": row.program_id,
        "points": fold.points,
        "events": fold.events,
    }


def _summed(rows: Iterable[tuple[Row, Fold]]) -> dict[Row, Fold]:
    sums: defaultdict[Row, Fold] = defaultdict(Fold)
    for row, fold in rows:
        sums[row] += fold
    return dict(sums)
