"""What a pipe reads: the records of its stream from its position on that one of its filters matches.

ministack 1.5.33 reads everything and ignores the filter. AWS matches records as the event bus matches events,
any one of the filters being enough, and goes past what does not match. A stream that is disabled, or enabled
again, which makes another stream, leaves its pipe with nothing to read. Filled with ministack's own matching
of event patterns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ministack.services import dynamodb, eventbridge, pipes

from migration.local.emulator.gaps import pipe_api, seam

_BATCH: Final = 10
_READ: Final = 500
_ORPHANED: Final = "Stream not found. To resume processing please delete the pipe and create a new one."

Record = dict[str, Any]
Pipe = dict[str, Any]


@dataclass(slots=True)
class Flight:
    """A stretch of the stream, up to `end`, and those of its records that are left to send."""

    end: int
    left: list[Record]
    attempts: int = 0
    not_before: float = 0.0


def read(pipe: Pipe) -> Flight | None:
    """Read on to a full batch of matching records or to the stream's end; None when nothing is new."""
    table = _table_of_live_stream(pipe)
    if table is None:
        return None
    position = max(seam.original(pipes, "_positions")[pipe["Arn"]], dynamodb.stream_start_position(table))
    size = pipe_api.stream_parameters(pipe).get("BatchSize", _BATCH)
    flight = Flight(position, [])
    for record in dynamodb.stream_records_since(table, position, _READ):
        if len(flight.left) == size:
            break
        flight.end += 1
        if _matches(pipe, record):
            flight.left.append(record)
    return flight if flight.end > position else None


def move_on(pipe: Pipe, flight: Flight) -> None:
    """Move the pipe's position to the end of a flight, unless the pipe was deleted meanwhile."""
    if seam.original(pipes, "_pipes").get(pipe["Name"]) is pipe:
        seam.original(pipes, "_positions")[pipe["Arn"]] = flight.end


def _table_of_live_stream(pipe: Pipe) -> str | None:
    name: str = seam.original(pipes, "_table_name_from_stream_arn")(pipe["Source"])
    table = seam.original(dynamodb, "_tables").get(name) or {}
    enabled = (table.get("StreamSpecification") or {}).get("StreamEnabled")
    if enabled and table.get("LatestStreamArn") == pipe["Source"]:
        return name
    pipe["StateReason"] = _ORPHANED
    return None


def _matches(pipe: Pipe, record: Record) -> bool:
    patterns = pipe_api.patterns(pipe.get("SourceParameters") or {})
    compiled = seam.original(eventbridge, "_compiled_pattern")
    matches = seam.original(eventbridge, "_matches_detail")
    return not patterns or any(
        matches(record, option) for pattern in patterns for option in compiled(pattern)
    )
