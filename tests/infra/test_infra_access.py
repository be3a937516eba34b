"""Least privilege, both ways: the handlers run, and each role allows exactly the calls that they make."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws

from legacy import tables as legacy_tables
from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.door import control, counters, sides, wire
from migration.door import ingest as door
from migration.door.count_item import item_of
from migration.door.counts import DoorCounts, Role, Witness
from migration.functions import comparator, mirror, watchdog, worker
from migration.model.backfill import Engine, Job
from migration.model.journal import Entry, EntryKind
from migration.model.stages import Stage
from migration.model.state import State
from pipeline.domain.activity import Activity, parse_activity
from pipeline.domain.fact import fact_item
from pipeline.handlers import ingest, serve
from pipeline.stores import clients
from tests.raw_moto import through

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cutover_infra.policies.model import Declared
    from tests.infra.conftest import Deployed

    Event = dict[str, Any]
    Calls = set[tuple[str, str]]

# Lambda's poller makes these calls with the function's role; the code does not.
POLLER = {
    function: {(f"sqs:{call}", queue) for call in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")}
    for function, queue in (("aggregate", "activities"), ("mirror", "mirror"))
}
WRITES = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
ACTIVITY = {
    "event_id": "a-1",
    "employee_id": "e-1",
    "program_id": "p-1",
    "activity_type": "task_completed",
    "points": 10,
    "occurred_at": "2026-03-01T09:30:00Z",
}


class Context:
    """What Lambda tells a handler about its invocation."""

    aws_request_id = "r-1"

    def __init__(self, looks: int) -> None:
        self._looks = looks

    def get_remaining_time_in_millis(self) -> int:
        """Have time, until so many looks of the watchdog are over."""
        self._looks -= 1
        return 90_000 if self._looks else 0


def request(method: str, path: str, body: Mapping[str, object] | None = None) -> Event:
    return {
        "rawPath": path,
        "headers": {},
        "requestContext": {"http": {"method": method, "path": path}},
        "body": json.dumps(body) if body else None,
    }


def queued() -> Event:
    body = {**ACTIVITY, "event_id": "a-9", "points": "10"}
    body["ingested_at"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"Records": [{"messageId": "m-1", "body": json.dumps(body)}]}


EVENTS: dict[str, list[Event]] = {
    "entry-ingest": [request("POST", "/activities", ACTIVITY)] * 2,
    "ingest": [request("POST", "/activities", ACTIVITY)] * 2,
    "aggregate": [queued()] * 2,
    "snapshot": [{}, {}],
    "serve": [request("GET", "/leaderboard"), request("GET", "/")],
    "mirror": [queued()] * 2,
    "segment-worker": [{"run": 1, "segment": segment, "layout": {}} for segment in (0, 1)],
    "legacy-rebuild": [{}],
    "entry-serve": [request("GET", "/leaderboard")] * 2,
    "comparator": [{}],
    "watchdog": [{}],
}
PIPELINE = ("ingest", "aggregate", "snapshot", "serve")
FUNCTIONS = {
    "legacy": ("entry-ingest", "legacy-rebuild", "entry-serve"),
    "expand": tuple(EVENTS),
    "contract": ("entry-ingest", *PIPELINE, "entry-serve"),
}
ENOUGH_TIME = 1_000
BREACHED_LOOKS = 4  # three that fail, and one after the way back
# The door asks one side, then the other.
STAGES = ('{"stage":"dualwrite"}', '{"stage":"rampdown"}')


@pytest.fixture(scope="module")
def expanded(deploy: Callable[..., Deployed]) -> Deployed:
    return deploy("dev", "expand")


@pytest.fixture(scope="module")
def calls(deploy: Callable[..., Deployed]) -> dict[str, dict[str, Calls]]:
    """Run every handler of each phase and collect the calls of each."""
    return {phase: calls_in(deploy("dev", phase), names) for phase, names in FUNCTIONS.items()}


def calls_in(deployed: Deployed, names: tuple[str, ...]) -> dict[str, Calls]:
    """Run the handlers, in the order in which an activity travels."""
    forget_clients()
    with mock_aws():
        make_tables(deployed)
        if deployed.phase == "expand":
            be_in_shadow(deployed)
        queue = boto3.client("sqs").create_queue(QueueName="cutover-dev-activities")["QueueUrl"]
        if "segment-worker" in names:
            begin_a_backfill(deployed)
        found = {}
        for name in names:
            if name == "watchdog":
                poison(deployed)
            if deployed.phase != "legacy" and name in ("entry-ingest", "ingest"):
                mirror_an_activity()
            found[name] = run(deployed.named("Function", name), EVENTS[name], queue)
            if name == "comparator":  # it also asks before anything was moved
                be_untouched()
                found[name] |= run(deployed.named("Function", name), EVENTS[name], queue)
    forget_clients()
    return found


def be_untouched() -> None:
    """Take the state and the journal away."""
    dynamodb = boto3.client("dynamodb")
    for item in dynamodb.scan(TableName="cutover-dev-control")["Items"]:
        if item["record"]["S"].startswith(("state", "journal#")):
            key = {name: item[name] for name in ("migration", "record")}
            dynamodb.delete_item(TableName="cutover-dev-control", Key=key)


def mirror_an_activity() -> None:
    """Have the fact there that the forward mirror put beside a call that legacy failed."""
    activity = parse_activity(ACTIVITY, datetime.now(UTC))
    assert isinstance(activity, Activity)
    item = fact_item(activity, "2026-03-01T09:30:01.000Z", lane="live", side="legacy")
    boto3.client("dynamodb").put_item(TableName="cutover-dev-facts", Item=item)


def poison(deployed: Deployed) -> None:
    """Let the watchdog find a migration that is live and breached."""
    sqs, dynamodb = boto3.client("sqs"), boto3.client("dynamodb")
    queues = [
        each.get("name") for each in deployed.of_type("Queue") if each.get("name") != "cutover-dev-activities"
    ]
    urls = {name: sqs.create_queue(QueueName=name)["QueueUrl"] for name in queues}
    sqs.send_message(QueueUrl=urls["cutover-dev-activities-dlq"], MessageBody="{}")
    state = {"migration": {"S": "activities"}, "record": {"S": "state"}, "stage": {"S": "live"}}
    numbers: dict[str, Any] = {
        name: {"N": value} for name, value in (("write_weight", "1"), ("read_weight", "1"), ("epoch", "1"))
    }
    dynamodb.put_item(TableName="cutover-dev-control", Item={**state, **numbers})
    now = time.time()
    counts = DoorCounts("i-1", Role.INGEST, 1, now, now, witness=Witness("e-1", "never-stored", now - 30))
    dynamodb.put_item(TableName="cutover-dev-control", Item=item_of(counts, "activities", now + 60))


def begin_a_backfill(deployed: Deployed) -> None:
    """Have segments to copy, by functions."""
    table = str(deployed.named("Table", "control").get("name"))
    records = CheckpointTable(boto3.client("dynamodb"), table, "activities")
    assert records.save_job(Job(1, 2, 1_000, "2026-03-01T00:00:00.000Z", engine=Engine.AWS))


def run(function: Declared, events: list[Event], queue: str) -> Calls:
    seen: Calls = set()
    module, handler = function.get("handler").rsplit(".", 1)
    looks = BREACHED_LOOKS if module == watchdog.__name__ else ENOUGH_TIME
    original = BaseClient._make_api_call  # type: ignore[attr-defined] # botocore's stubs leave it out

    def record(client: BaseClient, operation: str, params: dict[str, Any]) -> object:
        seen.update(actions(client.meta.service_model.service_id.lower(), operation, params))
        return original(client, operation, params)

    with pytest.MonkeyPatch.context() as patch:
        for key, value in function.get("environment", "variables").items():
            patch.setenv(key, {"QUEUE_URL": queue, "WATCH_INTERVAL_S": "0"}.get(key, value))
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setattr(BaseClient, "_make_api_call", record)
        # The door's own connection: what is sent on it is a call like any other, answered by nothing found.
        patch.setattr(
            wire.DynamoWire,
            "send",
            lambda _, operation, params: seen.update(actions("dynamodb", operation, params)),
        )
        patch.setattr(wire.DynamoWire, "collect", lambda *_: wire.WireAnswer({}, ""))
        # The worker's too: it writes and scans without botocore's parser.
        patch.setattr(worker, "beside", lambda client, *_: through(client))
        for event, stage in zip(events, STAGES, strict=False):
            patch.setenv("BAKED_CONTROL", stage)
            forget_door()
            getattr(import_module(module), handler)(event, Context(looks))
    return seen


def actions(service: str, operation: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Name the IAM actions of a call, and the table, index or queue of each."""
    if operation == "TransactWriteItems":
        for item in params["TransactItems"]:
            ((write, inner),) = item.items()
            yield f"dynamodb:{WRITES[write]}", thing(inner["TableName"])
    elif service == "eventbridge":
        yield f"events:{operation}", "event-bus/default"
    elif operation == "BatchGetItem":
        for table in params["RequestItems"]:
            yield f"dynamodb:{operation}", thing(table)
    elif service == "dynamodb":
        index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
        yield f"dynamodb:{operation}", thing(params["TableName"]) + index
    else:
        yield f"{service}:{operation}", thing(params["QueueUrl"].rsplit("/", 1)[-1])


def thing(name: str) -> str:
    return name.removeprefix("cutover-dev-")


def allowed(deployed: Deployed, name: str) -> Calls:
    """Read what a function's role may do, beyond writing its log."""
    (policy,) = [each for each in deployed.of_type("RolePolicy") if each.name == name]
    found: Calls = set()
    for statement in json.loads(policy.get("policy"))["Statement"]:
        for target in statement["Resource"]:
            last = target.split(":")[5].removeprefix("table/")
            found |= {(action, thing(last)) for action in statement["Action"] if ":logs:" not in target}
    return found


def make_tables(deployed: Deployed) -> None:
    """Make the recorded tables, as they are declared."""
    client = boto3.client("dynamodb")
    for table in deployed.of_type("Table"):
        keys: dict[str, Any] = {table.get("hashKey"): "HASH", table.get("rangeKey"): "RANGE"}
        indexes = [
            {
                "IndexName": index["name"],
                "KeySchema": [
                    {"AttributeName": key["attributeName"], "KeyType": key["keyType"]}
                    for key in index["keySchemas"]
                ],
                "Projection": {
                    "ProjectionType": index["projectionType"],
                    "NonKeyAttributes": index["nonKeyAttributes"],
                },
            }
            for index in table.get("globalSecondaryIndexes") or []
        ]
        more: dict[str, Any] = {"GlobalSecondaryIndexes": indexes} if indexes else {}
        client.create_table(
            TableName=table.get("name"),
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": each["name"], "AttributeType": each["type"]}
                for each in table.get("attributes")
            ],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items() if key],
            **more,
        )


def be_in_shadow(deployed: Deployed) -> None:
    """Write the state in which the comparator acts."""
    plane = ControlPlaneTable(
        boto3.client("dynamodb"), str(deployed.named("Table", "control").get("name")), "activities"
    )
    entry = Entry("2026-03-01T09:30:00.000Z#abcd", EntryKind.DONE, "ana@desk:1", 1, "shadow", "shadow")
    assert plane.move(State().moved(Stage.SHADOW), entry, None)


def forget_door() -> None:
    """Drop what the door remembers of the stage, the sides and its connections."""
    for kept in (control.control, counters.counters, door.mirror, sides.handler_of):
        kept.cache_clear()


def forget_clients() -> None:
    """Drop the connections and names that handlers keep, which belong to another test's AWS."""
    forget_door()
    for kept in (
        clients.dynamodb,
        clients.sqs,
        ingest.facts,
        serve.snapshots,
        legacy_tables.dynamodb,
        legacy_tables.table,
        mirror.tables,
        watchdog.guardrails,
        comparator.sides,
        comparator.records,
        worker._world,
    ):
        kept.cache_clear()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("phase", "name"), [(phase, name) for phase, names in FUNCTIONS.items() for name in names]
)
def test_a_role_allows_exactly_what_its_function_does(
    phase: str, name: str, calls: dict[str, dict[str, Calls]], deploy: Callable[..., Deployed]
) -> None:
    made = calls[phase][name]
    assert made, "the handler must have done its work"
    assert allowed(deploy("dev", phase), name) == made | POLLER.get(name, set())


def test_snapshot_can_put_no_fact_but_a_pulse(expanded: Deployed) -> None:
    (policy,) = [each for each in expanded.of_type("RolePolicy") if each.name == "snapshot"]
    facts = expanded.named("Table", "facts").get("arn")
    (statement,) = [
        each for each in json.loads(policy.get("policy"))["Statement"] if facts in each["Resource"]
    ]
    assert statement["Resource"] == [facts]
    assert statement["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["#pulse"]}}


@pytest.mark.parametrize("name", ["entry-ingest", "entry-serve"])
def test_the_door_can_write_its_counts_and_no_state(name: str, expanded: Deployed) -> None:
    (policy,) = [each for each in expanded.of_type("RolePolicy") if each.name == name]
    control_table = expanded.named("Table", "control")
    statements = json.loads(policy.get("policy"))["Statement"]
    (writes,) = [
        each
        for each in statements
        if control_table.get("arn") in each["Resource"] and each["Action"] != ["dynamodb:GetItem"]
    ]
    assert writes["Action"] == ["dynamodb:PutItem"]
    assert writes["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["activities#door"]}}
    assert control_table.get("ttl", "attributeName") == "expires_at"


def test_the_watchdog_writes_its_own_migrations_records_only(deploy: Callable[..., Deployed]) -> None:
    deployed = deploy("prod", "expand", alarm_email="ops@example.com")
    (policy,) = [each for each in deployed.of_type("RolePolicy") if each.name == "watchdog"]
    statements = json.loads(policy.get("policy"))["Statement"]
    (writing,) = [each for each in statements if "dynamodb:PutItem" in each["Action"]]
    assert not any(verb in str(statements) for verb in ("Delete", "Update", "Invoke", "SendMessage"))
    assert writing["Resource"] == [deployed.named("Table", "control").get("arn")]
    assert writing["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["activities"]}}
    (telling,) = [each for each in statements if "sns:Publish" in each["Action"]]
    assert telling["Resource"] == [deployed.named("Topic", "alarms").get("arn")]


def test_a_function_writes_its_own_log_only(expanded: Deployed) -> None:
    for name in EVENTS:
        (policy,) = [each for each in expanded.of_type("RolePolicy") if each.name == name]
        log, *others = json.loads(policy.get("policy"))["Statement"]
        assert log["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
        (target,) = log["Resource"]
        assert target.endswith(f":log-group:/aws/lambda/cutover-dev-{name}:log-stream:*")
        assert not any("logs:" in str(each) for each in others)


def test_carriers_may_reach_what_they_join_and_nothing_else(expanded: Deployed) -> None:
    for pipe, queues in (
        ("capture", ("activities", "capture-dlq")),
        ("mirror", ("mirror", "mirror-pipe-dlq")),
    ):
        assert allowed(expanded, f"{pipe}-pipe") == {
            *((f"dynamodb:{each}", f"facts/stream/{STREAM}") for each in READS_STREAM),
            *(("sqs:SendMessage", queue) for queue in queues),
        }


STREAM = "2026-01-01T00"
READS_STREAM = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
