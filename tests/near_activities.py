"""What clients send, for properties and edges: activities that are valid, nearly so, or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KINDS = {
    "event_id": "id",
    "employee_id": "id",
    "program_id": "id",
    "activity_type": "type",
    "points": "points",
    "occurred_at": "time",
}
_LATEST = NOW + timedelta(minutes=5)
EDGES: dict[str, list[Any]] = {
    "id": [
        *(
            "",
            " ",
            "a",
            " a",
            "a ",
            "#",
            "#total",
            "a#",
            "x" * 128,
            "x" * 129,
            "\u00e9" * 128,
            "\U0001f600" * 129,
        ),
        *(
            "a b",
            "a\tb",
            "a\n",
            "a\u00a0b",
            "a\u200bb",
            "\u2028",
            "\x00",
            "\x7f",
            "\ud800",
            "e\u0301",
            "\u0378",
        ),
    ],
    "type": [
        "task_completed",
        "Task_completed",
        "task_completed ",
        "pulse",
        "",
        "\ud800",
        ["task_completed"],
    ],
    "points": [0, 1, 10_000, 10_001, -1, 10**30, 1.0, 10.5, True, "1", float("nan"), float("inf"), -0.0],
    "time": [
        *(_LATEST.isoformat(), (_LATEST + timedelta(microseconds=1)).isoformat()),
        *("2000-01-01T00:00:00Z", "1999-12-31T23:59:59.999999Z", "2000-01-01T00:00:00+00:01"),
        *("1999-12-31T23:59:00-00:01", "2026-03-01T09:30:00", "2026-03-01 09:30:00Z", "2026-03-01t09:30:00z"),
        *(
            "2026-03-01T09:30Z",
            "2026-03-01T09:30:00.Z",
            "2026-03-01T09:30:00.1234567Z",
            "2026-03-01T24:00:00Z",
        ),
        *(
            "2026-03-01T09:30:00.1Z",
            "2026-03-01T09:30:00.123456Z",
            "2026-02-28T23:59:60Z",
            "2026-02-29T09:30:00Z",
        ),
        *("2026-03-01T09:30:00+14:00", "2026-03-01T09:30:00-23:59", "2026-03-01T09:30:00+24:00"),
        *("2026-03-01T09:30:00+00:60", "2026-03-01T09:30:00+0100", "2026-03-01T09:30:00Z\n", "\ud800"),
        *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1772357400"),
        *("\u0662\u0660\u0662\u0666-03-01T09:30:00Z", "2026-W09-7T09:30:00Z", " 2026-03-01T09:30:00Z"),
    ],
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*KINDS]) | st.text(max_size=9), inner)
    ),
    max_leaves=8,
)
valid_fields = st.fixed_dictionaries(
    {
        "employee_id": st.sampled_from(["emp-1", "emp-2"]),
        "program_id": st.sampled_from(["prog-1", "prog-2"]),
        "activity_type": st.sampled_from(["learning_milestone", "program_check_in", "task_completed"]),
        "points": st.integers(1, 3),
        "occurred_at": st.sampled_from(["2026-03-01T09:30:00Z", "2026-03-01T10:30:00.0001+01:00"]),
    },
    optional={"event_id": st.sampled_from(["ev-1", "ev-2", "ev-3"])},
)
_moments = st.floats(-1e4, 1e9).map(lambda age_s: (NOW - timedelta(seconds=age_s)).isoformat())


@st.composite
def nearly_valid_fields(draw: st.DrawFn) -> dict[str, Any]:
    """A valid activity with up to four fields dropped, replaced, or added."""
    fields = dict(draw(valid_fields))
    for name in draw(st.lists(st.sampled_from([*KINDS]) | st.text(max_size=140), max_size=4)):
        if name in fields and draw(st.booleans()):
            del fields[name]
        elif name in KINDS:
            fields[name] = draw(st.sampled_from(EDGES[KINDS[name]]) | _moments | st.text() | json_values)
        else:
            fields[name] = draw(json_values)
    return fields


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """An activity, any JSON or any bytes, at times cut, spliced, or padded to the edge of the size limit."""
    json_bodies = st.one_of(nearly_valid_fields(), valid_fields, json_values).map(encode)
    content = draw(json_bodies | st.binary())
    match draw(st.sampled_from(["whole", "whole", "whole", "cut", "spliced", "padded"])):
        case "cut":
            return content[: draw(st.integers(0, len(content)))]
        case "spliced":
            at = draw(st.integers(0, len(content)))
            return content[:at] + draw(st.binary(max_size=4)) + content[at:]
        case "padded":
            return content.ljust(draw(st.integers(8_190, 8_194)))
    return content


def encode(fields: object) -> bytes:
    """Fields as a client sends them."""
    return json.dumps(fields).encode()
