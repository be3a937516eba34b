"""Every resource type on the local AWS: made as asked for, changed in place or replaced, and removed."""

from __future__ import annotations

import itertools
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from migration.local.deployer.aws import Aws
from migration.local.deployer.deployment import Deployment
from migration.local.deployer.plan import DeploymentPlan, StepKind
from migration.local.deployer.resources import TYPES, handler_for
from migration.local.deployer.state import StateFile
from migration.local.deployer.values import reveal
from tests.contract.emulator_aws import eventually

if TYPE_CHECKING:
    from migration.local.deployer.outputs import Outputs
    from migration.local.emulator import Emulator

PROGRAM = Path(__file__).parent / "programs" / "services"
PARTS = ("tables", "queues", "functions", "events", "bulk", "api")
ELSEWHERE = {"test:index:Thing"}
# What AWS cannot change in place, per part.
REPLACED = {"tables": {"keys"}, "api": {"deployed"}}
_stacks = itertools.count(1)

pytestmark = pytest.mark.slow


@dataclass
class Part:
    """One part of the program as a stack of its own."""

    emulator: Emulator
    folder: Path
    part: str
    stack: str

    @property
    def prefix(self) -> str:
        return f"{self.stack}-{self.part}"

    def deployment(self, variant: str) -> Deployment:
        config = {"variant": variant, "part": self.part}
        state = self.folder / "state.json"
        return Deployment(PROGRAM, "services", self.stack, config, self.emulator.endpoint, state)

    def up(self, variant: str) -> Outputs:
        return self.deployment(variant).up()

    def client(self, service: str) -> Any:
        named: Any = service
        return boto3.Session().client(named, **self.emulator.client_arguments)

    def present(self) -> dict[str, bool]:
        """Tell for each resource of the state whether AWS has it."""
        aws = Aws(self.emulator.endpoint, "us-east-1")
        stored = StateFile(self.folder / "state.json", "services", self.stack).load()
        return {
            f"{one.type} {one.name}": handler_for(one.type, aws).live(one.id, reveal(one.inputs)) is not None
            for one in stored.resources
            if one.custom
        }


@pytest.fixture
def part(request: pytest.FixtureRequest, emulator: Emulator, tmp_path: Path) -> Part:
    return Part(emulator, tmp_path, request.param, f"stack{next(_stacks)}")


def changes(plan: DeploymentPlan) -> dict[StepKind, set[str]]:
    done: dict[StepKind, set[str]] = {}
    for step in plan.steps:
        if step.kind is not StepKind.SAME:
            done.setdefault(step.kind, set()).add(step.name)
    return done


@pytest.mark.parametrize("part", PARTS, indirect=True)
def test_a_part_is_made_kept_changed_and_removed(part: Part) -> None:
    part.up("before")
    present = part.present()
    assert present
    assert all(present.values())
    assert part.deployment("before").preview().changes_nothing

    plan = part.deployment("after").preview()
    assert set(changes(plan)) <= {StepKind.UPDATE, StepKind.REPLACE}
    assert changes(plan).get(StepKind.REPLACE, set()) == REPLACED.get(part.part, set())
    part.up("after")
    assert all(part.present().values())
    again = part.deployment("after").preview()
    assert again.changes_nothing, changes(again)

    stored = (part.folder / "state.json").read_text()
    part.deployment("after").destroy()
    (part.folder / "state.json").write_text(stored)
    assert [name for name, there in part.present().items() if there] == []


def test_the_parts_have_every_known_type(emulator: Emulator, tmp_path: Path) -> None:
    recorded: set[str] = set()
    for name in PARTS:
        plan = Part(emulator, tmp_path / name, name, "all").deployment("before").preview()
        recorded |= {step.type for step in plan.steps}

    assert set(TYPES) - ELSEWHERE == recorded


@pytest.mark.parametrize("part", ["tables"], indirect=True)
def test_a_tables_settings_are_those_asked_for(part: Part) -> None:
    part.up("before")
    dynamodb, name = part.client("dynamodb"), f"{part.prefix}-table"
    assert "StreamSpecification" not in dynamodb.describe_table(TableName=name)["Table"]
    dynamodb.put_item(TableName=name, Item={"id": {"S": "kept"}})

    part.up("after")

    table = dynamodb.describe_table(TableName=name)["Table"]
    assert {index["IndexName"] for index in table["GlobalSecondaryIndexes"]} == {"by_team", "by_points"}
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    assert table["SSEDescription"]["Status"] == "ENABLED"
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expires_at")
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    tags = {tag["Key"] for tag in dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]}
    assert tags == {"part", "stage"}
    assert dynamodb.scan(TableName=name)["Count"] == 1
    keys = dynamodb.describe_table(TableName=f"{part.prefix}-keys")["Table"]["KeySchema"]
    assert [key["AttributeName"] for key in keys] == ["b", "c"]


@pytest.mark.parametrize("part", ["queues"], indirect=True)
def test_a_queues_attributes_are_those_asked_for(part: Part) -> None:
    outputs = part.up("before")
    sqs = part.client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=outputs["queue"], AttributeNames=["All"])["Attributes"]
    assert before["VisibilityTimeout"] == "60"
    assert json.loads(before["RedrivePolicy"])["maxReceiveCount"] == 5

    part.up("after")

    attributes = sqs.get_queue_attributes(QueueUrl=outputs["queue"], AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "30"
    assert attributes["DelaySeconds"] == "1"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] == 6
    assert json.loads(attributes["Policy"])["Id"] == "True"
    assert set(sqs.list_queue_tags(QueueUrl=outputs["queue"])["Tags"]) == {"part", "stage"}
    topic = part.client("sns").get_topic_attributes(TopicArn=outputs["topic"])["Attributes"]
    assert topic["DisplayName"] == "True"


@pytest.mark.parametrize("part", ["bulk"], indirect=True)
def test_what_moves_data_in_bulk_is_as_asked_for(part: Part) -> None:
    outputs = part.up("before")
    s3, bucket = part.client("s3"), f"{part.prefix}-bucket"
    s3.put_object(Bucket=bucket, Key="kept", Body=b"1")

    part.up("after")

    assert s3.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"1"
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert (block["BlockPublicAcls"], block["BlockPublicPolicy"]) == (True, True)
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]["Sid"] == "True"
    [rule] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (rule["Status"], rule["Expiration"]["Days"]) == ("Enabled", 9)
    assert {tag["Key"] for tag in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]} == {"part", "stage"}
    states = part.client("stepfunctions")
    begun = states.start_execution(stateMachineArn=outputs["machine"])["executionArn"]
    assert eventually(lambda: states.describe_execution(executionArn=begun).get("output")) == '"changed"'
    workgroup = part.client("athena").get_work_group(WorkGroup=f"{part.prefix}-workgroup")["WorkGroup"]
    assert workgroup["Configuration"]["BytesScannedCutoffPerQuery"] == 20_000_000
    found = part.client("glue").get_database(Name=outputs["database"])["Database"]
    assert found["Description"] == "True"


@pytest.mark.parametrize("part", ["functions"], indirect=True)
def test_a_function_answers_under_its_url_with_its_new_code_and_settings(part: Part) -> None:
    outputs = part.up("before")
    name = f"{part.prefix}-function"
    functions = part.client("lambda")
    assert get(outputs["url"]) == (200, "first")
    assert functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 3
    assert functions.get_function_configuration(FunctionName=name).get("Layers", []) == []

    assert part.up("after")["url"] == outputs["url"]

    assert get(outputs["url"]) == (200, "changed")
    settings = functions.get_function_configuration(FunctionName=name)
    assert settings["Timeout"] == 6
    assert settings["LoggingConfig"]["ApplicationLogLevel"] == "WARN"
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)
    mapping = functions.get_event_source_mapping(UUID=outputs["mapping"])
    assert (mapping["BatchSize"], mapping["ScalingConfig"]) == (5, {"MaximumConcurrency": 4})
    assert mapping.get("FilterCriteria", {}).get("Filters", []) == []


@pytest.mark.parametrize("part", ["events"], indirect=True)
def test_a_pipe_delivers_what_its_template_says(part: Part) -> None:
    outputs = part.up("before")
    dynamodb, sqs = part.client("dynamodb"), part.client("sqs")

    def delivered(item_id: str) -> str:
        dynamodb.put_item(TableName=f"{part.prefix}-source", Item={"id": {"S": item_id}})

        def receive() -> str | None:
            for message in sqs.receive_message(QueueUrl=outputs["queue"]).get("Messages", []):
                sqs.delete_message(QueueUrl=outputs["queue"], ReceiptHandle=message["ReceiptHandle"])
                return str(message["Body"])
            return None

        return eventually(receive)

    assert delivered("one") == "one"
    part.up("after")
    assert delivered("two") == "changed two"


@pytest.mark.parametrize("part", ["api"], indirect=True)
def test_an_api_answers_those_who_bring_the_key_and_its_value_is_a_secret(part: Part) -> None:
    outputs = part.up("before")
    assert get(f"{outputs['url']}/x") == (403, '{"message":"Forbidden"}')
    assert get(f"{outputs['url']}/x", {"x-api-key": outputs["key"]}) == (200, "first")
    assert outputs.masked()["key"] == "[secret]"

    part.up("after")

    assert get(f"{outputs['url']}/x", {"x-api-key": outputs["key"]}) == (200, "changed")
    plan = part.client("apigateway").get_usage_plan(usagePlanId=outputs["plan"])
    assert plan["throttle"] == {"rateLimit": 7.0, "burstLimit": 14}


@pytest.mark.parametrize("part", ["functions"], indirect=True)
def test_what_a_restarted_local_aws_has_forgotten_is_made_again(part: Part, tmp_path: Path) -> None:
    part.up("before")
    part.client("lambda").delete_function(FunctionName=f"{part.prefix}-function")

    plan = part.deployment("before").preview()
    lost = {step.name for step in plan.steps if step.note == "AWS no longer has it"}
    assert "function" in lost
    outputs = part.up("before")

    assert get(outputs["url"]) == (200, "first")
    assert part.deployment("before").preview().changes_nothing


def get(url: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url, headers=headers or {})  # noqa: S310 - the local AWS
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - same
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
