"""HTML and SVG from values: every text is escaped, unless it was made here."""

from __future__ import annotations

import html
from typing import Final

_EMPTY: Final = frozenset({"br", "circle", "path", "rect"})


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


def element(name: str, *children: str, **attributes: object) -> Markup:
    """Make an element; `class_` is `class`, other underscores are hyphens, and None leaves one out."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{told}/>")
    return Markup(f"<{name}{told}>{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    """Put pieces one after the other."""
    return Markup("".join(one if isinstance(one, Markup) else html.escape(one) for one in children))
