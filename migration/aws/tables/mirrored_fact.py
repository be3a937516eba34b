"""A fact on its way back to legacy: what folding needs, and the activity that legacy's event row holds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.aws.tables.fact_items import activity_of
from migration.model.fold import COLUMNS
from pipeline.domain.queued_fact import QueuedFact, UnfoldableMessageError, parse_message

if TYPE_CHECKING:
    from migration.model.fold import Activity


@dataclass(frozen=True, slots=True)
class MirroredFact(QueuedFact):
    """A queued fact with its whole activity."""

    activity: Activity


def mirrored(activity: Activity, ingested_at: str) -> MirroredFact:
    """Make what is mirrored of an activity."""
    key = (activity.employee_id, activity.event_id)
    return MirroredFact(*key, activity.program_id, activity.points, ingested_at, activity)


def parse_mirrored(body: str) -> MirroredFact:
    """Read the JSON text that the reverse pipe's input template wrote.

    Raises:
        UnfoldableMessageError: naming the first field that is missing or wrong.
    """
    fact = parse_message(body)
    fields = json.loads(body)
    for name in COLUMNS:
        if not isinstance(fields.get(name), str) or not fields[name]:
            raise UnfoldableMessageError(f"{name} is missing or not a text")
    return mirrored(activity_of(fields[name] for name in COLUMNS), fact.ingested_at)
