"""The backfill's engine `aws`: where it is deployed, what its state machine does, and what it may reach."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from cutover_infra.policies.model import Declared
    from tests.infra.conftest import Deployed


def of_bulk(deployed: Deployed) -> list[Declared]:
    return [each for each in deployed.resources if "::cutover:migration:Bulk" in each.urn]


def states(deployed: Deployed) -> dict[str, Any]:
    machine = deployed.named("StateMachine", "segments")
    found: dict[str, Any] = json.loads(machine.get("definition"))["States"]["Copy segments"]
    return found


def test_it_is_there_only_while_there_are_two_sides_and_only_where_it_is_wanted(
    deployed: Deployed, deploy: Callable[..., Deployed]
) -> None:
    assert bool(of_bulk(deployed)) is (deployed.phase == "expand")
    without = deploy("local", "expand", bulk_engine="false", pitr="false")
    assert not of_bulk(without)
    assert without.recording.outputs.get("bulk") is None


@pytest.fixture(scope="module")
def in_prod(deploy: Callable[..., Deployed]) -> Deployed:
    return deploy("prod", "expand")


def test_each_segment_takes_turns_until_one_says_done(in_prod: Deployed) -> None:
    turns = states(in_prod)["ItemProcessor"]["States"]
    turn, choice = turns["Take a turn"], turns["Is it done?"]
    assert turn["Next"] == "Is it done?"
    assert turn["Parameters"]["FunctionName"] == in_prod.named("Function", "segment-worker").get("arn")
    assert choice["Default"] == turns["Wait"]["Next"] == "Take a turn"
    ends = {one["Variable"]: one["Next"] for one in choice["Choices"]}
    assert ends == {"$.turn.done": "Done", "$.turn.wait": "Wait"}
    assert turns["Done"]["Type"] == "Succeed"
    # The first choice that holds is taken, so that a segment that is done does not wait.
    assert choice["Choices"][0]["Variable"] == "$.turn.done"


def test_a_turn_that_fails_is_taken_again_with_growing_pauses(in_prod: Deployed) -> None:
    (retry,) = states(in_prod)["ItemProcessor"]["States"]["Take a turn"]["Retry"]
    assert (retry["ErrorEquals"], retry["BackoffRate"], retry["JitterStrategy"]) == (
        ["States.ALL"],
        2,
        "FULL",
    )
    assert retry["MaxAttempts"] >= 10


def test_one_segment_fails_alone_and_results_stay_small(in_prod: Deployed) -> None:
    mapped = states(in_prod)
    assert mapped["ToleratedFailurePercentage"] == 100
    assert mapped["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert mapped["ResultPath"] is None
    assert mapped["ItemProcessor"]["States"]["Done"]["OutputPath"] == "$.segment"


def test_workers_are_as_many_as_are_told_their_share(deployed: Deployed) -> None:
    if deployed.phase != "expand":
        return
    worker = deployed.named("Function", "segment-worker")
    at_once = states(deployed)["MaxConcurrency"]
    assert worker.get("environment", "variables")["WORKERS"] == str(at_once)
    assert worker.get("reservedConcurrentExecutions") in {-1, at_once}


def test_the_machine_may_call_the_worker_and_run_its_own_map(in_prod: Deployed) -> None:
    (policy,) = [each for each in in_prod.of_type("RolePolicy") if each.name == "segments"]
    statements = json.loads(policy.get("policy"))["Statement"]
    allowed = {action: one["Resource"] for one in statements for action in one["Action"]}
    machine = in_prod.named("StateMachine", "segments").get("arn")
    executions = [f"{machine.replace(':stateMachine:', ':execution:')}:*"]
    assert allowed == {
        "lambda:InvokeFunction": [in_prod.named("Function", "segment-worker").get("arn")],
        "states:StartExecution": [machine],
        "states:DescribeExecution": executions,
        "states:StopExecution": executions,
    }


def test_exports_and_folds_are_encrypted_and_forgotten(in_prod: Deployed) -> None:
    (bucket,) = in_prod.of_type("Bucket")
    workgroup = in_prod.named("Workgroup", "exports").get("configuration")
    assert bucket.get("bucket") == "cutover-prod-exports-123456789012"
    result = workgroup["resultConfiguration"]
    assert result["outputLocation"] == f"s3://{bucket.get('bucket')}/folds/"
    assert result["encryptionConfiguration"]["encryptionOption"] == "SSE_S3"
    (lifecycle,) = in_prod.of_type("BucketLifecycleConfiguration")
    assert [rule["expiration"]["days"] for rule in lifecycle.get("rules")] == [7]
