"""Aggregate rows as their tables hold them: where each is, and how a fold is added to it, by whomever.

A program has several rows, by shard, so that those who add keep apart; readers sum them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from pipeline.domain.ranking import board_of, board_shard, is_reserved, score_fraction, shard_of

if TYPE_CHECKING:
    from collections.abc import Sequence

FRESHNESS: Final = "#freshness"
FRESHNESS_KEY: Final = {"program_id": {"S": FRESHNESS}, "shard": {"S": "newest"}}
_ADD: Final = "ADD points :p, events :e, fingerprint :f"
_SCORE: Final = "score = if_not_exists(score, :d) + :p"


class AnyRow(Protocol):
    """A row's name; an employee's, or of a program where there is no employee."""

    @property
    def employee_id(self) -> str | None: ...  # noqa: D102 - the fields of a row
    @property
    def program_id(self) -> str: ...  # noqa: D102


class AnyFold(Protocol):
    """What is added to a row."""

    @property
    def points(self) -> int: ...  # noqa: D102 - the fields of a fold
    @property
    def events(self) -> int: ...  # noqa: D102
    @property
    def fingerprint(self) -> int: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class FoldRows:
    """The rows of one stack.

    Attributes:
        employee_progress, program_progress: names of the tables.
        board_shards: index partitions of a board.
    """

    employee_progress: str
    program_progress: str
    board_shards: int

    def adding(
        self, row: AnyRow, delta: AnyFold, shard: str, *, sets: Sequence[str] = (), joins: bool = True
    ) -> dict[str, Any]:
        """Add to a row: an Update, in DynamoDB's words.

        Args:
            row: which.
            delta: what.
            shard: of the program's rows, if it is a program.
            sets: what else is set; its values are the caller's, and named by two letters.
            joins: whether the row belongs on its board, as one that gains an event does for sure.
        """
        numbers = {":p": delta.points, ":e": delta.events, ":f": delta.fingerprint}
        ranked, place = self._ranked(row, joins=joins)
        also = ", ".join((*sets, *ranked))
        return {
            **self._where(row, shard),
            "UpdateExpression": f"{_ADD} SET {also}" if also else _ADD,
            "ExpressionAttributeValues": {name: {"N": str(one)} for name, one in numbers.items()} | place,
        }

    def _where(self, row: AnyRow, shard: str) -> dict[str, Any]:
        program = {"program_id": {"S": row.program_id}}
        if row.employee_id is None:
            return {"TableName": self.program_progress, "Key": {**program, "shard": {"S": shard}}}
        key = {"employee_id": {"S": row.employee_id}, **program}
        return {"TableName": self.employee_progress, "Key": key}

    def _ranked(self, row: AnyRow, *, joins: bool) -> tuple[list[str], dict[str, dict[str, str]]]:
        """Keep an employee's row where it stands on its board, or put it there; pulses are on none."""
        if row.employee_id is None or is_reserved(row.employee_id):
            return [], {}
        fraction = {":d": {"N": f"{score_fraction(row.employee_id):f}"}}
        if not joins:
            return [_SCORE], fraction
        board = board_shard(board_of(row.program_id), shard_of(row.employee_id, self.board_shards))
        return ["board = :b", _SCORE], {**fraction, ":b": {"S": board}}
