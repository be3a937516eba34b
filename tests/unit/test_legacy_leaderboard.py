"""Legacy's rebuild and serve: who is where, in what order, and what is answered when there is no board."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given
from hypothesis import strategies as st

from legacy import rebuild, serve
from pipeline.domain.ranking import Standing
from pipeline.domain.ranking import rank as pipeline_rank
from tests.legacy_aws import LegacySystem, http_event, rest_event, running_legacy

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def legacy() -> Iterator[LegacySystem]:
    with running_legacy() as system:
        yield system


def test_the_global_board_adds_programs_up_and_a_program_board_does_not(legacy: LegacySystem) -> None:
    legacy.post(event_id="1", employee_id="ann", program_id="p", points=5)
    legacy.post(event_id="2", employee_id="ann", program_id="q", points=4)
    legacy.post(event_id="3", employee_id="bob", program_id="p", points=6)
    assert legacy.rebuild() == {"rows": 3, "boards": 3}
    assert legacy.board() == (
        200,
        {
            "board": "global",
            "entries": [
                {"rank": 1, "employee_id": "ann", "points": 9},
                {"rank": 2, "employee_id": "bob", "points": 6},
            ],
        },
    )
    assert legacy.board(program="p") == (
        200,
        {
            "board": "program#p",
            "entries": [
                {"rank": 1, "employee_id": "bob", "points": 6},
                {"rank": 2, "employee_id": "ann", "points": 5},
            ],
        },
    )


def test_equals_share_a_rank_and_the_board_ends_at_its_size(legacy: LegacySystem) -> None:
    for number, points in enumerate([7, 7, 9, 7, 1]):
        legacy.post(event_id=str(number), employee_id=f"emp-{number}", points=points)
    legacy.rebuild()
    entries = legacy.board()[1]["entries"]
    assert [(entry["rank"], entry["points"]) for entry in entries] == [(1, 9), (2, 7), (2, 7)]
    drawn = sorted(("emp-0", "emp-1", "emp-3"), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    assert [entry["employee_id"] for entry in entries[1:]] == [drawn[2], drawn[1]]


@given(st.dictionaries(st.text(min_size=1), st.integers(1, 4)), st.integers(1, 5))
def test_legacy_and_pipeline_rank_alike(points: dict[str, int], size: int) -> None:
    standings = [Standing(employee, total, 0) for employee, total in points.items()]
    expected = [(e.rank, e.id, e.points) for e in pipeline_rank(standings, size, {})]
    assert [tuple(entry.values()) for entry in rebuild.rank(points, size)] == expected


def test_rebuilding_says_when_in_the_table(legacy: LegacySystem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "now", lambda: datetime(2026, 3, 2, tzinfo=UTC))
    legacy.rebuild()
    assert legacy.rows("leaderboard") == [
        {"board": "global", "entries": "[]", "rebuilt_at": "2026-03-02T00:00:00.000Z"}
    ]


def test_a_scan_goes_on_where_a_page_ends(legacy: LegacySystem) -> None:
    for number in range(5):
        legacy.post(event_id=str(number), employee_id=f"emp-{number}")
    pages: list[Any] = []

    def cut(params: dict[str, Any], **_: object) -> None:
        params["Limit"] = 2
        pages.append(params)

    legacy.register("provide-client-params.dynamodb.Scan", cut)
    assert legacy.rebuild() == {"rows": 5, "boards": 2}
    assert len(pages) > 3


def test_before_the_first_rebuild_the_global_board_is_empty_and_a_program_unknown(
    legacy: LegacySystem,
) -> None:
    assert legacy.board() == (200, {"board": "global", "entries": []})
    status, body = legacy.board(program="p")
    assert (status, body["error"]) == (404, "unknown_board")
    assert legacy.board(program="p" * 3000)[0] == 404


@pytest.mark.parametrize("event", [http_event, rest_event])
@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/", None, (404, "not_found", None)),
        ("POST", "/", None, (404, "not_found", None)),
        ("POST", "/leaderboard", None, (405, "method_not_allowed", "GET")),
        ("GET", "/leaderboard", {"board": "programs"}, (400, "invalid_query", None)),
        ("GET", "/leaderboard", {"program": "p", "page": "2"}, (400, "invalid_query", None)),
        ("GET", "/leaderboard", {"program": ""}, (400, "invalid_query", None)),
    ],
)
def test_serve_refuses_what_it_does_not_know(
    event: Any, method: str, path: str, query: Any, expected: tuple[int, str, str | None]
) -> None:
    response = serve.handler(event(method, path, query=query), None)
    error = json.loads(response["body"])["error"]
    assert (response["statusCode"], error, response["headers"].get("Allow")) == expected


def test_serve_is_unavailable_when_its_table_is(legacy: LegacySystem) -> None:
    def fail(_: object) -> None:
        raise EndpointConnectionError(endpoint_url="dynamodb")

    legacy.before("GetItem", "leaderboard", fail)
    response = serve.handler(rest_event("GET", "/leaderboard"), None)
    assert (response["statusCode"], response["headers"]["Retry-After"]) == (503, "1")
