"""A report as one HTML file: it opens offline, asks nobody for anything, and holds all its data.

Ids come from clients, so they are data to the last: templates escape whatever they show, the script gets them
as JSON in which no tag can end and sets them as text, and the page's policy runs that one script and nothing
else.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# The dashboard's files, for the look that reports share with it.
_FILES: Final = ChoiceLoader([PackageLoader("migration.report", "pages"), PackageLoader("pipeline", "web")])
_PAGES: Final = Environment(
    loader=_FILES, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_PAGES.policies["json.dumps_kwargs"] = {"separators": (",", ":")}


def render(name: str, data: Mapping[str, Any], scripts: Sequence[str] = (), **shown: object) -> str:
    """Make a page.

    Args:
        name: of its template and its style.
        data: shown by the template, given to the script, and kept for whoever reads the file.
        scripts: come after `report.js`; none for a page that is complete without.
        shown: what else the template shows.
    """
    style = "\n".join(_read(f"{one}.css") for one in ("base", "report", name))
    script = _scoped(scripts) if scripts else ""
    runs = f"'{_hash(script)}'" if script else "'none'"
    policy = (
        f"default-src 'none'; script-src {runs}; style-src '{_hash(style)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    template = _PAGES.get_template(f"{name}.html")
    return template.render(shown, data=data, policy=policy, style=style, script=script)


def _read(name: str) -> str:
    text, _, _ = _FILES.get_source(_PAGES, name)
    return text


def _scoped(scripts: Sequence[str]) -> str:
    """Join the files in a scope of their own."""
    parts = (_read(f"{name}.js") for name in ("report", *scripts))
    return '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"


def _hash(text: str) -> str:
    """Name a text as a content security policy does."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
