"""A certificate's file, read back: whether it is one, and whether it says what was issued."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from migration.certificate.certificate import is_genuine
from migration.report.certificate_page import certificate_page

if TYPE_CHECKING:
    from collections.abc import Mapping

_DATA: Final = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Examined:
    """What a file holds, and what is wrong with it, if anything."""

    fields: Mapping[str, Any]
    problem: str | None


def examine(text: str) -> Examined:
    """Read a certificate's JSON or its page.

    A page is made again from the data in it, and compared: so a change that only its readers see shows too.

    Raises:
        ValueError: when it is no certificate.
    """
    data = _DATA.search(text)
    fields = json.loads(data[1] if data else text)
    if not is_genuine(fields):
        return Examined(fields, "its content is not what its hash was computed from")
    if data and certificate_page(fields) != text:
        problem = "the page says something else than its data, or another version of cutover made it"
        return Examined(fields, problem)
    return Examined(fields, None)
