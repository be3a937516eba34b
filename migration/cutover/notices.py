"""Notices: telling the world outside what happened to a migration. Best effort; nothing waits for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.cutover.notice import Notice


class Notices(Protocol):
    """Where notices go."""

    def tell(self, notice: Notice) -> Sequence[str]:
        """Tell everyone, and say what failed; nothing is raised for it."""
        ...
