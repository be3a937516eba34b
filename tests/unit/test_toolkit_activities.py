"""The generator: the same seed gives the same file, and the file has everything that real clients send."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.load.activities import generate
from migration.load.malformed import MALFORMED, malform
from pipeline.domain.activity import MAX_BODY_BYTES, Activity, parse_activity

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
VALID = {
    "event_id": "ev-1",
    "employee_id": "emp-0001",
    "program_id": "prog-onboarding",
    "activity_type": "task_completed",
    "points": 10,
    "occurred_at": "2026-03-01T09:00:00Z",
}


def parsed(line: bytes) -> Activity | None:
    if len(line) > MAX_BODY_BYTES:
        return None
    try:
        fields: Any = json.loads(line.decode())
    except ValueError:
        return None
    activity = parse_activity(fields, NOW) if isinstance(fields, dict) else None
    return activity if isinstance(activity, Activity) else None


def test_the_same_seed_and_time_give_the_same_bytes() -> None:
    assert list(generate(500, 7, NOW)) == list(generate(500, 7, NOW))
    assert list(generate(500, 7, NOW)) == list(generate(500, 7, NOW.astimezone(timezone(timedelta(hours=5)))))


def test_another_seed_or_time_gives_other_event_ids() -> None:
    ids = [
        {activity.event_id for line in generate(500, seed, now) if (activity := parsed(line))}
        for seed, now in ((7, NOW), (8, NOW), (7, NOW - timedelta(seconds=1)))
    ]
    assert not ids[0] & ids[1]
    assert not ids[0] & ids[2]


def test_a_seed_gives_the_same_file_on_every_python() -> None:
    digest = hashlib.sha256(b"\n".join(generate(2_000, 7, NOW))).hexdigest()
    assert digest[:16] == "0adbeac26b3e76b1"  # 3.11, 3.12 and 3.13; changes only with the generator


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 700), st.integers())
def test_it_gives_as_many_lines_as_asked_for_and_never_a_line_break(count: int, seed: int) -> None:
    lines = list(generate(count, seed, NOW))
    assert len(lines) == count
    assert not [line for line in lines if b"\n" in line or b"\r" in line or not line]


def test_two_thousand_lines_hold_retries_conflicts_late_ones_and_every_mistake() -> None:
    lines = list(generate(2_000, 7, NOW))
    activities = [activity for line in lines if (activity := parsed(line))]
    times = [datetime.fromisoformat(activity.occurred_at) for activity in activities]
    contents = {(activity.employee_id, activity.event_id, activity.points) for activity in activities}
    identities = {(activity.employee_id, activity.event_id) for activity in activities}
    repeated = [line for line, times in Counter(lines).items() if times > 1 and parsed(line)]
    assert len(lines) - len(activities) >= len(MALFORMED)
    assert len(activities) - len(contents) > 50
    assert 5 <= len(contents) - len(identities) <= 10
    assert {b'"event_id"' in line for line in repeated} == {True, False}
    assert sum(moment < NOW - timedelta(days=7) for moment in times) > 20
    assert max(times) <= NOW


def test_few_employees_and_programs_do_most_of_it() -> None:
    activities = [activity for line in generate(4_000, 7, NOW) if (activity := parsed(line))]
    for name, share in (("employee_id", 0.3), ("program_id", 0.4)):
        counts = sorted(Counter(getattr(one, name) for one in activities).values(), reverse=True)
        assert sum(counts[: len(counts) // 5]) > share * len(activities), name


def test_a_conflict_comes_long_after_what_it_contradicts() -> None:
    seen: dict[tuple[str, str], tuple[int, int]] = {}
    distances = []
    for number, line in enumerate(generate(3_000, 7, NOW)):
        if activity := parsed(line):
            key = (activity.employee_id, activity.event_id)
            first, points = seen.setdefault(key, (number, activity.points))
            if points != activity.points:
                distances.append(number - first)
    assert distances
    assert min(distances) >= 100


@pytest.mark.parametrize("kind", MALFORMED)
def test_every_mistake_breaks_a_rule(kind: str) -> None:
    assert parsed(json.dumps(VALID).encode()) is not None
    assert parsed(malform(kind, VALID, NOW)) is None
