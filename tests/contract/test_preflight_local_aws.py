"""Preflight on a deployed stack: as deployed nothing fails, and each thing that drifts is named."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migration.aws.stack.as_deployed import AsDeployed
from migration.aws.stack.permissions import SIMULATED, TRIED, Permissions, needs
from migration.aws.transport.clock import SystemClock
from migration.cli.local.bringing_up import bring_up, shut_down
from migration.model.guardrails import Outcome, worst
from migration.model.legacy.layout import LegacyEvents, LegacyPlan
from migration.plan.plan import Plan
from migration.preflight.checks import preflight
from migration.wiring.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from migration.model.guardrails import GuardrailVerdict
    from migration.plan.outputs import MigrationOutputs, PipelineOutputs
    from migration.wiring.workspace import RunningStack

    Drift = Callable[["Yard"], AbstractContextManager[None]]

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
EVENT: Any = {
    "employee_id": {"S": "e-1"},
    "event_id": {"S": "ev-1"},
    "program_id": {"S": "p-1"},
    "activity_type": {"S": "task_completed"},
    "points": {"N": "5"},
    "occurred_at": {"S": "2026-03-01T09:30:00.000Z"},
}


class Yard:
    """The stack, what it exports, and clients to break it with."""

    def __init__(self, stack: RunningStack) -> None:
        pipeline, migration = stack.outputs.pipeline, stack.outputs.migration
        assert pipeline is not None
        assert migration is not None
        self.stack = stack
        self.pipeline: PipelineOutputs = pipeline
        self.migration: MigrationOutputs = migration
        self.dynamodb, self.functions = stack.clients.dynamodb, stack.clients.functions
        self.sqs, self.pipes = stack.clients.sqs, stack.describing.pipes

    def look(self, plan: Plan | None = None) -> dict[str, GuardrailVerdict]:
        clients, more = self.stack.clients, self.stack.describing
        deployed = AsDeployed(clients, more, SystemClock(), self.stack.outputs, plan or Plan()).read()
        return {one.verdict.name: one.verdict for one in preflight(deployed)}


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    workspace = Workspace(ROOT, tmp_path_factory.mktemp("preflight"))
    running, _ = bring_up(workspace, "expand", port=0)
    yield Yard(running)
    shut_down(workspace)


def test_a_freshly_deployed_stack_passes_with_no_failure(yard: Yard) -> None:
    checks = yard.look()
    bad = {name: one for name, one in checks.items() if one.outcome is not Outcome.PASS}
    assert set(bad) == {"legacy_mapping", "legacy_rows"}, bad
    assert worst(checks.values()) is Outcome.INCONCLUSIVE
    tried = sum(len(one.actions) for one in needs(yard.stack.outputs, Plan())) - 1  # nothing is sent
    assert checks["permissions"].why.endswith(f"{tried} of {tried} actions are allowed ({TRIED})")


@contextmanager
def pipe_stopped(yard: Yard) -> Iterator[None]:
    yard.pipes.stop_pipe(Name=yard.pipeline.pipe)
    yield
    yard.pipes.start_pipe(Name=yard.pipeline.pipe)


@contextmanager
def filter_widened(yard: Yard) -> Iterator[None]:
    found: Any = yard.pipes.describe_pipe(Name=yard.pipeline.pipe)
    before = found["SourceParameters"]["FilterCriteria"]

    def let_pass(criteria: Any) -> None:
        yard.pipes.update_pipe(
            Name=yard.pipeline.pipe,
            RoleArn=found["RoleArn"],
            SourceParameters={"FilterCriteria": criteria},
        )

    let_pass({"Filters": [{"Pattern": json.dumps({"eventName": ["INSERT", "MODIFY"]})}]})
    yield
    let_pass(before)


@contextmanager
def queue_set(url: str, sqs: Any, **attributes: str) -> Iterator[None]:
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    yield
    sqs.set_queue_attributes(QueueUrl=url, Attributes={name: before[name] for name in attributes})


def hidden_too_short(yard: Yard) -> AbstractContextManager[None]:
    return queue_set(yard.pipeline.queue_url, yard.sqs, VisibilityTimeout="30")


def given_up_too_soon(yard: Yard) -> AbstractContextManager[None]:
    found = yard.sqs.get_queue_attributes(QueueUrl=yard.pipeline.queue_url, AttributeNames=["RedrivePolicy"])
    redrive = {**json.loads(found["Attributes"]["RedrivePolicy"]), "maxReceiveCount": 1}
    return queue_set(yard.pipeline.queue_url, yard.sqs, RedrivePolicy=json.dumps(redrive))


def dead_letters_go_early(yard: Yard) -> AbstractContextManager[None]:
    assert yard.migration.mirror_dead_letter_queue_url is not None
    return queue_set(yard.migration.mirror_dead_letter_queue_url, yard.sqs, MessageRetentionPeriod="3600")


@contextmanager
def function_set(yard: Yard, name: str, *, timeout: int | None = None, **variables: str) -> Iterator[None]:
    before = yard.functions.get_function_configuration(FunctionName=name)
    environment = before["Environment"]["Variables"]

    def set_to(timeout_s: int, values: Any) -> None:
        yard.functions.update_function_configuration(
            FunctionName=name, Timeout=timeout_s, Environment={"Variables": values}
        )

    set_to(timeout or before["Timeout"], {**environment, **variables})
    yield
    set_to(before["Timeout"], environment)


def dedup_forgets(yard: Yard) -> AbstractContextManager[None]:
    return function_set(yard, yard.pipeline.aggregate_function, DEDUP_TTL_DAYS="10")


def runs_longer(yard: Yard) -> AbstractContextManager[None]:
    return function_set(yard, yard.pipeline.aggregate_function, timeout=60)


def mirror_writes_otherwise(yard: Yard) -> AbstractContextManager[None]:
    assert yard.migration.mirror_function is not None
    return function_set(yard, yard.migration.mirror_function, LEGACY_SHAPE='{"event":{"points":"score"}}')


def door_of_another(yard: Yard) -> AbstractContextManager[None]:
    return function_set(yard, yard.stack.outputs.entry.ingest_function, MIGRATION="another")


def door_begins_ahead(yard: Yard) -> AbstractContextManager[None]:
    return function_set(yard, yard.stack.outputs.entry.serve_function, BAKED_CONTROL='{"stage":"rampdown"}')


@contextmanager
def reserved(yard: Yard) -> Iterator[None]:
    name = yard.pipeline.aggregate_function
    yard.functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    yield
    yard.functions.delete_function_concurrency(FunctionName=name)


@contextmanager
def mapping_off(yard: Yard) -> Iterator[None]:
    [mapping] = yard.functions.list_event_source_mappings(FunctionName=yard.pipeline.aggregate_function)[
        "EventSourceMappings"
    ]
    yard.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    yield
    yard.functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


@contextmanager
def expires(yard: Yard, table: str, *, enabled: bool) -> Iterator[None]:
    def switch(on: bool) -> None:
        yard.dynamodb.update_time_to_live(
            TableName=table, TimeToLiveSpecification={"Enabled": on, "AttributeName": "expires_at"}
        )

    switch(enabled)
    yield
    switch(not enabled)


def dedup_never_goes(yard: Yard) -> AbstractContextManager[None]:
    return expires(yard, yard.pipeline.dedup_table, enabled=False)


def facts_expire(yard: Yard) -> AbstractContextManager[None]:
    return expires(yard, yard.pipeline.facts_table, enabled=True)


@contextmanager
def no_backups(yard: Yard) -> Iterator[None]:
    def switch(on: bool) -> None:
        yard.dynamodb.update_continuous_backups(
            TableName=yard.pipeline.facts_table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": on},
        )

    switch(False)  # noqa: FBT003 - as above
    yield
    switch(True)  # noqa: FBT003 - as above


@contextmanager
def read_by_a_third(yard: Yard) -> Iterator[None]:
    arn = yard.dynamodb.describe_table(TableName=yard.pipeline.facts_table)["Table"]["LatestStreamArn"]
    mapping = yard.functions.create_event_source_mapping(
        EventSourceArn=arn, FunctionName=yard.pipeline.snapshot_function, StartingPosition="LATEST"
    )
    yield
    yard.functions.delete_event_source_mapping(UUID=mapping["UUID"])


@contextmanager
def legacy_item(yard: Yard, **changes: Any) -> Iterator[None]:
    assert yard.stack.outputs.legacy is not None
    table = yard.stack.outputs.legacy.events_table
    yard.dynamodb.put_item(TableName=table, Item={**EVENT, **changes})
    yield
    key = {name: EVENT[name] for name in ("employee_id", "event_id")}
    yard.dynamodb.delete_item(TableName=table, Key=key)


def legacy_item_misfits(yard: Yard) -> AbstractContextManager[None]:
    return legacy_item(yard, points={"S": "many"})


DRIFTS: list[tuple[Drift, str, str]] = [
    (pipe_stopped, "capture_pipe_running", "STOPPED"),
    (filter_widened, "capture_pipe_filter", "MODIFY"),
    (hidden_too_short, "capture_visibility", "hidden for 30 s"),
    (given_up_too_soon, "capture_receives", "after 1 receives"),
    (dead_letters_go_early, "mirror_retention", "0.04 d"),
    (dedup_forgets, "dedup_ttl", "kept 10 d"),
    (runs_longer, "capture_visibility", "6 x timeout 60 s"),
    (mirror_writes_otherwise, "legacy_written", "score"),
    (door_of_another, "door", "MIGRATION another"),
    (door_begins_ahead, "baked_control", "begins at rampdown"),
    (reserved, "capture_concurrency", "1 reserved"),
    (mapping_off, "capture_mapping", "Disabled"),
    (dedup_never_goes, "dedup_expiry", "never go"),
    (facts_expire, "facts_kept", "goes by expires_at"),
    (read_by_a_third, "stream_readers", "3 read each shard"),
    (legacy_item_misfits, "legacy_mapping", "points is 'many'"),
]


@pytest.mark.parametrize(("drift", "name", "says"), DRIFTS, ids=[one[0].__name__ for one in DRIFTS])
def test_what_drifted_is_named_and_nothing_else_fails(yard: Yard, drift: Drift, name: str, says: str) -> None:
    with drift(yard):
        checks = yard.look()
    failed = {key: one.why for key, one in checks.items() if one.counted is Outcome.FAIL}
    assert list(failed) == [name], failed
    assert says in failed[name]
    assert worst(yard.look().values()) is not Outcome.FAIL, "the test put it back"


def test_a_table_that_cannot_be_restored_is_a_warning_on_a_laptop(yard: Yard) -> None:
    with no_backups(yard):
        found = yard.look()["restorable"]
    assert (found.outcome, found.counted) == (Outcome.FAIL, Outcome.PASS)
    assert "cutover-local-facts cannot be restored" in found.why


def test_a_stream_that_was_switched_on_again_has_orphaned_its_pipes(yard: Yard) -> None:
    table = yard.pipeline.facts_table
    yard.dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})
    off = yard.look()
    assert off["fact_stream"].outcome is Outcome.FAIL
    yard.dynamodb.update_table(
        TableName=table, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    )
    on = yard.look()
    assert on["fact_stream"].outcome is Outcome.PASS
    for pipe in ("capture_pipe_bound", "mirror_pipe_bound"):
        assert on[pipe].outcome is Outcome.FAIL
        assert "and cutover-local-facts writes to" in on[pipe].why


def test_the_plan_s_mapping_is_tried_on_what_legacy_holds(yard: Yard) -> None:
    with legacy_item(yard):
        assert yard.look()["legacy_mapping"].why.startswith("the plan fits 1 of 1 items")
        other = Plan(legacy=LegacyPlan(events=LegacyEvents(points="score")))
        wrong = yard.look(other)
    assert "score is missing" in wrong["legacy_mapping"].why
    assert wrong["legacy_written"].outcome is Outcome.FAIL


def test_the_plan_may_name_the_stack_as_pulumi_does_in_full(yard: Yard) -> None:
    assert yard.look(Plan(stack="team/cutover/local"))["plan"].outcome is Outcome.PASS
    assert yard.look(Plan(stack="team/cutover/prod"))["plan"].outcome is Outcome.FAIL


def test_a_thing_that_is_gone_hides_no_other_check(yard: Yard) -> None:
    missing = yard.migration.model_copy(update={"mirror_pipe": "gone", "mirror_function": "gone"})
    outputs = yard.stack.outputs.model_copy(update={"migration": missing})
    clients, more = yard.stack.clients, yard.stack.describing
    checks = {
        one.verdict.name: one.verdict
        for one in preflight(AsDeployed(clients, more, SystemClock(), outputs, Plan()).read())
    }
    assert checks["mirror_pipe_running"].why == "pipe gone is not there"
    assert checks["mirror_visibility"].why == "function gone is not there"
    assert checks["capture_visibility"].outcome is Outcome.PASS


def test_a_user_s_policies_are_asked_of_the_simulator(yard: Yard) -> None:
    iam = yard.stack.describing.iam
    user = iam.create_user(UserName="ana")["User"]["Arn"]
    policy = {"Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="ana", PolicyName="tables", PolicyDocument=json.dumps(policy))
    wanted = list(needs(yard.stack.outputs, Plan()))
    found = list(Permissions(yard.stack.clients, yard.stack.describing, "us-east-1", user).grants(wanted))
    assert {one.how for one in found} == {SIMULATED}
    assert {one.action.partition(":")[0] for one in found if one.allowed} == {"dynamodb"}
    assert {one.action.partition(":")[0] for one in found if not one.allowed} == {"lambda", "sqs"}


def test_trying_changes_nothing(yard: Yard) -> None:
    def counts() -> list[int]:
        names = yard.dynamodb.list_tables()["TableNames"]
        return [yard.dynamodb.scan(TableName=name, Select="COUNT")["Count"] for name in names]

    before = counts()
    yard.look()
    assert counts() == before
