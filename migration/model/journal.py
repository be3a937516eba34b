"""The journal: what was observed, decided, done and confirmed, by whom and when. Append-only.

Decides what an entry is, how entries are named and ordered; it never decides about a migration. An entry that
goes with a change of the state is made by the writer too, and written by who makes the change.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from migration.model.stages import Control, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping


class EntryKind(StrEnum):
    """What an entry takes down."""

    OBSERVED = "observed"  # what guardrails found
    DECIDED = "decided"  # what is going to be done, and why
    DONE = "done"  # the state changed; written in the same transaction
    CONFIRMED = "confirmed"  # what was done is seen to have taken effect
    DRILLED = "drilled"  # a rollback drill ended
    REPAIRED = "repaired"  # data was re-driven or compensated
    NOTED = "noted"  # anything else worth knowing: hooks, notices, a person's words


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry.

    Attributes:
        id: unique and ordered: the time in UTC with milliseconds, and a few letters by chance.
        kind: what it takes down.
        by: `user@machine:process`, or the function that wrote it.
        epoch: the state's epoch that it is about; of `done`, the new one.
        step: the plan's step that it belongs to, or the command.
        text: one sentence for people.
        detail: the same for programs; JSON values.
    """

    id: str
    kind: EntryKind
    by: str
    epoch: int
    step: str
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def at(self) -> str:
        """When it was written, UTC text with milliseconds."""
        return self.id.partition("#")[0]


def control_detail(control: Control) -> dict[str, Any]:
    """Write a routing value as an entry's detail has it."""
    return {
        "stage": control.stage,
        "write_weight": control.write_weight,
        "read_weight": control.read_weight,
        "epoch": control.epoch,
    }


def control_of(detail: Mapping[str, Any]) -> Control:
    """Read it back."""
    return Control(
        Stage(detail["stage"]), int(detail["write_weight"]), int(detail["read_weight"]), int(detail["epoch"])
    )
