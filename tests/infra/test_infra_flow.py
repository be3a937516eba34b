"""How facts travel: the pipe takes the live inserts, the queue hides and redrives them, jobs run on time."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from migration.aws.tables.mirrored_fact import mirrored, parse_mirrored
from migration.model.fold import Activity
from pipeline.domain.queued_fact import QueuedFact, parse_message

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.conftest import Deployed

DAY_S = 86_400


@pytest.fixture(scope="module")
def prod(deploy: Callable[..., Deployed]) -> Deployed:
    return deploy("prod", "expand")


def stream_record(name: str = "INSERT", lane: str = "live", **ids: str) -> dict[str, Any]:
    texts = {
        "employee_id": "e-1",
        "event_id": "a-1",
        "program_id": "p-1",
        "activity_type": "task_completed",
        "occurred_at": "2026-03-01T09:29:00.000Z",
        "ingested_at": "2026-03-01T09:30:00.000Z",
        "lane": lane,
        "side": "pipeline",
    } | ids
    image: dict[str, Any] = {key: {"S": text} for key, text in texts.items()}
    return {"eventName": name, "dynamodb": {"NewImage": image | {"points": {"N": "10"}}}}


def matches(pattern: Any, value: Any) -> bool:
    """Match as EventBridge does: every field of the pattern is there, with one of its values."""
    if isinstance(pattern, list):
        return any(matches_one(option, value) for option in pattern)
    return isinstance(value, dict) and all(matches(inner, value.get(key)) for key, inner in pattern.items())


def matches_one(option: Any, value: Any) -> bool:
    """Match a text, or what is not in a list of texts; Pipes know no other kind of `anything-but`."""
    if isinstance(option, str):
        return bool(value == option)
    ((operator, others),) = option.items()
    assert operator == "anything-but"
    assert all(isinstance(other, str) for other in others)
    return isinstance(value, str) and value not in others


def render(template: str, record: Any) -> str:
    """Fill a template as EventBridge Pipes does: an unquoted placeholder becomes the value as JSON."""
    assert '"<' not in template, "within quotes, a value's own quotes would not be escaped"

    def value(match: re.Match[str]) -> str:
        found = record
        for key in match.group(1).split("."):
            found = found[key]
        return json.dumps(found)

    return re.sub(r"<\$\.([\w.]+)>", value, template)


@pytest.mark.parametrize(
    ("record", "taken"),
    [
        (stream_record(), True),
        (stream_record(program_id="#pulse", employee_id="#pulse"), True),
        (stream_record(side="legacy"), True),
        (stream_record(lane="history"), False),
        (stream_record("MODIFY"), False),
        (stream_record("REMOVE"), False),
    ],
)
def test_the_pipe_takes_the_inserts_of_the_live_lane(
    record: dict[str, Any], taken: bool, prod: Deployed
) -> None:
    (pattern,) = prod.named("Pipe", "capture").get("sourceParameters", "filterCriteria")["filters"]
    assert matches(json.loads(pattern["pattern"]), record) is taken


@pytest.mark.parametrize(
    ("record", "taken"),
    [
        (stream_record(), True),
        (stream_record(side="legacy"), False),
        (stream_record(employee_id="#pulse", program_id="#pulse", activity_type="pulse"), False),
        (stream_record(program_id="#pulse"), False),
        (stream_record(lane="history", side="legacy"), False),
        (stream_record("MODIFY"), True),
        (stream_record("MODIFY", side="legacy"), False),
        (stream_record("REMOVE"), False),
    ],
)
def test_the_reverse_mirror_takes_what_the_pipeline_accepted_and_no_pulse(
    record: dict[str, Any], taken: bool, prod: Deployed
) -> None:
    (pattern,) = prod.named("Pipe", "mirror").get("sourceParameters", "filterCriteria")["filters"]
    assert matches(json.loads(pattern["pattern"]), record) is taken


def test_a_shard_s_two_readers_are_capture_and_mirror(prod: Deployed) -> None:
    stream = prod.named("Table", "facts").get("streamArn")
    assert [each.name for each in prod.of_type("Pipe") if each.get("source") == stream] == [
        "capture",
        "mirror",
    ]
    assert not [each for each in prod.of_type("EventSourceMapping") if each.get("eventSourceArn") == stream]


@pytest.mark.parametrize("tricky", ['e"1', "e\\1", "é-☃", "7"])
def test_the_mirror_understands_what_its_pipe_writes(tricky: str, prod: Deployed) -> None:
    template = prod.named("Pipe", "mirror").get("targetParameters", "inputTemplate")
    record = stream_record(employee_id=tricky, event_id=tricky, program_id=tricky)
    activity = Activity(tricky, tricky, tricky, "task_completed", 10, "2026-03-01T09:29:00.000Z")
    assert parse_mirrored(render(template, record)) == mirrored(activity, "2026-03-01T09:30:00.000Z")


@pytest.mark.parametrize("tricky", ["e-1", 'e"1', "e\\1", "é-☃", "{}", "<$.eventName>", "7"])
def test_aggregate_understands_what_the_pipe_writes(tricky: str, prod: Deployed) -> None:
    template = prod.named("Pipe", "capture").get("targetParameters", "inputTemplate")
    record = stream_record(employee_id=tricky, event_id=tricky, program_id=tricky)
    assert parse_message(render(template, record)) == QueuedFact(
        tricky, tricky, tricky, 10, "2026-03-01T09:30:00.000Z"
    )


@pytest.mark.parametrize(
    ("name", "queue", "letters"),
    [("capture", "activities", "capture-dlq"), ("mirror", "mirror", "mirror-pipe-dlq")],
)
def test_a_pipe_starts_at_the_oldest_record_and_gives_up_before_the_stream_forgets(
    name: str, queue: str, letters: str, prod: Deployed
) -> None:
    pipe = prod.named("Pipe", name)
    source = pipe.get("sourceParameters", "dynamodbStreamParameters")
    assert pipe.get("source") == prod.named("Table", "facts").get("streamArn")
    assert pipe.get("target") == prod.named("Queue", queue).get("arn")
    assert source["startingPosition"] == "TRIM_HORIZON"
    assert source["batchSize"] <= 10, "SQS takes no more at once"
    assert source["maximumRetryAttempts"] == -1
    assert source["maximumRecordAgeInSeconds"] < DAY_S
    assert source["deadLetterConfig"]["arn"] == prod.named("Queue", letters).get("arn")


@pytest.mark.parametrize("name", ["activities", "mirror"])
def test_a_queue_redrives_to_its_own_dead_letter_queue_which_takes_from_no_other(
    name: str, prod: Deployed
) -> None:
    queue, dead_letters = prod.named("Queue", name), prod.named("Queue", f"{name}-dlq")
    redrive = json.loads(queue.get("redrivePolicy"))
    assert redrive == {"deadLetterTargetArn": dead_letters.get("arn"), "maxReceiveCount": 5}
    assert (queue.get("messageRetentionSeconds"), dead_letters.get("messageRetentionSeconds")) == (
        4 * DAY_S,
        14 * DAY_S,
    )
    allowed = {
        each.get("queueUrl"): json.loads(each.get("redriveAllowPolicy"))
        for each in prod.of_type("RedriveAllowPolicy")
    }
    assert allowed.pop(dead_letters.get("url")) == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [queue.get("arn")],
    }
    permissions = sorted(policy["redrivePermission"] for policy in allowed.values())
    assert permissions == ["byQueue", *["denyAll"] * 6]


@pytest.mark.parametrize(
    ("name", "queue", "batch", "at_once"),
    [("aggregate", "activities", 1000, 50), ("mirror", "mirror", 100, 2)],
)
def test_a_consumer_gets_large_batches_and_is_limited_by_its_mapping_only(
    name: str, queue: str, batch: int, at_once: int, prod: Deployed
) -> None:
    (mapping,) = [each for each in prod.of_type("EventSourceMapping") if each.name == name]
    assert mapping.get("eventSourceArn") == prod.named("Queue", queue).get("arn")
    assert mapping.get("functionName") == prod.named("Function", name).get("arn")
    assert (mapping.get("batchSize"), mapping.get("maximumBatchingWindowInSeconds")) == (batch, 1)
    assert mapping.get("functionResponseTypes") == ["ReportBatchItemFailures"]
    assert mapping.get("scalingConfig") == {"maximumConcurrency": at_once}
    assert prod.named("Function", name).get("reservedConcurrentExecutions") == -1


@pytest.mark.parametrize(
    ("stack", "job", "function", "expression"),
    [
        ("prod", "snapshot", "snapshot", "rate(1 minute)"),
        ("prod", "legacy-rebuild", "legacy-rebuild", "rate(5 minutes)"),
        ("local", "legacy-rebuild", "legacy-rebuild", "rate(1 minute)"),
    ],
)
def test_jobs_run_at_their_rate_and_dead_letter_what_cannot_start(
    stack: str, job: str, function: str, expression: str, deploy: Callable[..., Deployed]
) -> None:
    deployed = deploy(stack, "expand")
    schedule = deployed.named("Schedule", job)
    assert schedule.get("scheduleExpression") == expression
    assert schedule.get("flexibleTimeWindow") == {"mode": "OFF"}
    target = schedule.get("target")
    assert target["arn"] == deployed.named("Function", function).get("arn")
    assert target["roleArn"] == deployed.named("Role", f"{job}-schedule").get("arn")
    assert target["deadLetterConfig"]["arn"] == deployed.named("Queue", f"{job}-schedule-dlq").get("arn")
    assert target["retryPolicy"]["maximumEventAgeInSeconds"] >= 60, "EventBridge takes no less"


def test_a_late_run_does_not_outlive_the_next(prod: Deployed) -> None:
    ages = {
        each.name: each.get("maximumEventAgeInSeconds") for each in prod.of_type("FunctionEventInvokeConfig")
    }
    assert ages == {"snapshot": 60, "legacy-rebuild": 300, "comparator": 60, "watchdog": 60}


def test_functions_stop_before_what_waits_for_them_does(deployed: Deployed) -> None:
    for function in deployed.of_type("Function"):
        jobs = {
            "aggregate",
            "mirror",
            "snapshot",
            "legacy-rebuild",
            "comparator",
            "watchdog",
            "segment-worker",
        }
        job = function.name in jobs
        assert function.get("timeout") <= (900 if job else 29), "API Gateway waits for 29 s"
