"""Both sides' tables in DynamoDB, as a verification reads them: whole by the fast scan, again by key.

Every read is consistent. No code of either side takes part, so what is read here can judge both.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from migration.aws.tables.scanned_items import FactItem, ProgressItem
from migration.aws.transport.clients import translated
from migration.aws.transport.query import partition
from migration.aws.transport.scan import ReadPace, Scan, batches
from migration.compare.verify.verification import EmployeeReading, LegacyReading, Parts
from migration.compare.verify.verifying import Chunk, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from migration.aws.tables.side_tables import PipelineTables
    from migration.aws.tables.verify_legacy import LegacyReader
    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.model.fold import Fold, Row

T = TypeVar("T")

READERS: Final = 16  # employees that are read side by side
_EMPLOYEE: Final = "employee_id"
_encoder: Final = msgspec.json.Encoder()


class _FactLine(msgspec.Struct, gc=False):
    employee_id: str
    event_id: str
    program_id: str
    activity_type: str
    points: str
    occurred_at: str
    ingested_at: str
    lane: str
    side: str


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
class VerifyTables:
    """Reads both sides.

    Attributes:
        raw: DynamoDB.
        pipeline: the pipeline's tables and queues.
        legacy: legacy's tables; None when it is not looked at.
        pace: shared by all scans.
        segments: parts of a table that are read side by side.
    """

    raw: RawDynamoDB
    pipeline: PipelineTables
    legacy: LegacyReader | None
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
        outputs = self.pipeline.outputs
        if part is Part.FACTS:
            return self._chunks(_facts(outputs.facts_table, self.segments, since), positions, fact_lines)
        if part is Part.EMPLOYEE_ROWS:
            rows = Scan(outputs.employee_progress_table, ProgressItem, self.segments)
            return self._chunks(rows, positions, _row_lines)
        if self.legacy is None:
            return iter(())
        scan, line = self.legacy.whole(part, self.segments)
        return self._chunks(scan, positions, lambda items: _encoder.encode_lines(list(map(line, items))))

    def about(self, part: Part) -> int:
        """Estimate how many items a table has; DynamoDB counts them every six hours or so."""
        outputs = self.pipeline.outputs
        own = {Part.FACTS: outputs.facts_table, Part.EMPLOYEE_ROWS: outputs.employee_progress_table}
        table = own.get(part) or (self.legacy.table(part) if self.legacy else None)
        if table is None:
            return 0
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

    def legacy_programs(self) -> Mapping[Row, Fold]:
        """Read legacy's row of every program."""
        return {} if self.legacy is None else self.legacy.programs()

    def employees(self, names: Sequence[str]) -> Iterator[EmployeeReading]:
        """Read these employees, each in the order legacy's rows, legacy's events, rows, facts."""
        legacy = self.legacy.readings(names) if self.legacy else None
        with ThreadPoolExecutor(READERS, thread_name_prefix="employees") as pool:
            yield from pool.map(lambda name: self._employee(name, legacy), names)

    def queued(self) -> int:
        """Count the messages in the pipeline's queue or being worked on, about."""
        return self.pipeline.queued()

    def dead(self) -> int:
        """Count the messages that were given up."""
        return self.pipeline.dead()

    def _chunks(
        self, scan: Scan[T], positions: Mapping[int, bytes | None], lines: Callable[[list[T]], bytes]
    ) -> Iterator[Chunk]:
        for batch in batches(self.raw, scan, self.pace, positions):
            yield Chunk(lines(batch.items), len(batch.items), batch.segment, batch.position)

    def _employee(self, name: str, legacy: Callable[[str], LegacyReading] | None) -> EmployeeReading:
        outputs = self.pipeline.outputs
        known = legacy(name) if legacy else None
        key = {"S": name}
        items = partition(self.raw, outputs.employee_progress_table, ProgressItem, _EMPLOYEE, key)
        rows = {item.row: item.parts for item in items}
        facts = partition(self.raw, outputs.facts_table, FactItem, _EMPLOYEE, key)
        return EmployeeReading(name, rows, [fact.fact(outputs.facts_table) for fact in facts], known)


def _facts(table: str, segments: int, since: str | None) -> Scan[FactItem]:
    if since is None:
        return Scan(table, FactItem, segments)
    condition = "ingested_at > :since"
    return Scan(table, FactItem, segments, condition=condition, values={":since": {"S": since}})


def fact_lines(items: Iterable[FactItem]) -> bytes:
    """Write facts as lines for the store."""
    return _encoder.encode_lines([_fact_line(item) for item in items])


def _row_lines(items: Iterable[ProgressItem]) -> bytes:
    return _encoder.encode_lines([_row_line(item) for item in items])


def _fact_line(item: FactItem) -> _FactLine:
    return _FactLine(
        item.employee_id.S,
        item.event_id.S,
        item.program_id.S,
        item.activity_type.S,
        item.points.N,
        item.occurred_at.S,
        item.ingested_at.S,
        item.lane.S,
        item.side.S,
    )


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
