"""Legacy's flaws, one test each: legacy/README.md numbers them and names these tests."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from legacy import ingest, serve
from tests.legacy_aws import LegacySystem, http_event, running_legacy

if TYPE_CHECKING:
    from collections.abc import Iterator


# A handler that is killed or fails publishes no metrics, and Powertools says so.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.fixture
def legacy() -> Iterator[LegacySystem]:
    with running_legacy() as system:
        yield system


class KilledError(BaseException):
    """The function's time is over: no handler, no answer."""


def throttle(_: object) -> None:
    raise ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "UpdateItem")


def kill(_: object) -> None:
    raise KilledError


@pytest.mark.parametrize("table", ["program-progress", "employee-progress"])
def test_l1_progress_that_is_down_refuses_activities_that_are_stored(
    legacy: LegacySystem, table: str
) -> None:
    legacy.before("UpdateItem", table, throttle)
    status, body = legacy.post()
    assert (status, body["error"]) == (503, "unavailable")
    assert [row["event_id"] for row in legacy.rows("events")] == ["ev-1"]


def test_l2_a_failure_between_calls_leaves_a_partial_update(legacy: LegacySystem) -> None:
    legacy.before("UpdateItem", "employee-progress", throttle)
    assert legacy.post()[0] == 503
    assert len(legacy.rows("events")) == 1
    assert legacy.program() == (10, 1)
    assert legacy.employee() == (0, 0)


def test_l2_a_timeout_between_calls_leaves_a_partial_update(legacy: LegacySystem) -> None:
    legacy.before("UpdateItem", "program-progress", kill)
    with pytest.raises(KilledError):
        legacy.post()
    assert len(legacy.rows("events")) == 1
    assert (legacy.program(), legacy.employee()) == ((0, 0), (0, 0))


def test_l3_the_retry_that_the_503_asks_for_counts_twice(legacy: LegacySystem) -> None:
    legacy.before("UpdateItem", "employee-progress", throttle)
    assert legacy.post()[0] == 503
    legacy.repair()
    assert legacy.post()[0] == 202
    assert len(legacy.rows("events")) == 1
    assert legacy.program() == (20, 2)
    assert legacy.employee() == (10, 1)


def test_l3_an_accepted_activity_that_comes_again_counts_again(legacy: LegacySystem) -> None:
    assert legacy.post() == legacy.post()
    assert len(legacy.rows("events")) == 1
    assert (legacy.program(), legacy.employee()) == ((20, 2), (20, 2))


def test_l3_an_update_whose_answer_is_lost_is_applied_and_counts_again(legacy: LegacySystem) -> None:
    def lose_answer(model: Any, **_: object) -> None:
        raise ReadTimeoutError(endpoint_url=model.name)

    legacy.register("after-call.dynamodb.UpdateItem", lose_answer)
    assert legacy.post()[0] == 503
    legacy.repair()
    assert legacy.post()[0] == 202
    assert legacy.program() == (20, 2)


def test_l3_the_sdk_counts_twice_without_any_client_sending_again(legacy: LegacySystem) -> None:
    def first_answer_is_lost(attempts: int, **_: object) -> int | None:
        return 0 if attempts == 1 else None  # send again after 0 s

    legacy.register("needs-retry.dynamodb.UpdateItem", first_answer_is_lost)
    assert legacy.post()[0] == 202
    assert (legacy.program(), legacy.employee()) == ((20, 2), (20, 2))


def test_l4_a_stale_board_looks_like_a_fresh_one(legacy: LegacySystem) -> None:
    legacy.post(event_id="1")
    legacy.rebuild()
    request = http_event("GET", "/leaderboard")
    fresh = serve.handler(request, None)
    legacy.post(event_id="2")
    assert legacy.employee() == (20, 2)
    assert serve.handler(request, None) == fresh
    assert legacy.board()[1] == {
        "board": "global",
        "entries": [{"rank": 1, "employee_id": "emp-1", "points": 10}],
    }
    assert fresh["headers"] == {"Content-Type": "application/json"}


def test_l4_a_board_never_built_looks_like_nobody_having_points(legacy: LegacySystem) -> None:
    legacy.post()
    assert legacy.board() == (200, {"board": "global", "entries": []})


def test_l5_every_activity_updates_its_programs_one_row_while_the_client_waits(
    legacy: LegacySystem,
) -> None:
    touched: Counter[str] = Counter()
    legacy.before(
        "UpdateItem", "program-progress", lambda call: touched.update([call["Key"]["program_id"]["S"]])
    )
    for number in range(20):
        legacy.post(event_id=str(number), employee_id=f"emp-{number}")
    assert touched == {"prog-1": 20}


def test_l5_a_throttled_program_row_refuses_everyone_in_the_program(legacy: LegacySystem) -> None:
    def throttle_hot_row(call: dict[str, Any]) -> None:
        if call["Key"]["program_id"]["S"] == "prog-1":
            throttle(call)

    legacy.before("UpdateItem", "program-progress", throttle_hot_row)
    answers = [legacy.post(employee_id=f"emp-{number}")[0] for number in range(3)]
    assert answers == [503, 503, 503]
    assert legacy.post(program_id="prog-2", employee_id="emp-9")[0] == 202


def test_l6_a_rebuild_reads_every_employee_for_a_board_of_three(legacy: LegacySystem) -> None:
    scanned: list[int] = []
    legacy.register("after-call.dynamodb.Scan", lambda parsed, **_: scanned.append(parsed["ScannedCount"]))
    reads = []
    for employees in (range(10), range(10, 40)):
        for number in employees:
            legacy.post(event_id=str(number), employee_id=f"emp-{number}")
        scanned.clear()
        legacy.rebuild()
        reads.append(sum(scanned))
        assert len(legacy.board()[1]["entries"]) == 3
    assert reads == [1 + 10, 1 + 40]  # the program's row, and every employee's


def test_l7_a_rebuild_that_stops_midway_leaves_boards_of_different_times(legacy: LegacySystem) -> None:
    legacy.post(event_id="1")
    legacy.rebuild()
    legacy.post(event_id="2")

    def fail_after_global(call: dict[str, Any]) -> None:
        if call["Item"]["board"]["S"] != "global":
            throttle(call)

    legacy.before("PutItem", "leaderboard", fail_after_global)
    with pytest.raises(ClientError):
        legacy.rebuild()
    assert legacy.board()[1]["entries"][0]["points"] == 20
    assert legacy.board(program="prog-1")[1]["entries"][0]["points"] == 10


def test_l7_a_rebuild_shows_totals_that_never_were(legacy: LegacySystem) -> None:
    legacy.post(event_id="1", program_id="prog-1", points=1)
    legacy.post(event_id="2", program_id="prog-2", points=1)
    first_page_is_read = False

    def one_row_a_page(params: dict[str, Any], **_: object) -> None:
        params["Limit"] = 1

    def two_activities_arrive_between_pages(call: dict[str, Any]) -> None:
        nonlocal first_page_is_read
        if first_page_is_read and call["ExclusiveStartKey"]["program_id"]["S"] == "prog-1":
            legacy.post(event_id="3", program_id="prog-1", points=100)
            legacy.post(event_id="4", program_id="prog-2", points=1000)
        first_page_is_read = True

    legacy.register("provide-client-params.dynamodb.Scan", one_row_a_page)
    legacy.before("Scan", "employee-progress", two_activities_arrive_between_pages)
    legacy.rebuild()
    [shown] = [entry["points"] for entry in legacy.board()[1]["entries"]]
    assert shown == 1002  # the fourth activity without the third; there were only 2, 102 and 1102


def test_l8_totals_cannot_tell_a_lost_activity_from_a_doubled_one(legacy: LegacySystem) -> None:
    legacy.before("UpdateItem", "program-progress", throttle)
    assert legacy.post(event_id="lost")[0] == 503  # stored, never counted, and its client gives up
    legacy.repair()
    assert legacy.post(event_id="doubled") == legacy.post(event_id="doubled")
    stored = [row["points"] for row in legacy.rows("events")]
    assert (sum(stored), len(stored)) == legacy.program() == legacy.employee() == (20, 2)


def test_l9_a_retry_rewrites_the_stored_event(legacy: LegacySystem, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC)])
    monkeypatch.setattr(ingest, "now", lambda: next(moments))
    received = []
    for _ in range(2):
        legacy.post()
        received += [row["received_at"] for row in legacy.rows("events")]
    assert received == ["2026-03-02T00:00:00.000Z", "2026-03-03T00:00:00.000Z"]


def test_the_readme_names_every_test_of_a_flaw_and_no_other() -> None:
    text = (Path(ingest.__file__).parent / "README.md").read_text(encoding="utf-8")
    tests = {name for name in globals() if re.match(r"test_l\d_", name)}
    assert set(re.findall(r"`(test_l\d_\w+)`", text)) == tests
