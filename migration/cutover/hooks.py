"""Hooks: what a team wants asked before every move forward, and told after every move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.cutover.moves import Move


@dataclass(frozen=True, slots=True)
class HookFailure:
    """A hook that did not say yes.

    Attributes:
        hook: which, as the plan file names it, without secrets.
        why: its status and the end of what it said, or why there was no answer.
    """

    hook: str
    why: str

    def __str__(self) -> str:
        """Say both."""
        return f"hook {self.hook}: {self.why}"


class Hooks(Protocol):
    """A plan's hooks. Whatever befalls one is its failure; nothing is raised."""

    def before(self, move: Move) -> HookFailure | None:
        """Ask the hooks in their order, and stop at the first that does not say yes."""
        ...

    def after(self, move: Move) -> Sequence[HookFailure]:
        """Tell every hook, also when another one fails."""
        ...
