"""A report as one HTML file: it opens offline, asks nobody for anything, and holds all its data.

Ids come from clients, so they are data to the last: the page gets them as JSON in which no tag can end, its
script sets them as text, and its policy runs that one script and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Page:
    """What a kind of report looks like; all are files of this folder.

    Attributes:
        template: with `$policy`, `$style`, `$data`, `$script` where it has one, and the names of its texts.
        styles: come after `page.css`, which all reports share.
        scripts: come after `page.js`; none for a page that is complete without.
    """

    template: str
    styles: Sequence[str]
    scripts: Sequence[str] = ()

    def render(
        self, texts: Mapping[str, str], data: Mapping[str, Any], markup: Mapping[str, str] | None = None
    ) -> str:
        """Make a page.

        Args:
            texts: shown as they are; escaped here.
            data: given to the script, and to whoever reads the file.
            markup: parts that the caller made as HTML.
        """
        style = "\n".join(read(name) for name in ("page.css", *self.styles))
        script = _scoped(self.scripts) if self.scripts else ""
        runs = f"'{_hash(script)}'" if script else "'none'"
        policy = (
            f"default-src 'none'; script-src {runs}; style-src '{_hash(style)}'; "
            "base-uri 'none'; form-action 'none'"
        )
        escaped = {name: html.escape(text) for name, text in {**texts, "policy": policy}.items()}
        return Template(read(self.template)).substitute(
            escaped, **(markup or {}), style=style, script=script, data=embedded(data)
        )


def embedded(fields: Mapping[str, Any]) -> str:
    """Write JSON that can stand in a script element: nothing in it can open or close a tag, or a comment."""
    text = json.dumps(fields, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def read(name: str) -> str:
    """Read a file of this folder."""
    return files("migration.report").joinpath(name).read_text(encoding="utf-8")


def _scoped(scripts: Sequence[str]) -> str:
    """Join the files in a scope of their own."""
    parts = (read(name) for name in ("page.js", *scripts))
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def _hash(text: str) -> str:
    """Name a text as a content security policy does."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
