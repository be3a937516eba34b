"""What watches: alarms that ring for what they say, in AWS's own names, and dashboards that can be drawn."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from migration.door.mirror import Mirrored

if TYPE_CHECKING:
    from collections.abc import Callable

    from cutover_infra.policies.model import Declared
    from tests.infra.conftest import Deployed

# Names from the services' pages on CloudWatch metrics.
KNOWN = {
    "AWS/Lambda": {
        "Invocations",
        "Errors",
        "Throttles",
        "Duration",
        "ConcurrentExecutions",
        "Url5xxCount",
    },
    "AWS/SQS": {
        "ApproximateAgeOfOldestMessage",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesVisible",
    },
    "AWS/EventBridge/Pipes": {"EventCount", "ExecutionFailed", "ExecutionThrottled"},
    "AWS/ApiGateway": {"5XXError"},
    # Our own, as the door, the reverse mirror and the watchdog count them.
    "Cutover": {
        *Mirrored,
        *(f"{side}{what}" for side in ("Legacy", "Pipeline") for what in ("Requests", "Errors", "LatencyMs")),
        *("MirroredBack", "MirroredBefore", "Failed"),
        *("Looks", "LooksFailed", "RolledBack"),
        *("ComparedExplained", "ComparedToRepair", "ComparedUnexplained"),
    },
}
DIMENSIONS = {
    "FunctionName": "Function",
    "QueueName": "Queue",
    "PipeName": "Pipe",
    "ApiName": "RestApi",
}


def alarms(deployed: Deployed) -> dict[str, Declared]:
    return {each.name: each for each in deployed.of_type("MetricAlarm")}


def physical(deployed: Deployed, kind: str) -> set[object]:
    return {each.get("name") for each in deployed.of_type(kind)}


def test_alarms_watch_metrics_that_exist_of_resources_that_exist(deployed: Deployed) -> None:
    for alarm in alarms(deployed).values():
        assert alarm.get("metricName") in KNOWN[alarm.get("namespace")]
        for dimension, value in alarm.get("dimensions").items():
            if dimension == "Stage":
                assert value == "live"
            elif dimension == "service":
                assert f"cutover-{deployed.stack}-{value}" in physical(deployed, "Function")
            else:
                assert value in physical(deployed, DIMENSIONS[dimension])


def test_every_function_is_watched_for_errors_and_throttles(deployed: Deployed) -> None:
    watched = {
        (alarm.get("dimensions", "FunctionName"), alarm.get("metricName"))
        for alarm in alarms(deployed).values()
    }
    for function in deployed.of_type("Function"):
        assert {(function.get("name"), "Errors"), (function.get("name"), "Throttles")} <= watched


def test_the_pipeline_is_watched_where_it_can_stop(deploy: Callable[..., Deployed]) -> None:
    found = alarms(deploy("prod", "contract"))
    assert set(found) == {
        *(
            f"{name}-{what}"
            for name in ("entry-ingest", "entry-serve", "ingest", "aggregate", "snapshot", "serve")
            for what in ("errors", "throttles")
        ),
        *(f"{queue}-dlq-depth" for queue in ("activities", "capture", "snapshot-schedule")),
        "activities-age",
        "capture-failures",
        "snapshot-missing",
        "pipeline-5xx",
        "entry-5xx",
    }
    assert found["activities-age"].get("threshold") == 180
    assert found["activities-dlq-depth"].get("threshold") == 0


def test_what_can_part_the_sides_is_watched_while_there_are_both(deploy: Callable[..., Deployed]) -> None:
    found = alarms(deploy("prod", "expand"))
    of_the_migration = {
        name for name in found if name.startswith(("mirror-", "door-", "comparator-", "watchdog-"))
    }
    assert of_the_migration == {
        "comparator-errors",
        "comparator-schedule-dlq-depth",
        "comparator-throttles",
        "comparator-unexplained",
        "door-missed",
        "mirror-age",
        "mirror-dlq-depth",
        "mirror-errors",
        "mirror-failures",
        "mirror-pipe-dlq-depth",
        "mirror-throttles",
        "watchdog-errors",
        "watchdog-missing",
        "watchdog-rolled-back",
        "watchdog-schedule-dlq-depth",
        "watchdog-throttles",
    }
    assert found["door-missed"].get("dimensions") == {"service": "entry-ingest"}
    assert not of_the_migration & set(alarms(deploy("prod", "contract")))


@pytest.mark.parametrize(("rate", "window"), [("1", 3), ("5", 15)])
def test_silence_of_three_snapshots_rings(rate: str, window: int, deploy: Callable[..., Deployed]) -> None:
    alarm = alarms(deploy("local", "expand", snapshot_minutes=rate, stale_after_s="900"))["snapshot-missing"]
    assert (alarm.get("comparisonOperator"), alarm.get("threshold")) == ("LessThanThreshold", 1)
    assert alarm.get("treatMissingData") == "breaching"
    assert alarm.get("evaluationPeriods") == alarm.get("datapointsToAlarm") == window


def test_other_silence_does_not_ring(deploy: Callable[..., Deployed]) -> None:
    for name, alarm in alarms(deploy("prod", "expand")).items():
        if name not in {"snapshot-missing", "watchdog-missing"}:
            assert alarm.get("treatMissingData") == "notBreaching"
            assert alarm.get("comparisonOperator") == "GreaterThanThreshold"


def test_alarms_say_what_to_do(deployed: Deployed) -> None:
    texts = [alarm.get("alarmDescription") for alarm in alarms(deployed).values()]
    assert all(len(text) > 30 and text.endswith(".") for text in texts)
    assert len(set(texts)) == len(texts)


@pytest.mark.slow
def test_an_address_is_told_of_every_alarm_and_none_means_none(deploy: Callable[..., Deployed]) -> None:
    told = deploy("dev", "expand", alarm_email="ops@example.com")
    (topic,) = told.of_type("Topic")
    (subscription,) = told.of_type("TopicSubscription")
    assert (subscription.get("protocol"), subscription.get("endpoint")) == ("email", "ops@example.com")
    for alarm in alarms(told).values():
        assert alarm.get("alarmActions") == alarm.get("okActions") == [topic.get("arn")]

    silent = deploy("dev", "expand")
    assert not silent.of_type("Topic")
    assert not any(alarm.get("alarmActions") for alarm in alarms(silent).values())


def test_each_part_has_a_dashboard_of_known_metrics(deployed: Deployed) -> None:
    boards = {
        each.get("dashboardName"): json.loads(each.get("dashboardBody"))
        for each in deployed.of_type("Dashboard")
    }
    parts = {
        "legacy": ["entry", "legacy"],
        "expand": ["comparator", "entry", "legacy", "migration", "pipeline"],
        "contract": ["entry", "pipeline"],
    }[deployed.phase]
    assert set(boards) == {f"cutover-{deployed.stack}-{part}" for part in parts}
    for board in boards.values():
        assert_drawable(board["widgets"])


def assert_drawable(widgets: list[dict[str, Any]]) -> None:
    places = {(widget["x"], widget["y"]) for widget in widgets}
    assert len(places) == len(widgets) > 5
    for widget in widgets:
        assert widget["x"] + widget["width"] <= 24, "a dashboard is 24 wide"
        assert widget["properties"]["region"] == "eu-west-1"
        for namespace, name, *dimensions, options in widget["properties"]["metrics"]:
            assert name in KNOWN[namespace]
            assert len(dimensions) % 2 == 0
            assert set(options) == {"stat"}
