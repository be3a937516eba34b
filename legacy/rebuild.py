"""Rebuild: the scheduled job that scans all employees' progress, ranks it, and writes board by board."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from legacy.activity import format_time
from legacy.tables import table

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = Logger()
metrics = Metrics()


@metrics.log_metrics
def handler(_event: object, _context: object) -> dict[str, int]:
    """Rebuild all boards; returns how many rows were scanned and how many boards written."""
    size = int(os.environ["BOARD_SIZE"])
    programs = [str(row["program_id"]) for row in _scan("PROGRAM_PROGRESS_TABLE")]
    rows = list(_scan("EMPLOYEE_PROGRESS_TABLE"))
    boards = _add_up(programs, rows)
    for board, points in boards.items():
        _write(board, rank(points, size))
    metrics.add_metric("RowsScanned", MetricUnit.Count, len(rows))
    logger.info("rebuilt", rows=len(rows), boards=len(boards))
    return {"rows": len(rows), "boards": len(boards)}


def now() -> datetime:
    """Read the clock; the only place that rebuild does."""
    return datetime.now(UTC)


def rank(points: dict[str, int], size: int) -> list[dict[str, Any]]:
    """Order employees by points and, among equals, by draw; number the first `size` (1, 2, 2, 4)."""
    best = sorted(points, key=lambda employee: (points[employee], _draw(employee)), reverse=True)[:size]
    entries: list[dict[str, Any]] = []
    for position, employee in enumerate(best, start=1):
        tied = entries and entries[-1]["points"] == points[employee]
        number = entries[-1]["rank"] if tied else position
        entries.append({"rank": number, "employee_id": employee, "points": points[employee]})
    return entries


def _add_up(programs: list[str], rows: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    boards: dict[str, Counter[str]] = {"global": Counter()}
    boards |= {f"program#{program}": Counter() for program in programs}
    for row in rows:
        for board in ("global", f"program#{row['program_id']}"):
            boards.setdefault(board, Counter())[row["employee_id"]] += int(row["points"])
    return boards


def _write(board: str, entries: list[dict[str, Any]]) -> None:
    text = json.dumps(entries, ensure_ascii=False)
    table("LEADERBOARD_TABLE").put_item(
        Item={"board": board, "entries": text, "rebuilt_at": format_time(now())}
    )


def _draw(employee: str) -> int:
    return int(hashlib.sha256(employee.encode()).hexdigest()[:9], 16)


def _scan(variable: str) -> Iterator[dict[str, Any]]:
    page = table(variable).scan()
    yield from page["Items"]
    while "LastEvaluatedKey" in page:
        page = table(variable).scan(ExclusiveStartKey=page["LastEvaluatedKey"])
        yield from page["Items"]
