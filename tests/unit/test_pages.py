"""What pages are made of: one look for the dashboard and every report, and data that stays data."""

from __future__ import annotations

import json
import re

import pytest
from jinja2 import UndefinedError

from migration.report.page import render
from pipeline.handlers.serve import _WEB, _asset

BASE = (_WEB / "base.css").read_text(encoding="utf-8")
REPORTS = ("diff", "shadow")
SHOWN = {"judgement": "same", "headline": "No differences", "meaning": "All agree."}
DATA = {"stack": "s", "migration": "m", "as_of": "2026", "first": "2026", "last": "2026"}


def style(page: str) -> str:
    found = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_and_the_dashboard_begin_with_one_look(name: str) -> None:
    assert style(render(name, DATA, **SHOWN)).startswith(BASE)
    assert _asset("/style.css").body.startswith(BASE)


@pytest.mark.parametrize(
    "text", [_asset("/style.css").body, *(render(one, DATA, **SHOWN) for one in REPORTS)]
)
def test_no_style_uses_a_colour_that_is_not_named(text: str) -> None:
    named = set(re.findall(r"^ *(--[a-z-]+):", text, re.MULTILINE))
    assert set(re.findall(r"var\((--[a-z-]+)", text)) <= named


def test_data_cannot_end_its_element_and_texts_are_escaped() -> None:
    hostile = "</script><script>alert(1)</script>"
    page = render("diff", {**DATA, "stack": hostile}, **SHOWN)
    assert hostile not in page
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    assert json.loads(data[1])["stack"] == hostile


def test_what_a_page_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="as_of"):
        render("diff", {"stack": "s"}, **SHOWN)
