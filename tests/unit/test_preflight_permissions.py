"""What an operator may do, found out by trying: on moto, with IAM enforced, nothing is changed by it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import set_initial_no_auth_action_count

from migration.aws.stack.described import ask
from migration.aws.stack.permissions import SIMULATED, TRIED, Permissions, needs
from migration.aws.transport.clients import Clients, DescribingClients
from migration.model.errors import CredentialsError
from migration.model.legacy.layout import LegacyEvents, LegacyPlan
from migration.plan.entrance import Need
from migration.plan.outputs import (
    EntryOutputs,
    LegacyOutputs,
    MigrationOutputs,
    PipelineOutputs,
    StackOutputs,
)
from migration.plan.plan import Plan
from migration.plan.traffic import TrafficPlan
from migration.preflight.deployed import Missing, Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
REGION = "us-east-1"
ROOT_USER = "arn:aws:iam::123456789012:root"
DOCUMENT = (Path(__file__).parents[2] / "docs" / "preflight.md").read_text(encoding="utf-8")
ALL = ("Scan", "Query", "GetItem", "BatchGetItem", "PutItem", "UpdateItem", "DescribeTimeToLive")


@pytest.fixture(autouse=True)
def account() -> Iterator[None]:
    with mock_aws():
        boto3.client("dynamodb", REGION).create_table(
            TableName="control",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": "migration", "KeyType": "HASH"},
                {"AttributeName": "number", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "migration", "AttributeType": "S"},
                {"AttributeName": "number", "AttributeType": "N"},
            ],
        )
        yield


def clients(**keys: str) -> tuple[Clients, DescribingClients]:
    def client(name: Any) -> Any:
        make: Any = boto3.client  # its stubs want a literal name
        return make(name, REGION, **keys)

    return (
        Clients(client("dynamodb"), client("lambda"), client("sqs")),
        DescribingClients(client("pipes"), client("iam"), client("sts")),
    )


def enforced(work: Callable[[], T]) -> T:
    """Do something while moto asks IAM about every call."""
    done: Callable[[], T] = set_initial_no_auth_action_count(0)(work)
    return done()


def user(*allowed: str) -> dict[str, str]:
    iam = boto3.client("iam", REGION)
    iam.create_user(UserName="ana")
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": list(allowed), "Resource": "*"}],
    }
    iam.put_user_policy(UserName="ana", PolicyName="some", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName="ana")["AccessKey"]
    return {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


def outputs() -> StackOutputs:
    def made(model: Any) -> Any:
        return model.model_validate({name: f"x-{name}" for name in model.model_fields})

    return StackOutputs(
        stack="dev",
        phase="expand",
        region=REGION,
        entry=made(EntryOutputs),
        legacy=made(LegacyOutputs),
        pipeline=made(PipelineOutputs),
        migration=made(MigrationOutputs),
    )


def traffic_by_aliases() -> TrafficPlan:
    sides = {"alias": "live", "legacy_version": "1", "pipeline_version": "2"}
    aliases = {f"{path}_alias": {"function": path, **sides} for path in ("ingest", "serve")}
    return TrafficPlan.model_validate({"switch": "alias", **aliases})


def test_aliases_are_asked_about_only_where_they_route_and_iam_knows_them_by_their_function() -> None:
    by_door = list(needs(outputs(), Plan()))
    more = [one for one in needs(outputs(), Plan(traffic=traffic_by_aliases())) if one not in by_door]
    assert [(one.thing, one.actions) for one in more] == [
        ("ingest:live", ("GetAlias", "UpdateAlias")),
        ("serve:live", ("GetAlias", "UpdateAlias")),
    ]
    assert more[0].arn("aws", REGION, "1") == f"arn:aws:lambda:{REGION}:1:function:ingest"


def test_an_update_of_a_revision_that_no_alias_has_tells_whether_it_is_allowed() -> None:
    real, more = clients()
    asked: list[dict[str, str]] = []

    class Functions:
        def get_alias(self, **arguments: str) -> None:
            asked.append(arguments)

        def update_alias(self, **arguments: str) -> None:
            asked.append(arguments)
            answer: Any = {"Error": {"Code": "PreconditionFailedException", "Message": "another revision"}}
            raise ClientError(answer, "UpdateAlias")

    functions: Any = Functions()
    permissions = Permissions(replace(real, functions=functions), more, REGION, ROOT_USER)
    need = Need("lambda", "ingest:live", ("GetAlias", "UpdateAlias"), "function:")
    assert [one.allowed for one in permissions.grants([need])] == [True, True]
    at = {"FunctionName": "ingest", "Name": "live"}
    assert asked == [at, {**at, "RevisionId": "#preflight"}], "nothing to set is named, only the revision"


def test_what_is_denied_is_told_from_what_fails_its_condition() -> None:
    keys = user("dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem")
    permissions = Permissions(*clients(**keys), REGION, ROOT_USER)
    found = enforced(lambda: list(permissions.grants([Need("dynamodb", "control", ALL, "table/")])))
    assert [one.action for one in found if one.allowed] == ["dynamodb:GetItem", "dynamodb:PutItem"]
    assert {one.allowed for one in found} == {True, False}
    assert {one.how for one in found} == {TRIED}


def test_trying_everything_writes_nothing() -> None:
    permissions = Permissions(*clients(), REGION, ROOT_USER)
    found = list(permissions.grants([Need("dynamodb", "control", (*ALL, "ConditionCheckItem"), "table/")]))
    assert [one.allowed for one in found] == [True] * len(found)
    assert boto3.client("dynamodb", REGION).scan(TableName="control")["Count"] == 0


def test_what_is_not_there_is_not_known_to_be_allowed() -> None:
    permissions = Permissions(*clients(), REGION, ROOT_USER)
    [one] = permissions.grants([Need("dynamodb", "gone", ("Scan",), "table/")])
    assert one.allowed is None
    assert "ResourceNotFound" in one.how


def test_a_session_of_a_role_is_asked_about_as_its_role_path_and_all() -> None:
    asked: list[dict[str, Any]] = []

    class Iam:
        def get_role(self, RoleName: str) -> dict[str, Any]:  # noqa: N803 - as boto3 has it
            return {"Role": {"Arn": f"arn:aws-cn:iam::1:role/teams/{RoleName}"}}

        def simulate_principal_policy(self, **arguments: Any) -> dict[str, Any]:
            asked.append(arguments)
            decided = {"dynamodb:Scan": "allowed", "dynamodb:PutItem": "explicitDeny"}
            return {
                "EvaluationResults": [
                    {"EvalActionName": name, "EvalDecision": decided[name]}
                    for name in arguments["ActionNames"]
                ]
            }

    iam: Any = Iam()
    unused: Any = None
    more = DescribingClients(unused, iam, unused)
    who = "arn:aws-cn:sts::1:assumed-role/operators/ana"
    permissions = Permissions(unused, more, "cn-north-1", who)
    found = list(permissions.grants([Need("dynamodb", "facts", ("Scan", "PutItem"), "table/")]))
    assert [(one.allowed, one.how) for one in found] == [(True, SIMULATED), (False, SIMULATED)]
    assert asked[0]["PolicySourceArn"] == "arn:aws-cn:iam::1:role/teams/operators"
    assert asked[0]["ResourceArns"] == ["arn:aws-cn:dynamodb:cn-north-1:1:table/facts"]


def test_every_action_that_is_asked_about_is_documented() -> None:
    legacy, traffic = LegacyPlan(events=LegacyEvents(table="their-events")), traffic_by_aliases()
    wanted = list(needs(outputs(), Plan(legacy=legacy, traffic=traffic)))
    assert "their-events" in {one.thing for one in wanted}
    for action in {action for one in wanted for action in one.actions}:
        assert action in DOCUMENT, action


def test_what_aws_says_of_a_thing_is_a_value_but_for_missing_credentials() -> None:
    real, _ = clients()
    dynamodb = real.dynamodb
    assert ask("table x", lambda: dynamodb.describe_table(TableName="gone")) == Missing("table x")
    denied, _ = clients(**user("dynamodb:GetItem"))
    told = enforced(
        lambda: ask("table x", lambda: denied.dynamodb.describe_table(TableName="control")["Table"])
    )
    assert isinstance(told, Unread)
    assert told.answered
    _, nobody = clients(aws_access_key_id="AKIANOBODY", aws_secret_access_key="x")  # noqa: S106 - nobody's
    with pytest.raises(CredentialsError):
        enforced(lambda: ask("a role", lambda: nobody.iam.get_role(RoleName="x")))
