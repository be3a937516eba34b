"""Snapshots of the fact table, and their history facts folded where they are, beside no live traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from migration.backfill.history import FoldedHistory
    from migration.model.fold import Fold, Row


class HistoryExports(Protocol):
    """One stack's exports of its facts. What is begun with the same words is begun once."""

    def snapshot(self, token: str) -> str:
        """Begin to export the facts as they are now, or find the export that was begun with this token.

        Returns its name.

        Raises:
            UsageError: when the table cannot be exported.
        """
        ...

    def exporting(self, snapshot: str) -> str | None:
        """Say what an export waits for; None when it is complete.

        Raises:
            RemoteError: when it failed.
        """
        ...

    def fold(self, snapshot: str) -> str:
        """Begin to fold a complete export's history facts, or find the fold; returns its name."""
        ...

    def folding(self, fold: str) -> str | None:
        """Say what a fold waits for; None when it is complete.

        Raises:
            RemoteError: when it failed.
        """
        ...

    def folded(self, fold: str, bases: Iterable[tuple[Row, Fold]]) -> AbstractContextManager[FoldedHistory]:
        """Set a complete fold against what is installed; the changes can be read while the block lasts."""
        ...
