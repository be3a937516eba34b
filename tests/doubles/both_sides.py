"""Both sides' tables in memory; one suite holds them to DynamoDB's."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from migration.compare.both_sides import Chunk, Part
from migration.compare.verify.verification import EmployeeReading, LegacyReading, Parts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from migration.compare.diff.two_sides import StoredBoard
    from migration.model.facts import StoredFact
    from migration.model.fold import Activity, Fold, Identity, Row


@dataclass(slots=True)
class MemorySides:
    """Tables as dictionaries; programs' rows have no employee. One segment a table, one chunk an item.

    Attributes:
        facts: the fact table.
        rows: employee and program progress.
        has_legacy: whether legacy is looked at.
        events, legacy_rows: legacy's tables; its folds have no fingerprint.
        received_at: when an event came, where legacy tells.
        of_legacy, of_pipeline: the boards.
        newest: when the newest folded fact was ingested.
        messages: how many are in the queue.
        given_up: how many are in the dead-letter queues.
    """

    facts: dict[Identity, StoredFact] = field(default_factory=dict)
    rows: dict[Row, Parts] = field(default_factory=dict)
    has_legacy: bool = True
    events: dict[Identity, Activity] = field(default_factory=dict)
    legacy_rows: dict[Row, Fold] = field(default_factory=dict)
    messages: int = 0
    given_up: int = 0
    received_at: dict[Identity, str] = field(default_factory=dict)
    of_legacy: list[StoredBoard] = field(default_factory=list)
    of_pipeline: list[StoredBoard] = field(default_factory=list)
    newest: str | None = None

    def chunks(
        self, part: Part, positions: Mapping[int, bytes | None], since: str | None = None
    ) -> Iterator[Chunk]:
        """Read a table, from this position on; with `since`, only facts that were ingested later."""
        position = positions.get(0, b"0")
        if position is None:
            return
        lines = self._lines(part, since)
        for place, line in enumerate(lines[int(position) :], start=int(position) + 1):
            after = None if place == len(lines) else str(place).encode()
            yield Chunk(json.dumps(line).encode() + b"\n", 1, 0, after)
        if not lines:
            yield Chunk(b"", 0, 0, None)

    def about(self, part: Part) -> int:
        """Count a part's lines."""
        return len(self._lines(part, None))

    def programs(self) -> Mapping[Row, Parts]:
        """Read every program's row."""
        return {row: parts for row, parts in self.rows.items() if row.employee_id is None}

    def employees(self, names: Sequence[str]) -> Iterator[EmployeeReading]:
        """Read these employees, each in the order legacy's rows, legacy's events, rows, facts."""
        for name in names:
            legacy = self._legacy(name) if self.has_legacy else None
            rows = {row: parts for row, parts in self.rows.items() if row.employee_id == name}
            facts = [fact for identity, fact in self.facts.items() if identity.employee_id == name]
            yield EmployeeReading(name, rows, facts, legacy)

    def legacy_boards(self) -> Iterator[StoredBoard]:
        """Read legacy's boards."""
        return iter(self.of_legacy)

    def pipeline_boards(self, only: str | None = None) -> Iterator[StoredBoard]:
        """Read the pipeline's boards, or one of them."""
        return (board for board in self.of_pipeline if only in (None, board.board))

    def newest_folded_at(self) -> str | None:
        """Tell when the newest folded fact was ingested."""
        return self.newest

    def queued(self) -> int:
        """Count the messages in the queue."""
        return self.messages

    def dead(self) -> int:
        """Count the messages that were given up."""
        return self.given_up

    def _legacy(self, name: str) -> LegacyReading:
        rows = {row: fold for row, fold in self.legacy_rows.items() if row.employee_id == name}
        events = [event for identity, event in self.events.items() if identity.employee_id == name]
        return LegacyReading(rows, events)

    def _lines(self, part: Part, since: str | None) -> list[dict[str, Any]]:
        if part is Part.FACTS:
            facts = [fact for fact in self.facts.values() if since is None or fact.ingested_at > since]
            return [_fact(fact) for fact in facts]
        if part is Part.LEGACY_EVENTS:
            return [
                {**asdict(event), "received_at": self.received_at.get(identity, "")}
                for identity, event in self.events.items()
            ]
        if part is Part.PROGRAM_ROWS:
            return [_row(row, parts) for row, parts in self.programs().items()]
        if part is Part.EMPLOYEE_ROWS:
            return [_row(row, parts) for row, parts in self.rows.items() if row.employee_id is not None]
        of_employees = part is Part.LEGACY_EMPLOYEE_ROWS
        rows = [one for one in self.legacy_rows.items() if (one[0].employee_id is not None) is of_employees]
        return [{**row._asdict(), "points": fold.points, "events": fold.events} for row, fold in rows]


def _fact(fact: StoredFact) -> dict[str, Any]:
    more = {"ingested_at": fact.ingested_at, "lane": fact.lane, "side": fact.side}
    return {**asdict(fact.activity), **more}


def _row(row: Row, parts: Parts) -> dict[str, Any]:
    held, base = parts.live + parts.base, parts.base
    return {
        **row._asdict(),
        "points": held.points,
        "events": held.events,
        "fingerprint": held.fingerprint,
        "base_points": base.points,
        "base_events": base.events,
        "base_fingerprint": base.fingerprint,
    }
