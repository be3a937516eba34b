"""Boards as both sides store them, read out of an item, or refused. It reads no table.

docs/contracts.md says what a snapshot holds; the plan says where an item of legacy has its name and entries.
"""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, Protocol

from migration.compare.boards.boards import BoardEntry
from migration.compare.diff.two_sides import StoredBoard
from migration.model.errors import IntegrityError
from migration.model.fold import RESERVED
from pipeline.domain.ranking import PROGRAMS_BOARD

if TYPE_CHECKING:
    from collections.abc import Mapping


class BoardNames(Protocol):
    """Which attributes of an item of legacy's leaderboard have its name and its entries."""

    @property
    def board(self) -> str: ...  # noqa: D102 - an attribute's name
    @property
    def entries(self) -> str: ...  # noqa: D102


def legacy_board(names: BoardNames, item: Mapping[str, Any]) -> StoredBoard:
    """Read an item of legacy's leaderboard.

    Raises:
        IntegrityError: when its entries are none.
    """
    board, entries = (plain_value(attribute(item, path)) for path in (names.board, names.entries))
    return StoredBoard(
        str(board), entries_of(str(board), entries), plain_value(attribute(item, "rebuilt_at"))
    )


def snapshot_board(board: str, body: Mapping[str, Any]) -> StoredBoard:
    """Read a snapshot.

    Raises:
        IntegrityError: when it is something else.
    """
    try:
        fields = json.loads(zlib.decompress(body["B"]))
        made_at = str(fields["generated_at"])
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise _no_board(board, error) from error
    return StoredBoard(board, entries_of(board, fields), made_at)


def snapshot_programs(body: Mapping[str, Any]) -> list[str]:
    """Read the programs of their own board's snapshot, best first; pulses' are left out.

    Raises:
        IntegrityError: when it is something else.
    """
    try:
        entries = json.loads(zlib.decompress(body["B"]))["entries"]
        programs = [str(one["program_id"]) for one in entries]
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise _no_board(PROGRAMS_BOARD, error) from error
    return [name for name in programs if not name.startswith(RESERVED)]


def entries_of(board: str, stored: object) -> tuple[BoardEntry, ...]:
    """Read a board's entries: a list, JSON text of one, or an object that holds one.

    Raises:
        IntegrityError: when it is something else.
    """
    try:
        decoded: Any = json.loads(stored) if isinstance(stored, str) else stored
        listed = decoded["entries"] if isinstance(decoded, dict) else decoded
        return tuple(
            BoardEntry(int(one["rank"]), str(one["employee_id"]), int(one["points"])) for one in listed
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _no_board(board, error) from error


def _no_board(board: str, error: Exception) -> IntegrityError:
    return IntegrityError(
        f"the stored board {board!r} is not a leaderboard: {error!r}",
        hint="see who else writes to the table; docs/contracts.md has the layout",
    )


def attribute(item: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    """Follow dots into maps; what is not there is null."""
    *maps, last = path.split(".")
    for name in maps:
        item = item.get(name, {}).get("M", {})
    found: Mapping[str, Any] = item.get(last, {"NULL": True})
    return found


def plain_value(value: Mapping[str, Any]) -> Any:  # noqa: ANN401 - an attribute is anything
    """Read an attribute as DynamoDB writes it."""
    ((kind, content),) = value.items()
    if kind == "NULL":
        return None
    if kind == "L":
        return [plain_value(one) for one in content]
    if kind == "M":
        return {name: plain_value(one) for name, one in content.items()}
    return content
