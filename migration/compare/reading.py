"""The one reading of both sides' tables into a store, which a verification and a diff ask afterwards.

What was committed is not read again, so a killed process goes on where it was. It folds and judges nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migration.compare.both_sides import BothSides, Part
    from migration.compare.store import SideStore

    OnRead = Callable[[Part, int, int], None]


def read(sides: BothSides, store: SideStore, parts: Iterable[Part], on_read: OnRead) -> None:
    """Read parts, one after the other.

    Args:
        sides: both sides' tables; legacy's are left out where legacy is not looked at.
        store: where the lines are kept.
        parts: in the order of `Part`.
        on_read: called with a part, how many more lines were read of it, and about how many it has.
    """
    for part in parts:
        if sides.has_legacy or not part.of_legacy:
            about = sides.about(part)
            for lines in store.add(part, sides.chunks(part, store.positions(part))):
                on_read(part, lines, about)
