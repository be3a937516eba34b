"""Both sides' tables as a diff reads them: fast parallel scans, consistent, never written.

Legacy's items are read as the plan maps them. It takes nothing from either side's code, so what it reads can
judge both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from migration.aws.tables.scanned_items import FactItem, ProgressItem
from migration.aws.tables.stored_boards import attribute, legacy_board, plain_value, snapshot_board
from migration.aws.transport.clients import translated
from migration.aws.transport.scan import ReadPace, Scan, batches
from migration.compare.diff.two_sides import Sighting, Stored, sighted
from migration.model.fold import RESERVED
from migration.model.mapping import activity_mapper, row_mapper
from pipeline.domain.snapshot import latest_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.aws.tables.side_tables import PipelineTables
    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.compare.diff.two_sides import StoredBoard
    from migration.model.clock import Clock
    from migration.model.fold import Fold, Row
    from migration.plan.outputs import LegacyOutputs, PipelineOutputs
    from migration.plan.plan import LegacyPlan

T = TypeVar("T")
Item = dict[str, Any]
_OF_EMPLOYEES: Final = ("global", "program#")


@dataclass(frozen=True, slots=True)
class StackSides:
    """The tables of a deployed stack.

    Attributes:
        source: where they are scanned.
        tables: the pipeline's, for what is on its way.
        legacy: legacy's names, as planned.
        pipeline: the pipeline's.
        plan: what legacy's items hold where.
        clock: what readers wait by.
    """

    source: RawDynamoDB
    tables: PipelineTables
    legacy: LegacyOutputs
    pipeline: PipelineOutputs
    plan: LegacyPlan
    clock: Clock

    def legacy_boards(self) -> Iterator[StoredBoard]:
        """Read legacy's boards; one that is not of employees, or of one program, is left out."""
        layout = self.plan.leaderboard
        for item in self._scan(self.legacy.leaderboard_table, Item):
            if str(plain_value(attribute(item, layout.board))).startswith(_OF_EMPLOYEES):
                yield legacy_board(layout, item)

    def pipeline_boards(self) -> Iterator[StoredBoard]:
        """Read the latest snapshots, board by board: the older ones beside them are thousands."""
        table, client = self.pipeline.snapshots_table, self.tables.client
        programs = {
            item.program_id.S for item in self._scan(self.pipeline.program_progress_table, ProgressItem)
        }
        boards = (f"program#{name}" for name in sorted(programs) if not name.startswith(RESERVED))
        for board in ("global", *boards):
            with translated(f"reading {table}"):
                item = client.get_item(TableName=table, Key=latest_key(board), ConsistentRead=True).get(
                    "Item"
                )
            if item is not None:
                yield snapshot_board(board, item["body"])

    def legacy_rows(self) -> Iterator[tuple[Row, Fold]]:
        """Read legacy's aggregates."""
        employees, programs = self.plan.employee_progress, self.plan.program_progress
        for table, layout in (
            (self.legacy.employee_progress_table, employees.layout),
            (self.legacy.program_progress_table, programs.layout),
        ):
            yield from map(row_mapper(layout), self._scan(table, Item))

    def pipeline_rows(self) -> Iterator[tuple[Row, Fold]]:
        """Read the pipeline's aggregates."""
        for table in (self.pipeline.employee_progress_table, self.pipeline.program_progress_table):
            yield from ((item.row, item.whole) for item in self._scan(table, ProgressItem))

    def legacy_events(self) -> Iterator[Sighting]:
        """Read legacy's event rows; other systems than the reference one do not say when one came."""
        activity = activity_mapper(self.plan.events.layout)
        for item in self._scan(self.legacy.events_table, Item):
            one = activity(item)
            came_at = item.get("received_at", {}).get("S", "")
            yield Sighting(one.identity, Stored(one.program_id, one.points, came_at), None)

    def facts(self) -> Iterator[Sighting]:
        """Read the facts."""
        table = self.pipeline.facts_table
        return (sighted(item.fact(table)) for item in self._scan(table, FactItem))

    def newest_folded_at(self) -> str | None:
        """Read how far the folds are."""
        return self.tables.live.newest_folded_at()

    def queued(self) -> int:
        """Count the messages on their way."""
        return self.tables.queued()

    def _scan(self, table: str, item: type[T]) -> Iterator[T]:
        for batch in batches(self.source, Scan(table, item), ReadPace(None, self.clock)):
            yield from batch.items
