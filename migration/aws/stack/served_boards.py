"""Both sides' leaderboards: made by invoking their functions, read from their public addresses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ValidationError

from migration.aws.transport.clients import translated
from migration.aws.transport.http import get
from migration.compare.boards.boards import Board, BoardEntry
from migration.model.errors import RemoteError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

TIMEOUT: Final = timedelta(seconds=15)


class _Entry(BaseModel):
    rank: int
    employee_id: str
    points: int


class _Board(BaseModel):
    entries: list[_Entry]


@dataclass(frozen=True, slots=True)
class ServedBoards:
    """One side's boards.

    Attributes:
        functions: AWS Lambda.
        function: makes the boards when it is invoked, instead of on its schedule.
        serve_url: serves them.
    """

    functions: LambdaClient
    function: str
    serve_url: str

    def refresh(self) -> None:
        """Have the boards made now."""
        with translated(f"invoking {self.function}"):
            result = self.functions.invoke(FunctionName=self.function)
        if "FunctionError" in result:
            text = result["Payload"].read().decode(errors="replace")[:300]
            raise RemoteError(f"{self.function} failed: {text}", hint="its log group has the reason")

    def read(self) -> Board:
        """Read the global board."""
        page = get(f"{self.serve_url}leaderboard", TIMEOUT)
        try:
            board = _Board.model_validate_json(page)
        except ValidationError as error:
            raise RemoteError(
                f"{self.serve_url}leaderboard is not a leaderboard: {error}", hint="see docs/contracts.md"
            ) from error
        return Board(tuple(BoardEntry(one.rank, one.employee_id, one.points) for one in board.entries))
