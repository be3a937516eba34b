"""What all views of the command line share: ids are printed as they are, lists say what they leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from migration.cli.console import data, say
from migration.cli.views import differing, number, points_of, show_some, table, told, verdict
from migration.compare.verify.verification import Difference
from migration.model.cause import Cause
from migration.model.guardrails import Outcome

if TYPE_CHECKING:
    import pytest

HOSTILE = "[/bold] :fox_face: [link=http://x]e-1"


def test_what_clients_chose_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    rows = table("of", number("events"), title=HOSTILE)
    rows.add_row(HOSTILE, "1")
    data.print(rows)
    data.print(f"undecided: {HOSTILE}")
    say(HOSTILE)
    printed = capsys.readouterr()
    assert printed.out.count(HOSTILE) == 3
    assert HOSTILE in printed.err


def test_a_list_says_what_it_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    show_some(["a", "b"], 2, Text)
    show_some(["a", "b", "c"], 1, Text, "more rows")
    assert capsys.readouterr().out == "a\nb\na\n  … and 2 more rows; --output json has all\n"


def test_what_differs_is_an_event_or_a_row() -> None:
    named = {("e-1", "v", "p"): "event v of e-1 in p", ("e-1", None, "p"): "e-1 in p", (None, None, "p"): "p"}
    for ids, name in named.items():
        assert differing(Difference(Cause.LOST, *ids, "detail")) == name


def test_one_point_is_not_points_and_nothing_is_a_dash() -> None:
    assert [points_of(points) for points in (None, 1, 1_000)] == ["", " (1 point)", " (1,000 points)"]
    assert told("{:.1f}", None) == "-"
    assert verdict(Outcome.FAIL, "it differs").plain == "✗ it differs"
