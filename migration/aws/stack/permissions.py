"""What the operator may do: asked of IAM's simulator, or else tried in a way that changes nothing.

Tried means: reads of one item at most, and writes under a condition that can never hold. AWS checks the
permission before the condition, so a write that is refused for its condition is one that is allowed.
Sending a message cannot be tried, so it is only asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from migration.aws.transport.clients import translated
from migration.plan.entrance import Need
from migration.preflight.deployed import Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migration.aws.transport.clients import Clients, DescribingClients
    from migration.plan.outputs import StackOutputs
    from migration.plan.plan import Plan

SIMULATED: Final = "as IAM's simulator says"
TRIED: Final = "tried, changing nothing"
_REFUSED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_FAILED: Final = frozenset(
    {"ConditionalCheckFailedException", "TransactionCanceledException", "PreconditionFailedException"}
)
_KEYS: Final = {"S": "#preflight", "N": "0", "B": b"#preflight"}
_NEVER: Final = "attribute_exists(#key) AND attribute_not_exists(#key)"
_FOLDS: Final = ("Scan", "Query", "GetItem", "BatchGetItem", "UpdateItem")
_LEGACY: Final = ("Scan", "Query", "BatchGetItem", "UpdateItem")
_SEND: Final = "SendMessage"  # trying it would send one


def needs(outputs: StackOutputs, whole: Plan) -> Iterator[Need]:
    """List what the commands call, thing by thing."""
    legacy, pipeline, migration = outputs.legacy, outputs.pipeline, outputs.migration
    if legacy is None or pipeline is None or migration is None:
        return
    legacy = legacy.as_planned(whole.legacy)
    tables: dict[str, tuple[str, ...]] = {
        migration.control_table: ("GetItem", "Query", "PutItem", "ConditionCheckItem"),
        pipeline.facts_table: ("Scan", "Query", "BatchGetItem", "PutItem", "UpdateItem", "DescribeTable"),
        pipeline.dedup_table: ("GetItem", "PutItem"),
        pipeline.employee_progress_table: _FOLDS,
        pipeline.program_progress_table: _FOLDS,
        pipeline.snapshots_table: ("GetItem",),
        legacy.events_table: (*_LEGACY, "PutItem", "DescribeTable", "DescribeTimeToLive"),
        legacy.employee_progress_table: _LEGACY,
        legacy.program_progress_table: _LEGACY,
        legacy.leaderboard_table: ("GetItem",),
    }
    for table, actions in tables.items():
        yield Need("dynamodb", table, actions, "table/")
    for url in filter(None, (pipeline.queue_url, migration.mirror_queue_url, *outputs.dead_letters.values())):
        sends = (_SEND,) if url == pipeline.queue_url else ()
        yield Need("sqs", url.rpartition("/")[2], ("GetQueueAttributes", *sends))
    for function in (pipeline.aggregate_function, outputs.entry.ingest_function):
        yield Need("lambda", function, ("GetFunctionConfiguration",), "function:")
    for entrance in whole.traffic.entrances(outputs.entry):
        yield from entrance.needs


@dataclass(frozen=True, slots=True)
class Permissions:
    """Finds out what one operator may do in one region."""

    clients: Clients
    more: DescribingClients
    region: str
    who: str

    def grants(self, wanted: Sequence[Need]) -> Iterator[Grant]:
        """Find out about every action."""
        _, partition, *_, account, _ = self.who.split(":", 5)
        principal = self._principal(partition, account)
        for need in wanted:
            arn = need.arn(partition, self.region, account)
            simulated = None if principal is None else self._simulated(principal, need, arn)
            yield from simulated if simulated is not None else self._tried(need)

    def _principal(self, partition: str, account: str) -> str | None:
        """Name the user or role whose policies count; None when the simulator knows none."""
        kind, _, name = self.who.split(":", 5)[5].partition("/")
        if kind == "user":
            return self.who
        if kind != "assumed-role":
            return None
        role = name.partition("/")[0]
        try:
            return self.more.iam.get_role(RoleName=role)["Role"][
                "Arn"
            ]  # its path is not in the session's ARN
        except ClientError:
            return f"arn:{partition}:iam::{account}:role/{role}"

    def _simulated(self, principal: str, need: Need, arn: str) -> list[Grant] | None:
        actions = [f"{need.service}:{action}" for action in need.actions]
        try:
            found = self.more.iam.simulate_principal_policy(
                PolicySourceArn=principal, ActionNames=actions, ResourceArns=[arn]
            )
        except ClientError:
            return None
        return [
            Grant(one["EvalActionName"], need.thing, one["EvalDecision"] == "allowed", SIMULATED)
            for one in found["EvaluationResults"]
        ]

    def _tried(self, need: Need) -> Iterator[Grant]:
        for action in need.actions:
            if action == _SEND:
                continue
            name = f"{need.service}:{action}"
            with translated(f"trying {name}"):
                try:
                    self._trial(need, action)()
                    allowed: bool | None = True
                    how = TRIED
                except ClientError as error:
                    allowed = _verdict(error)
                    how = TRIED if allowed is not None else str(error)
            yield Grant(name, need.thing, allowed, how)

    def _trial(self, need: Need, action: str) -> Callable[[], object]:
        if need.service == "sqs":
            return lambda: self._read_queue(need.thing)
        if need.service == "lambda":
            return lambda: self._try_function(need.thing, action)
        return lambda: self._try_table(need.thing, action)

    def _read_queue(self, name: str) -> None:
        url = self.clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]
        self.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])

    def _try_function(self, name: str, action: str) -> None:
        functions, (function, _, alias) = self.clients.functions, name.partition(":")
        match action:
            case "GetFunctionConfiguration":
                functions.get_function_configuration(FunctionName=name)
            case "GetAlias":
                functions.get_alias(FunctionName=function, Name=alias)
            case "UpdateAlias":  # of a revision that no alias has
                functions.update_alias(FunctionName=function, Name=alias, RevisionId="#preflight")

    def _try_table(self, table: str, action: str) -> None:
        dynamodb = self.clients.dynamodb
        described = dynamodb.describe_table(TableName=table)["Table"]
        types = {one["AttributeName"]: one["AttributeType"] for one in described["AttributeDefinitions"]}
        names = [one["AttributeName"] for one in described["KeySchema"]]
        key: Any = {name: {types[name]: _KEYS[types[name]]} for name in names}
        never: Any = {"ConditionExpression": _NEVER, "ExpressionAttributeNames": {"#key": names[0]}}
        match action:
            case "Scan":
                dynamodb.scan(TableName=table, Limit=1)
            case "Query":
                dynamodb.query(
                    TableName=table,
                    Limit=1,
                    KeyConditionExpression="#key = :key",
                    ExpressionAttributeNames={"#key": names[0]},
                    ExpressionAttributeValues={":key": key[names[0]]},
                )
            case "GetItem":
                dynamodb.get_item(TableName=table, Key=key)
            case "BatchGetItem":
                dynamodb.batch_get_item(RequestItems={table: {"Keys": [key]}})
            case "PutItem":
                dynamodb.put_item(TableName=table, Item=key, **never)
            case "UpdateItem":
                dynamodb.update_item(TableName=table, Key=key, **never)
            case "ConditionCheckItem":
                check: Any = {"TableName": table, "Key": key, **never}
                dynamodb.transact_write_items(TransactItems=[{"ConditionCheck": check}])
            case "DescribeTimeToLive":
                dynamodb.describe_time_to_live(TableName=table)


def _verdict(error: ClientError) -> bool | None:
    """Tell a refusal from a write whose condition failed, which was allowed; None when it was neither."""
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    if code in _FAILED:
        return True
    return False if code in _REFUSED or status == HTTPStatus.FORBIDDEN else None
