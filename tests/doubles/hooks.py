"""Hooks and notices in memory: they take down what they are told, and fail when asked to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.cutover.hooks import HookFailure
    from migration.cutover.moves import Move
    from migration.cutover.notice import Notice


@dataclass(slots=True)
class MemoryHooks:
    """Hooks that say yes, or what they were given to say."""

    refusal: HookFailure | None = None
    failures: Sequence[HookFailure] = ()
    asked: list[Move] = field(default_factory=list)
    told: list[Move] = field(default_factory=list)

    def before(self, move: Move) -> HookFailure | None:
        """Ask."""
        self.asked.append(move)
        return self.refusal

    def after(self, move: Move) -> Sequence[HookFailure]:
        """Tell."""
        self.told.append(move)
        return self.failures


@dataclass(slots=True)
class MemoryNotices:
    """Notices that arrive, or fail as they were told to."""

    failures: Sequence[str] = ()
    told: list[Notice] = field(default_factory=list)

    def tell(self, notice: Notice) -> Sequence[str]:
        """Tell."""
        self.told.append(notice)
        return self.failures
