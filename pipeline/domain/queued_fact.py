"""A fact as the queue carries it: only what folding needs, checked before anything is folded."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pipeline.domain.activity import MAX_POINTS
from pipeline.domain.fold import Fold, fingerprint, identity

FIELDS: Final = ("employee_id", "event_id", "program_id", "points", "ingested_at")
_WHOLE_NUMBER: Final = re.compile(r"0|[1-9]\d{0,5}", re.ASCII)


class UnfoldableMessageError(ValueError):
    """A message that can never be folded; it belongs in the dead-letter queue."""


@dataclass(frozen=True, slots=True)
class QueuedFact:
    """One fact of the live lane on its way to the aggregates. `ingested_at` is UTC text with milliseconds."""

    employee_id: str
    event_id: str
    program_id: str
    points: int
    ingested_at: str

    @property
    def identity(self) -> str:
        """The pair that names the fact everywhere."""
        return identity(self.employee_id, self.event_id)

    @property
    def fold(self) -> Fold:
        """The fold of this one fact."""
        return Fold(self.points, 1, fingerprint(self.identity))


def parse_message(body: str) -> QueuedFact:
    """Read the JSON text that the pipe's input template wrote.

    Raises:
        UnfoldableMessageError: naming the first field that is missing or wrong.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnfoldableMessageError("the message is not JSON") from error
    if not isinstance(fields, dict):
        raise UnfoldableMessageError("the message is not a JSON object")
    for name in FIELDS:
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise UnfoldableMessageError(f"{name} is missing or not a text")
    if not _WHOLE_NUMBER.fullmatch(fields["points"]) or int(fields["points"]) > MAX_POINTS:
        raise UnfoldableMessageError(f"points is not a whole number up to {MAX_POINTS}")
    if "\n" in fields["employee_id"]:
        raise UnfoldableMessageError("employee_id holds a line break")
    _check_time(fields["ingested_at"])
    return QueuedFact(
        **{name: fields[name] for name in FIELDS if name != "points"}, points=int(fields["points"])
    )


def _check_time(text: str) -> None:
    try:
        offset = datetime.fromisoformat(text).utcoffset()
    except ValueError as error:
        raise UnfoldableMessageError("ingested_at is not a time") from error
    if offset is None:
        raise UnfoldableMessageError("ingested_at has no offset")
