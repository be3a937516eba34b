"""What a pipe remembers of what it was told.

ministack 1.5.33 accepts `SourceParameters` and `TargetParameters` and drops them: describing the pipe shows
none, and filter, starting position and input template have no effect. AWS keeps and returns them. On an
update it replaces what is named within them as a whole and leaves the rest. Filled by keeping them on the
pipe, and by refusing what AWS would refuse, and also what could not be carried out here, so that nothing is
ignored in silence.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from ministack.services import eventbridge, pipes

from migration.local.emulator.gaps import pipe_template, seam

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_KEPT: Final = (
    "SourceParameters", "TargetParameters", "Enrichment", "EnrichmentParameters", "LogConfiguration",
    "KmsKeyIdentifier",
)  # fmt: skip
_MERGED: Final = ("SourceParameters", "TargetParameters", "EnrichmentParameters")
_POSITIONS: Final = ("LATEST", "TRIM_HORIZON")
_SQS_BATCH: Final = 10
STREAM: Final = "DynamoDBStreamParameters"

Answer = tuple[int, dict[str, str], bytes]
Body = dict[str, Any]


def fill() -> None:
    """Fill the gap."""
    seam.replace(pipes, "_create_pipe", _keeping)
    seam.replace(pipes, "_update_pipe", _merging)
    seam.replace(pipes, "_describe_response", _returning)


def is_delivered_here(pipe: Mapping[str, Any]) -> bool:
    """Tell whether a pipe leads from a DynamoDB stream to a queue."""
    return ":dynamodb:" in pipe.get("Source", "") and ":sqs:" in pipe.get("Target", "")


def stream_parameters(pipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a pipe was told about reading its stream."""
    return (pipe.get("SourceParameters") or {}).get(STREAM) or {}


def patterns(parameters: Mapping[str, Any]) -> list[str]:
    """List the filter patterns in source parameters, as JSON text."""
    filters = (parameters.get("FilterCriteria") or {}).get("Filters") or []
    return [item["Pattern"] for item in filters]


def _keeping(create: Callable[[str, Body], Answer]) -> Callable[[str, Body], Answer]:
    def create_pipe(name: str, body: Body) -> Answer:
        if is_delivered_here(body) and (problem := _problem(body, creating=True)):
            return _refusal(problem)
        answer = create(name, body)
        if answer[0] == HTTPStatus.OK:
            pipe = seam.original(pipes, "_pipes")[name]
            pipe |= {key: body[key] for key in _KEPT if body.get(key)}
            _place(pipe)
        return answer

    return create_pipe


def _place(pipe: Body) -> None:
    """Set the position again, now that the pipe knows where it is to start."""
    if is_delivered_here(pipe):
        pipe["StartingPosition"] = stream_parameters(pipe)["StartingPosition"]
        seam.original(pipes, "_positions")[pipe["Arn"]] = seam.original(pipes, "_initial_position")(pipe)


def _merging(update: Callable[[str, Body], Answer]) -> Callable[[str, Body], Answer]:
    def update_pipe(name: str, body: Body) -> Answer:
        pipe = seam.original(pipes, "_pipes").get(name)
        if pipe is None:
            return update(name, body)
        changed = {key: body[key] for key in _KEPT if key in body}
        changed |= {key: _merged(pipe.get(key) or {}, body[key]) for key in _MERGED if key in body}
        after = {**pipe, **changed, "Target": body.get("Target") or pipe["Target"]}
        if is_delivered_here(after) and (problem := _problem(after, creating=False)):
            return _refusal(problem)
        answer = update(name, body)
        if answer[0] == HTTPStatus.OK:
            pipe |= changed
        return answer

    return update_pipe


def _merged(before: Body, update: Body) -> Body:
    """Replace what an update names; the starting position cannot be, and an empty template removes one."""
    after = {**before, **update}
    if STREAM in update and STREAM in before:
        after[STREAM] = {**update[STREAM], "StartingPosition": before[STREAM]["StartingPosition"]}
    return {key: value for key, value in after.items() if value != ""}


def _returning(describe: Callable[[Body], Body]) -> Callable[[Body], Body]:
    def describe_response(pipe: Body) -> Body:
        return describe(pipe) | {key: pipe[key] for key in _KEPT if pipe.get(key)}

    return describe_response


def _problem(pipe: Body, *, creating: bool) -> str | None:
    """Say what AWS would refuse, or what cannot be carried out here."""
    parameters, stream = pipe.get("SourceParameters") or {}, stream_parameters(pipe)
    template = (pipe.get("TargetParameters") or {}).get("InputTemplate") or ""
    dead_letters = (stream.get("DeadLetterConfig") or {}).get("Arn", "")
    if creating and stream.get("StartingPosition") not in _POSITIONS:
        return f"{STREAM}.StartingPosition must be one of {', '.join(_POSITIONS)}."
    if stream.get("BatchSize", 1) > _SQS_BATCH:
        return f"BatchSize must be at most {_SQS_BATCH} for an SQS target."
    for pattern in patterns(parameters):
        if reason := seam.original(eventbridge, "_parse_pattern_text")(pattern)[1]:
            return f"Filter pattern is not valid. Reason: {reason}"
    if paths := pipe_template.unsupported(template):
        return f"The local AWS does not render {', '.join(paths)} in an input template."
    if (
        pipe.get("Enrichment")
        or pipe["Target"].endswith(".fifo")
        or (dead_letters and ":sqs:" not in dead_letters)
    ):
        return "The local AWS has no enrichment, FIFO target or SNS dead-letter target for pipes."
    return None


def _refusal(problem: str) -> Answer:
    answer: Answer = seam.original(pipes, "_error")(400, "ValidationException", problem)
    return answer
