"""A move from one routing value to another, in words and as hooks, notices and the journal tell it.

Says what a move is; `transitions` says which are legal, and the engine's `Mover` makes them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from migration.model.journal import control_detail
from migration.model.stages import Stage
from migration.model.transitions import is_back

if TYPE_CHECKING:
    from migration.model.stages import Control


@dataclass(frozen=True, slots=True)
class Move:
    """One change of what routes traffic.

    Attributes:
        migration: whose.
        was: what routed.
        to: what routes next.
        at: when it is made, UTC text with milliseconds.
        by: `user@machine:process`, or the function that makes it.
        step: the plan's step that it belongs to, or the command.
        text: one sentence for people.
        cause: why it goes back; empty going forward.
        plan: the hash of the plan that it follows; empty when there is none.
    """

    migration: str
    was: Control
    to: Control
    at: str
    by: str
    step: str
    text: str
    cause: str = ""
    plan: str = ""

    @property
    def is_back(self) -> bool:
        """Whether it gives the pipeline less."""
        return is_back(self.was, self.to)

    @property
    def detail(self) -> dict[str, Any]:
        """The part that its journal entry does not hold otherwise."""
        return {
            "was": control_detail(self.was),
            "to": control_detail(self.to),
            "rollback": self.is_back,
            "cause": self.cause,
            "plan": self.plan,
        }

    @property
    def told(self) -> dict[str, Any]:
        """All of it, as hooks and notices get it; JSON values."""
        said = {name: getattr(self, name) for name in ("migration", "at", "by", "step", "text")}
        return {**said, **self.detail}


def control_words(control: Control) -> str:
    """Name a routing value for people: `shadow`, or `live (writes 25 %, reads 5 %)`."""
    if control.stage is not Stage.LIVE:
        return control.stage.value
    return f"live (writes {control.write_weight / 100:g} %, reads {control.read_weight / 100:g} %)"
