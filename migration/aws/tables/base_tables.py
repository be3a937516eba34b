"""The history part of the aggregates in DynamoDB: one conditional `UpdateItem` a row.

    ADD points, events, fingerprint the differences   SET base_* = due, board, score + difference
    if base_* is still what was held

The live lane's `ADD`s of the same moment are neither lost nor repeated: the totals move by a difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from migration.aws.tables.scanned_items import ProgressItem
from migration.aws.transport.metered import ConditionFailed, Writer
from migration.aws.transport.scan import ReadPace, Scan, batches
from migration.backfill.bases import Holds, Installed
from migration.model.fold import NOTHING
from pipeline.domain.fold_rows import FoldRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.aws.transport.raw_dynamodb import RawDynamoDB
    from migration.backfill.history import BaseChange
    from migration.model.facts import Spent
    from migration.model.fold import Fold, Row

BASE_SHARD: Final = "base"
_SETS: Final = ("base_points = :bp", "base_events = :be", "base_fingerprint = :bf")
_HELD: Final = "base_points = :hp AND base_events = :he AND base_fingerprint = :hf"


@dataclass(frozen=True, slots=True)
class BaseTables:
    """One stack's aggregates.

    Attributes:
        source: DynamoDB, for scans.
        writer: the same, for updates.
        employee_progress, program_progress: table names.
        board_shards: index partitions of a board, as the live lane has them.
        pace: what scans are held to.
    """

    source: RawDynamoDB
    writer: Writer
    employee_progress: str
    program_progress: str
    board_shards: int
    pace: ReadPace

    def bases(self) -> Iterator[tuple[Row, Fold]]:
        """Read the history part of every row that has one."""
        for table in (self.employee_progress, self.program_progress):
            scan = Scan(table, ProgressItem, condition="attribute_exists(base_events)")
            for batch in batches(self.source, scan, self.pace):
                yield from ((item.row, item.base) for item in batch.items)

    def install(self, change: BaseChange) -> tuple[Installed | Holds, Spent]:
        """Replace a row's history part if it is what the change says."""
        result, spent = self.writer.write(
            "UpdateItem", self._update(change), f"installing the history of {change.row}"
        )
        if isinstance(result, ConditionFailed):
            return Holds(msgspec.convert(result.item, ProgressItem).base if result.item else NOTHING), spent
        return Installed(), spent

    def _update(self, change: BaseChange) -> dict[str, Any]:
        free = change.held == NOTHING
        rows = FoldRows(self.employee_progress, self.program_progress, self.board_shards)
        update = rows.adding(change.row, change.due - change.held, BASE_SHARD, sets=_SETS)
        update["ExpressionAttributeValues"] |= _numbers("b", change.due)
        if not free:
            update["ExpressionAttributeValues"] |= _numbers("h", change.held)
        return {**update, "ConditionExpression": "attribute_not_exists(base_events)" if free else _HELD}


def _numbers(prefix: str, fold: Fold) -> dict[str, Any]:
    numbers = {"p": fold.points, "e": fold.events, "f": fold.fingerprint}
    return {f":{prefix}{name}": {"N": str(number)} for name, number in numbers.items()}
