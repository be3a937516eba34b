"""Filters of a query on its key attributes.

ministack 1.5.33 filters by any attribute. AWS refuses a filter that names a key attribute of the table or
index that is queried: that belongs into the key condition. Filled by refusing it, after what
ministack itself checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import dynamodb

from migration.local.emulator.gaps import seam

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Request = dict[str, Any]
    Answer = tuple[int, dict[str, str], bytes]


def fill() -> None:
    """Fill the gap."""
    seam.replace(dynamodb, "_query", _checking)


def _checking(query: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    refuse = seam.original(dynamodb, "error_response_json")

    def check(request: Request) -> Answer:
        answer = query(request)
        if answer[0] >= 400:  # noqa: PLR2004 - refused for another reason
            return answer
        for name in _filtered_by(request):
            if name in _keys(request):
                rule = "Filter Expression can only contain non-primary key attributes"
                refused: Answer = refuse("ValidationException", f"{rule}: Primary key attribute: {name}", 400)
                return refused
        return answer

    return check


def _filtered_by(request: Request) -> Iterator[str]:
    """Name the attributes that a filter looks at, not what is inside of them."""
    names = request.get("ExpressionAttributeNames") or {}
    before = ""
    for kind, text in seam.original(dynamodb, "_tokenize")(request.get("FilterExpression") or ""):
        if before != "DOT" and kind in ("IDENT", "NAME_REF"):
            yield names.get(text, text)
        before = kind


def _keys(request: Request) -> set[str]:
    table = seam.original(dynamodb, "_tables")[request["TableName"].rpartition("/")[2]]
    if index := request.get("IndexName"):
        schema = seam.original(dynamodb, "_index_def")(table, index)["KeySchema"]
        return {one["AttributeName"] for one in schema}
    return {name for name in (table["pk_name"], table["sk_name"]) if name}
