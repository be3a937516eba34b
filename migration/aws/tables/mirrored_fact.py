"""A fact on its way back to legacy: what folding needs, and what legacy's event row holds besides."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pipeline.domain.queued_fact import QueuedFact, UnfoldableMessageError, parse_message


@dataclass(frozen=True, slots=True)
class MirroredFact(QueuedFact):
    """A queued fact with the rest of its content."""

    activity_type: str
    occurred_at: str


def parse_mirrored(body: str) -> MirroredFact:
    """Read the JSON text that the reverse pipe's input template wrote.

    Raises:
        UnfoldableMessageError: naming the first field that is missing or wrong.
    """
    fact = parse_message(body)
    fields = json.loads(body)
    for name in ("activity_type", "occurred_at"):
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise UnfoldableMessageError(f"{name} is missing or not a text")
    return MirroredFact(
        **asdict(fact), activity_type=fields["activity_type"], occurred_at=fields["occurred_at"]
    )
