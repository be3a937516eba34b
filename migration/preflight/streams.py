"""The fact stream and what reads it: bound to each other, running, filtering right, and not too many.

facts ──stream──┬─► pipe capture ─► queue ─► aggregate      inserts of lane live
                └─► pipe mirror  ─► queue ─► mirror         what is, or becomes, of side pipeline, no pulses
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from migration.model.fold import COLUMNS
from migration.preflight.check import DEPLOY, broken, checked, held, judged, known
from pipeline.domain.queued_fact import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from migration.preflight.check import CheckResult
    from migration.preflight.deployed import Deployed, Leg, Pipe

MOST_READERS: Final = 2  # of a shard, says DynamoDB; more are throttled
STREAM_S: Final = 24 * 3600
PULSE: Final = "#pulse"
_NO_PULSE: Final = [{"anything-but": [PULSE]}]
_EVENTS: Final[Mapping[str, list[str]]] = {"capture": ["INSERT"], "mirror": ["INSERT", "MODIFY"]}
_PATTERNS: Final[Mapping[str, Mapping[str, Any]]] = {
    "capture": {"lane": ["live"]},
    "mirror": {"side": ["pipeline"], "employee_id": _NO_PULSE, "program_id": _NO_PULSE},
}
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "capture": frozenset(FIELDS),
    "mirror": frozenset({*COLUMNS, "ingested_at"}),
}


def check_streams(deployed: Deployed) -> Iterator[CheckResult]:
    """Check the stream, then each pipe, then how many read."""
    yield checked("fact_stream", partial(_stream, deployed))
    for leg in deployed.legs:
        yield checked(f"{leg.name}_pipe_bound", partial(_bound, leg, deployed))
        yield checked(f"{leg.name}_pipe_running", partial(_running, leg))
        yield checked(f"{leg.name}_pipe_filter", partial(_filter, leg))
        yield checked(f"{leg.name}_pipe_start", partial(_start, leg))
    yield checked("stream_readers", partial(_readers, deployed))


def _stream(deployed: Deployed, name: str) -> CheckResult:
    facts = known(deployed.facts)
    if facts.stream_arn is None:
        return broken(
            name,
            f"{facts.name} has no stream, so nothing that is stored there is folded or mirrored",
            f"{DEPLOY}; a stream that is switched on again is another one, so the pipes must be made anew",
        )
    if facts.stream_view not in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        why = f"the stream of {facts.name} holds {facts.stream_view}, and the pipes read NEW_IMAGE"
        return broken(name, why, DEPLOY)
    return held(name, f"{facts.stream_arn} holds {facts.stream_view}")


def _bound(leg: Leg, deployed: Deployed, name: str) -> CheckResult:
    pipe, queue, facts = known(leg.pipe), known(leg.queue), known(deployed.facts)
    problems = []
    if pipe.source != facts.stream_arn:
        problems.append(f"{pipe.name} reads {pipe.source}, and {facts.name} writes to {facts.stream_arn}")
    if pipe.target != queue.arn:
        problems.append(f"{pipe.name} sends to {pipe.target}, and {leg.name} consumes {queue.arn}")
    remedy = (
        "a pipe's source cannot be changed: delete the pipe, then deploy the stack again; it starts at the"
        " oldest record, and what it reads twice is folded once"
    )
    return judged(name, problems, f"{pipe.source} to {pipe.target}", remedy)


def _running(leg: Leg, name: str) -> CheckResult:
    pipe = known(leg.pipe)
    if pipe.state == "RUNNING":
        return held(name, f"{pipe.name} is RUNNING")
    why = f"{pipe.name} is {pipe.state}{f': {pipe.why}' if pipe.why else ''}; the stream keeps 24 h"
    return broken(name, why, f"mend what stopped it, then: aws pipes start-pipe --name {pipe.name}")


def _filter(leg: Leg, name: str) -> CheckResult:
    pipe = known(leg.pipe)
    problems = [*_wrong_filter(leg.name, pipe), *_wrong_template(leg.name, pipe)]
    good = f"one filter, {' '.join(pipe.patterns)}; the message has every attribute that {leg.name} needs"
    return judged(name, problems, good, DEPLOY)


def _wrong_filter(leg: str, pipe: Pipe) -> list[str]:
    due = _PATTERNS[leg]
    images = {key: {"S": one} for key, one in due.items()}
    wanted = {"eventName": _EVENTS[leg], "dynamodb": {"NewImage": images}}
    if len(pipe.patterns) != 1:
        return [f"{pipe.name} has {len(pipe.patterns)} filters, any of which lets a record pass; one is due"]
    try:
        pattern = json.loads(pipe.patterns[0])
    except ValueError:
        return [f"the filter of {pipe.name} is no JSON: {pipe.patterns[0]}"]
    if pattern == wanted:
        return []
    return [f"{pipe.name} lets pass {json.dumps(pattern)}, and must let pass {json.dumps(wanted)}"]


def _wrong_template(leg: str, pipe: Pipe) -> list[str]:
    absent = sorted(field for field in _FIELDS[leg] if f'"{field}":' not in pipe.template.replace(" ", ""))
    return [f"the message of {pipe.name} lacks {', '.join(absent)}"] if absent else []


def _start(leg: Leg, name: str) -> CheckResult:
    pipe = known(leg.pipe)
    if pipe.start == "TRIM_HORIZON":
        return held(name, f"{pipe.name} begins at TRIM_HORIZON, the oldest record")
    why = f"{pipe.name} begins at {pipe.start}, which misses what is inserted while a pipe starts"
    return broken(name, why, f"delete the pipe, then {DEPLOY}")


def _readers(deployed: Deployed, name: str) -> CheckResult:
    readers = known(deployed.readers)
    why = f"{len(readers)} read each shard ({', '.join(readers) or 'none'}); it carries {MOST_READERS}"
    if len(readers) <= MOST_READERS:
        return held(name, f"{why}. Applications that read the stream by themselves are listed nowhere")
    return broken(name, why, "let the others read a queue or a topic behind one of the two")


def given_up(leg: Leg) -> Iterator[str]:
    """Say how a record could leave the stream without a trace."""
    pipe, dead_letters = known(leg.pipe), known(leg.pipe_dead_letters)
    if not 0 < pipe.record_age_s < STREAM_S:
        age = "never" if pipe.record_age_s < 0 else f"at the age of {pipe.record_age_s / 3600:g} h"
        yield f"{pipe.name} gives a record up {age}, and the stream drops it at 24 h without a trace"
    if pipe.dead_letters != dead_letters.arn:
        kept = pipe.dead_letters or "nowhere"
        yield f"{pipe.name} sends what it gives up to {kept}, and {dead_letters.arn} is watched"
