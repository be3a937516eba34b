"""Both sides' tables in DynamoDB, as all that compares them reads them: whole by the fast scan, again by key.

Every read is consistent. No code of either side takes part, so what is read here can judge both.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from migration.aws.tables.legacy_rows import FINISHED
from migration.aws.tables.scanned_items import FactItem, ProgressItem
from migration.aws.tables.stored_boards import snapshot_board
from migration.aws.transport.clients import translated
from migration.aws.transport.query import partition
from migration.aws.transport.scan import ReadPace, Scan, batches
from migration.compare.both_sides import Chunk, Part
from migration.compare.diff.two_sides import GLOBAL, PROGRAM_BOARD
from migration.compare.verify.verification import EmployeeReading, LegacyReading, Parts
from migration.model.fold import RESERVED
from pipeline.domain.snapshot import latest_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from migration.aws.tables.legacy_side import LegacySide
    from migration.aws.tables.side_tables import PipelineTables
    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.compare.diff.two_sides import StoredBoard
    from migration.model.fold import Row

T = TypeVar("T")

READERS: Final = 16  # employees that are read side by side
_EMPLOYEE: Final = "employee_id"
_encoder: Final = msgspec.json.Encoder()


class _RowLine(msgspec.Struct, gc=False):
    employee_id: str | None
    program_id: str
    points: str
    events: str
    fingerprint: str
    base_points: str
    base_events: str
    base_fingerprint: str


@dataclass(frozen=True, slots=True)
class StackSides:
    """Reads both sides of a deployed stack.

    Attributes:
        raw: DynamoDB.
        pipeline: the pipeline's tables and queues.
        legacy: legacy's tables; None when it is not looked at.
        pace: shared by all scans.
        segments: parts of a table that are read side by side.
    """

    raw: RawDynamoDB
    pipeline: PipelineTables
    legacy: LegacySide | None
    pace: ReadPace
    segments: int

    @property
    def has_legacy(self) -> bool:
        """Whether legacy is looked at."""
        return self.legacy is not None

    def chunks(
        self, part: Part, positions: Mapping[int, bytes | None], since: str | None = None
    ) -> Iterator[Chunk]:
        """Read a table, from these positions on; with `since`, only facts that were ingested later."""
        if part is Part.FACTS:
            return self._chunks(_facts(self._table(part), self.segments, since), positions, fact_lines)
        if not part.of_legacy:
            return self._chunks(Scan(self._table(part), ProgressItem, self.segments), positions, _row_lines)
        if self.legacy is None:
            return iter(())
        line = self.legacy.line(part)
        condition = FINISHED if part is Part.LEGACY_EVENTS else None
        scan: Scan[dict[str, Any]] = Scan(self._table(part), dict, self.segments, condition=condition)
        return self._chunks(scan, positions, lambda items: _encoder.encode_lines(list(map(line, items))))

    def about(self, part: Part) -> int:
        """Estimate how many items a table has; DynamoDB counts them every six hours or so."""
        table = self._table(part)
        with translated(f"looking at {table}"):
            return self.pipeline.client.describe_table(TableName=table)["Table"]["ItemCount"]

    def programs(self) -> Mapping[Row, Parts]:
        """Read every program's row, shards summed."""
        rows: defaultdict[Row, Parts] = defaultdict(Parts)
        scan = Scan(self.pipeline.outputs.program_progress_table, ProgressItem, segments=1)
        for batch in batches(self.raw, scan, self.pace):
            for item in batch.items:
                rows[item.row] += item.parts
        return dict(rows)

    def employees(self, names: Sequence[str]) -> Iterator[EmployeeReading]:
        """Read these employees, each in the order legacy's rows, legacy's events, rows, facts."""
        legacy = self.legacy.readings(names) if self.legacy else None
        with ThreadPoolExecutor(READERS, thread_name_prefix="employees") as pool:
            yield from pool.map(lambda name: self._employee(name, legacy), names)

    def legacy_boards(self) -> Iterator[StoredBoard]:
        """Read legacy's boards; one that is not of employees, or of one program, is left out."""
        return self.legacy.boards() if self.legacy else iter(())

    def pipeline_boards(self, only: str | None = None) -> Iterator[StoredBoard]:
        """Read the latest snapshots, board by board: the older ones beside them are thousands."""
        table, client = self.pipeline.outputs.snapshots_table, self.pipeline.client
        names = (row.program_id for row in (self.programs() if only is None else ()))
        boards = (f"{PROGRAM_BOARD}{name}" for name in sorted(names) if not name.startswith(RESERVED))
        for board in (GLOBAL, *boards) if only is None else (only,):
            with translated(f"reading {table}"):
                answer = client.get_item(TableName=table, Key=latest_key(board), ConsistentRead=True)
            if "Item" in answer:
                yield snapshot_board(board, answer["Item"]["body"])

    def newest_folded_at(self) -> str | None:
        """Read how far the folds are."""
        return self.pipeline.live.newest_folded_at()

    def queued(self) -> int:
        """Count the messages in the pipeline's queue or being worked on, about."""
        return self.pipeline.queued()

    def dead(self) -> int:
        """Count the messages that were given up."""
        return self.pipeline.dead()

    def _table(self, part: Part) -> str:
        if self.legacy is not None and part.of_legacy:
            return self.legacy.table(part)
        outputs = self.pipeline.outputs
        return {
            Part.EMPLOYEE_ROWS: outputs.employee_progress_table,
            Part.PROGRAM_ROWS: outputs.program_progress_table,
            Part.FACTS: outputs.facts_table,
        }[part]

    def _chunks(
        self, scan: Scan[T], positions: Mapping[int, bytes | None], lines: Callable[[list[T]], bytes]
    ) -> Iterator[Chunk]:
        for batch in batches(self.raw, scan, self.pace, positions):
            yield Chunk(lines(batch.items), len(batch.items), batch.segment, batch.position)

    def _employee(self, name: str, legacy: Callable[[str], LegacyReading] | None) -> EmployeeReading:
        outputs = self.pipeline.outputs
        known = legacy(name) if legacy else None
        key = (_EMPLOYEE, {"S": name})
        items = partition(self.raw, outputs.employee_progress_table, ProgressItem, key)
        rows = {item.row: item.parts for item in items}
        facts = partition(self.raw, outputs.facts_table, FactItem, key)
        return EmployeeReading(name, rows, [fact.fact(outputs.facts_table) for fact in facts], known)


def _facts(table: str, segments: int, since: str | None) -> Scan[FactItem]:
    if since is None:
        return Scan(table, FactItem, segments)
    condition = "ingested_at > :since"
    return Scan(table, FactItem, segments, condition=condition, values={":since": {"S": since}})


def fact_lines(items: Iterable[FactItem]) -> bytes:
    """Write facts as lines for the store."""
    return _encoder.encode_lines([item.line() for item in items])


def _row_lines(items: Iterable[ProgressItem]) -> bytes:
    return _encoder.encode_lines([_row_line(item) for item in items])


def _row_line(item: ProgressItem) -> _RowLine:
    return _RowLine(
        *item.row,
        item.points.N,
        item.events.N,
        item.fingerprint.N,
        item.base_points.N,
        item.base_events.N,
        item.base_fingerprint.N,
    )
