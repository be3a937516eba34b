"""Freshness of snapshots."""

from datetime import UTC, datetime, timedelta

from pipeline.domain.fold import Fold
from pipeline.domain.ranking import Entry
from pipeline.domain.snapshot import Sources, body, ranks_by_id, with_freshness

AT = "2026-03-01T09:30:00.000Z"
LIMIT = timedelta(seconds=180)


def stale_reasons(newest: str | None, age_s: int) -> list[str]:
    snapshot = body("global", Sources(AT, newest, 0), Fold(), [])
    fresh = with_freshness(snapshot, datetime.fromisoformat(AT) + timedelta(seconds=age_s), LIMIT)
    assert fresh["stale"] is bool(fresh["stale_reasons"])
    assert fresh["age_s"] == max(age_s, 0)
    reasons: list[str] = fresh["stale_reasons"]
    return reasons


def test_fresh_within_the_threshold() -> None:
    assert stale_reasons("2026-03-01T09:29:00.000Z", 180) == []


def test_stale_when_the_job_stopped() -> None:
    assert stale_reasons("2026-03-01T09:29:00.000Z", 181) == [f"no snapshot since {AT}"]


def test_stale_when_facts_stopped_arriving_though_the_job_runs() -> None:
    assert stale_reasons("2026-03-01T09:20:00.000Z", 5) == [
        "when it was taken, nothing had been folded for 600 s"
    ]


def test_stale_before_anything_was_folded() -> None:
    assert stale_reasons(None, 5) == ["nothing has been folded yet"]


def test_clocks_that_disagree_make_no_negative_age_or_lag() -> None:
    assert stale_reasons("2026-03-01T09:30:07.000Z", -3) == []


def test_ranks_are_read_back_from_either_kind_of_board() -> None:
    source = Sources(AT, AT, 0)
    for board in ("global", "programs"):
        stored = body(board, source, Fold(3, 1, 9), [Entry(1, "x", 3, 1, None)])
        assert ranks_by_id(stored) == {"x": 1}
    assert ranks_by_id(None) == {}


def test_large_fingerprints_survive_javascript() -> None:
    stored = body("global", Sources(AT, AT, 0), Fold(1, 1, 2**60 - 1), [])
    assert stored["fingerprint"] == "1152921504606846975"
    assert datetime.fromisoformat(stored["generated_at"]).tzinfo == UTC
