"""What an update expression may say twice.

ministack 1.5.33 keeps the last of two clauses with the same keyword, and carries out two clauses that change
the same attribute one after the other. AWS refuses both, in an update and in a transaction, before it looks
at any item. Filled by refusing them where ministack checks an expression's names and values.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from ministack.services import dynamodb

from migration.local.emulator.gaps import seam

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Token = tuple[str, str]
    Path = list[str | int]

_KEYWORDS: Final = ("SET", "REMOVE", "ADD", "DELETE")
_ENDS_PATH: Final = ("EQ", "VALUE_REF", "EOF")


def fill() -> None:
    """Fill the gap."""
    seam.replace(dynamodb, "_validate_expression_attrs", _checking)


def _checking(validate: Callable[..., Any]) -> Callable[..., Any]:
    refuse = seam.original(dynamodb, "error_response_json")

    def check(request: Mapping[str, Any], fields: Sequence[str], *wording: Any) -> Any:  # noqa: ANN401 - as there
        if (refused := validate(request, fields, *wording)) is not None:
            return refused
        text = request.get("UpdateExpression") if "UpdateExpression" in fields else None
        reason = said_twice(text, request.get("ExpressionAttributeNames") or {}) if text else None
        return refuse("ValidationException", f"Invalid UpdateExpression: {reason}", 400) if reason else None

    return check


def said_twice(expression: str, names: Mapping[str, str]) -> str | None:
    """Say why AWS refuses an update expression for what it says twice; None when it does not."""
    keywords: list[str] = []
    paths: list[Path] = []
    for keyword, actions in _clauses(seam.original(dynamodb, "_tokenize")(expression)):
        if keyword in keywords:
            return f'The "{keyword}" section can only be used once in an update expression;'
        keywords.append(keyword)
        paths += [_path(action, names) for action in seam.original(dynamodb, "_split_by_comma")(actions)]
    for one, other in combinations(paths, 2):
        length = min(len(one), len(other))
        if one[:length] == other[:length]:
            return (
                "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                f"path one: {_shown(one)}, path two: {_shown(other)}"
            )
    return None


def _clauses(tokens: Sequence[Token]) -> list[tuple[str, list[Token]]]:
    clauses: list[tuple[str, list[Token]]] = []
    for kind, text in tokens:
        if kind == "IDENT" and text.upper() in _KEYWORDS:
            clauses.append((text.upper(), []))
        elif clauses and kind != "EOF":
            clauses[-1][1].append((kind, text))
    return clauses


def _path(action: Sequence[Token], names: Mapping[str, str]) -> Path:
    """Read the attribute that an action changes: all before its value."""
    end = next((place for place, (kind, _) in enumerate(action) if kind in _ENDS_PATH), len(action))
    path: Path = seam.original(dynamodb, "_parse_path_from_tokens")(action[:end], names)
    return path


def _shown(path: Path) -> str:
    return "[" + ", ".join(f"[{part}]" if isinstance(part, int) else part for part in path) + "]"
