"""The acknowledgement ledger: what was sent and what was answered, line by line, and what that proves.

A `send` line is written before the first byte leaves, an `answer` line after the answer is read. So a
load that is killed leaves sends without an answer: their fate is unknown, and nothing that was
acknowledged is missing.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from migration.model.answers import Answer, SendOutcome
from migration.model.fold import COLUMNS, CONTENT, Activity, Identity, canonical_time
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


SCHEMA_VERSION: Final = 1
HEADER: Final = {"kind": "acknowledgement ledger", "schema_version": SCHEMA_VERSION}
LONGEST_BODY: Final = 8_192  # bytes that a side takes; of a longer body only the start is kept
KEPT_OF_A_LONG_BODY: Final = 200
_UNREADABLE: Final[Mapping[str, Any]] = {name: 0 if COLUMNS[name] is int else "?" for name in CONTENT}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """An activity that a side answered for.

    Attributes:
        activity: its content, under the ids that the answer named.
        sends: how often it was acknowledged.
        tries: how often it was put on the wire for that, retries of the same send included.
    """

    activity: Activity
    sends: int
    tries: int


@dataclass(slots=True)
class SideLedger:
    """Everything that one side was sent, sorted by how it ended.

    Attributes:
        sent: how many bodies.
        conflicts: how many were refused as contradicting an earlier one.
        acknowledged: by identity; more than one entry means that different contents were accepted.
        unnamed: what was acknowledged for each content that came without an event id.
        unknown: activities without a deciding answer; their event id is empty when they brought none.
        unknown_sends: how many those were, unreadable ones included.
        rejected: how many were refused for what they are.
        rejected_because: how often each reason was given; one send can have several.
    """

    sent: int = 0
    conflicts: int = 0
    acknowledged: dict[Identity, list[Acknowledged]] = field(default_factory=dict)
    unnamed: dict[Activity, set[Identity]] = field(default_factory=dict)
    unknown: list[Activity] = field(default_factory=list)
    unknown_sends: int = 0
    rejected: int = 0
    rejected_because: Counter[str] = field(default_factory=Counter)

    @property
    def acknowledgements(self) -> int:
        """How many sends were acknowledged, the same activity more than once included."""
        return sum(one.sends for several in self.acknowledged.values() for one in several)


@dataclass(slots=True)
class Ledger:
    """What a ledger file says, by side; `unreadable` counts lines that a crash cut short."""

    sides: dict[Side, SideLedger] = field(default_factory=dict)
    unreadable: int = 0


def merged(sides: Iterable[SideLedger]) -> SideLedger:
    """Put what several were asked together, as if one had been."""
    whole = SideLedger()
    for side in sides:
        whole.sent += side.sent
        whole.conflicts += side.conflicts
        whole.unknown += side.unknown
        whole.unknown_sends += side.unknown_sends
        whole.rejected += side.rejected
        whole.rejected_because += side.rejected_because
        for content, identities in side.unnamed.items():
            whole.unnamed.setdefault(content, set()).update(identities)
        for several in side.acknowledged.values():
            for one in several:
                _add(whole, one)
    return whole


def read_ledger(lines: Iterable[str]) -> Ledger:
    """Sort out a ledger's lines.

    A line that a crash cut short is counted and left out: a lost `send` line never left, a lost
    `answer` line makes its send unknown.
    """
    ledger = Ledger()
    open_sends: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        try:
            _take_line(ledger, open_sends, json.loads(line))
        except (ValueError, KeyError, TypeError):
            ledger.unreadable += 1
    for send in open_sends.values():
        _take_unknown(ledger.sides[Side(send["side"])], send)
    return ledger


def _take_line(ledger: Ledger, open_sends: dict[str, Mapping[str, Any]], entry: Mapping[str, Any]) -> None:
    if entry["kind"] == "send":
        ledger.sides.setdefault(Side(entry["side"]), SideLedger()).sent += 1
        open_sends[entry["send"]] = entry
    elif entry["kind"] == "answer":
        send = open_sends[entry["send"]]
        _take(ledger.sides[Side(send["side"])], send, entry)
        del open_sends[entry["send"]]


def send_entry(send: str, side: Side, body: bytes, at: float) -> dict[str, Any]:
    """Take down that a body is about to be sent, at this epoch time."""
    kept = body if len(body) <= LONGEST_BODY else body[:KEPT_OF_A_LONG_BODY]
    text = kept.decode("utf-8", "backslashreplace")
    return {"kind": "send", "send": send, "side": side, "at": round(at, 6), "body": text}


def answer_entry(
    send: str, answer: Answer, tries: Sequence[str], at: float, latency_ms: float
) -> dict[str, Any]:
    """Take down how a send ended, what each try on the way met, and how long it all took."""
    return {
        "kind": "answer",
        "send": send,
        **asdict(answer),
        "tries": tries,
        "answered_at": round(at, 6),
        "latency_ms": round(latency_ms, 3),
    }


def is_header(line: str) -> bool:
    """Whether a file that starts with this line is a ledger that this code reads."""
    try:
        return bool(json.loads(line) == HEADER)
    except ValueError:
        return False


def reasons(error: str, problems: Iterable[Mapping[str, str]]) -> list[str]:
    """Say in words why a send was rejected: one reason for each bad field, or the error's name."""
    return [f"{problem['field']} {problem['problem']}" for problem in problems] or [error]


def _take(side: SideLedger, send: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    outcome = SendOutcome(answer["outcome"])
    if outcome is SendOutcome.ACKNOWLEDGED:
        _take_acknowledged(side, send, answer)
    elif outcome is SendOutcome.REJECTED:
        side.rejected += 1
        side.rejected_because.update(reasons(answer["error"], answer["problems"]))
    elif outcome is SendOutcome.CONFLICT:
        side.conflicts += 1
    else:
        _take_unknown(side, send)


def _take_acknowledged(side: SideLedger, send: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    # An answer to something that is no activity still counts: the check then finds it lost.
    activity = _activity(send["body"], answer["event_id"]) or Activity(
        answer["employee_id"], answer["event_id"], **_UNREADABLE
    )
    tries = len(answer["tries"])
    if '"event_id"' not in send["body"]:
        side.unnamed.setdefault(replace(activity, event_id=""), set()).add(activity.identity)
    _add(side, Acknowledged(activity, 1, tries))


def _add(side: SideLedger, new: Acknowledged) -> None:
    """Count an acknowledgement with those of the same content."""
    several = side.acknowledged.setdefault(new.activity.identity, [])
    for index, one in enumerate(several):
        if one.activity == new.activity:
            several[index] = Acknowledged(one.activity, one.sends + new.sends, one.tries + new.tries)
            return
    several.append(new)


def _take_unknown(side: SideLedger, send: Mapping[str, Any]) -> None:
    side.unknown_sends += 1
    activity = _activity(send["body"], "")
    if activity is not None:
        side.unknown.append(activity)


def _activity(body: str, answered_event_id: str) -> Activity | None:
    """Read what was sent; the client's own ids win over answered ones, so a wrong answer shows."""
    try:
        sent = json.loads(body)
        named = {**sent, "event_id": sent.get("event_id") or answered_event_id}
        fields = {name: named[name] for name in COLUMNS}
        if any(type(fields[name]) is not kind for name, kind in COLUMNS.items()):
            return None
        return Activity(**{**fields, "occurred_at": canonical_time(fields["occurred_at"])})
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
