"""DynamoDB in memory, as the handlers speak to it: on the same data as the memory adapters, call by call.

Only the operations and conditions that the handlers use. An expression that is not known here is an error, so
a handler that says something new cannot pass for right; tests/contract/test_memory_dynamodb.py holds each
operation to what moto and the local AWS do.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.conditions import And, AttributeNotExists, Equals, Or
from botocore.exceptions import ClientError

from migration.aws.tables.legacy_rows import MARK, VERSION, mark_of
from migration.door.wire import WireAnswer
from migration.model.facts import Lane, StoredFact
from migration.model.fold import Activity, Fold, Identity, Row
from migration.model.side import Side
from pipeline.domain.fact import IF_ABSENT, changing, fact_item
from pipeline.domain.fold import identity as name_of
from tests.doubles.backfill import MemoryCheckpoints, MemoryFacts, MemoryLegacy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from migration.model.stages import Control

    Item = Mapping[str, Any]

_MARKED = f"attribute_exists({MARK})"
CONDITION_FAILED = "ConditionalCheckFailedException"


class ConditionFailedError(ClientError):
    """What a resource's client raises for a condition that does not hold."""


@dataclass(slots=True)
class MemoryDynamoDB:
    """One account's tables. `facts` is the fact table; legacy's are named as its environment names them."""

    facts: MemoryFacts = field(default_factory=MemoryFacts)
    legacy: MemoryLegacy = field(default_factory=MemoryLegacy)
    checkpoints: MemoryCheckpoints = field(default_factory=MemoryCheckpoints)

    def put_item(self, **parameters: Any) -> dict[str, Any]:
        """Put a fact, or an event of legacy's, under the condition that is asked for and no other."""
        if "lane" not in parameters["Item"]:
            return self._put_event(parameters)
        fact = read_fact(parameters["Item"])
        taken = self.facts.by_identity.get(fact.activity.identity)
        if "ConditionExpression" in parameters and taken is not None:
            assert parameters["ConditionExpression"] == IF_ABSENT
            there = parameters.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            raise failed("PutItem", Item=item_of(taken) if there else {})
        self.facts.by_identity[fact.activity.identity] = fact
        return {}

    def _put_event(self, parameters: Item) -> dict[str, Any]:
        event = read_event(parameters["Item"])
        if "ConditionExpression" in parameters:
            assert parameters["ConditionExpression"] == "attribute_not_exists(#event)"
            if self.legacy.stored(event.identity):
                raise failed("PutItem")
        assert parameters["Item"][MARK] == {"BOOL": True}
        self.legacy.adding[event.identity] = event
        return {}

    def _hand_over(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Hand a fact over, under the condition that is asked for and no other."""
        key, values = parameters["Key"], parameters["ExpressionAttributeValues"]
        was = {name.removeprefix(":was_"): one for name, one in values.items() if name.startswith(":was_")}
        asked = changing({**key, **was}, {"side": {"S": Side.PIPELINE}})
        there = parameters.pop("ReturnValuesOnConditionCheckFailure", "NONE") == "ALL_OLD"
        assert parameters == {"TableName": parameters["TableName"], **asked}
        identity = Identity(key["employee_id"]["S"], key["event_id"]["S"])
        fact = self.facts.by_identity.get(identity)
        held = {} if fact is None else item_of(fact)
        if fact is None or any(held[name] != one for name, one in was.items()):
            raise failed("UpdateItem", Item=held if there else {})
        self.facts.by_identity[identity] = replace(fact, side=Side.PIPELINE)
        return {}

    def get_item(self, **parameters: Any) -> dict[str, Any]:
        """Read the control item."""
        assert parameters["Key"]["record"] == {"S": "state"}
        return control_item(self.checkpoints.control())

    def describe_table(self, TableName: str) -> dict[str, Any]:  # noqa: N803 - boto3's own
        """Tell the keys of legacy's events."""
        del TableName
        return {"Table": {"KeySchema": [{"AttributeName": name} for name in ("employee_id", "event_id")]}}

    def batch_get_item(self, RequestItems: Item) -> dict[str, Any]:  # noqa: N803 - boto3's own
        """Read legacy's events, or rows of one of its totals' tables."""
        [(table, asked)] = RequestItems.items()
        assert asked["ConsistentRead"]
        found = (self._event(key) if "event_id" in key else self._row(key) for key in asked["Keys"])
        return {"Responses": {table: [item for item in found if item]}, "UnprocessedKeys": {}}

    def update_item(self, **parameters: Any) -> dict[str, Any]:
        """Hand a fact over, or change what legacy has as the reverse mirror does, and in no other way."""
        key, expression = parameters["Key"], parameters["UpdateExpression"]
        if "event_id" in key and expression.startswith("SET"):
            return self._hand_over(parameters)
        if "event_id" in key:
            assert (expression, parameters["ConditionExpression"]) == (f"REMOVE {MARK}", _MARKED)
            if _identity(key) not in self.legacy.adding:
                raise failed("UpdateItem")
            self.legacy.events[_identity(key)] = self.legacy.adding.pop(_identity(key))
            return {}
        row, values = _row_of(key), parameters["ExpressionAttributeValues"]
        if not self._holds(row, parameters["ConditionExpression"], values):
            raise failed("UpdateItem")
        if expression == f"DELETE {MARK} :marks":
            self.legacy.marks[row] -= set(values[":marks"]["SS"])
            return {}
        assert expression == f"SET {VERSION} = :next ADD #points :points, #events :events, {MARK} :marks"
        self.legacy.versions[row] = int(values[":next"]["N"])
        self._add(row, Fold(int(values[":points"]["N"]), int(values[":events"]["N"])), values[":marks"]["SS"])
        return {}

    def _holds(self, row: Row, condition: str, values: Item) -> bool:
        if condition == _MARKED:
            return bool(self.legacy.marks[row])
        if condition == f"attribute_not_exists({VERSION})":
            return row not in self.legacy.versions
        assert condition == f"{VERSION} = :held"
        return self.legacy.versions.get(row) == int(values[":held"]["N"])

    def _add(self, row: Row, delta: Fold, marks: Collection[str]) -> None:
        assert delta.events == len(marks)
        self.legacy.totals[row] += delta
        self.legacy.marks[row].update(marks)
        if row.employee_id is None:
            known = {mark_of(name_of(*one)): one for one in (*self.legacy.events, *self.legacy.adding)}
            self.legacy.applied.update(known[mark] for mark in marks)

    def _event(self, key: Item) -> dict[str, Any]:
        mark = {MARK: {"BOOL": True}} if _identity(key) in self.legacy.adding else {}
        return {**key, **mark} if self.legacy.stored(_identity(key)) else {}

    def _row(self, key: Item) -> dict[str, Any]:
        row = _row_of(key)
        if row not in self.legacy.totals:
            return {}
        fold, version, marks = (
            self.legacy.totals[row],
            self.legacy.versions.get(row),
            self.legacy.marks[row],
        )
        return {
            **key,
            "points": {"N": str(fold.points)},
            "events": {"N": str(fold.events)},
            **({VERSION: {"N": str(version)}} if version else {}),
            **({MARK: {"SS": sorted(marks)}} if marks else {}),
        }


@dataclass(slots=True)
class LegacyTable:
    """One of legacy's tables as its handler has it: the resource, with plain values."""

    variable: str
    legacy: MemoryLegacy

    def put_item(self, Item: Item, ConditionExpression: Any) -> None:  # noqa: N803 - boto3's own
        """Put an event where the condition holds."""
        event = Activity(**{name: value for name, value in Item.items() if name != "received_at"})
        there = self.legacy.stored(event.identity)
        if not holds(ConditionExpression, {} if there is None else _fields(there)):
            raise ConditionFailedError(*_error("PutItem", CONDITION_FAILED, {}))
        self.legacy.adding.pop(event.identity, None)
        self.legacy.events[event.identity] = event

    def update_item(
        self,
        Key: Item,  # noqa: N803 - boto3's own
        UpdateExpression: str,  # noqa: N803
        ExpressionAttributeValues: Item,  # noqa: N803
    ) -> None:
        """Add to a total."""
        assert UpdateExpression == "ADD points :points, events :one"
        added = Fold(ExpressionAttributeValues[":points"], ExpressionAttributeValues[":one"])
        self.legacy.totals[Row(Key.get("employee_id"), Key["program_id"])] += added


def resource() -> Any:
    """Stand in for the resource, of which legacy's handler names one exception."""
    exceptions = SimpleNamespace(ConditionalCheckFailedException=ConditionFailedError)
    return SimpleNamespace(meta=SimpleNamespace(client=SimpleNamespace(exceptions=exceptions)))


def answer_of(call: Callable[..., dict[str, Any]], parameters: Item) -> WireAnswer:
    """Answer as the wire protocol does: an error is an answer, too."""
    try:
        return WireAnswer(call(**parameters), "")
    except ClientError as error:
        return WireAnswer({"Item": error.response.get("Item", {})}, error.response["Error"]["Code"])


def holds(condition: Any, item: Item) -> bool:
    """Evaluate one of boto3's conditions.

    Raises:
        NotImplementedError: for a kind that no handler uses.
    """
    parts = condition.get_expression()["values"]
    match condition:
        case Or():
            return any(holds(part, item) for part in parts)
        case And():
            return all(holds(part, item) for part in parts)
        case AttributeNotExists():
            return parts[0].name not in item
        case Equals():
            return bool(item.get(parts[0].name) == parts[1])
    raise NotImplementedError(type(condition).__name__)


def failed(operation: str, code: str = CONDITION_FAILED, **more: Any) -> ClientError:
    """Make the error that a low-level client raises."""
    return ClientError(*_error(operation, code, more))


def _error(operation: str, code: str, more: Item) -> tuple[Any, str]:
    return {"Error": {"Code": code, "Message": code}, **more}, operation


def read_event(item: Item) -> Activity:
    """Read an activity of a legacy event's or a fact's item."""
    names = ("employee_id", "event_id", "program_id", "activity_type", "occurred_at")
    return Activity(points=int(item["points"]["N"]), **{name: item[name]["S"] for name in names})


def read_fact(item: Item) -> StoredFact:
    """Read a fact."""
    lane, side = Lane(item["lane"]["S"]), Side(item["side"]["S"])
    return StoredFact(read_event(item), lane, side, item["ingested_at"]["S"])


def item_of(fact: StoredFact) -> dict[str, dict[str, str]]:
    """Lay a fact out."""
    return fact_item(fact.activity, fact.ingested_at, lane=fact.lane, side=fact.side)


def control_item(control: Control) -> dict[str, Any]:
    """Answer a read of the control item."""
    numbers = {"write_weight": control.write_weight, "read_weight": control.read_weight}
    fields = {name: {"N": str(n)} for name, n in {**numbers, "epoch": control.epoch}.items()}
    return {"Item": {"stage": {"S": control.stage.value}, **fields}}


def identity_of(body: Item) -> Identity:
    """Name the activity that an answer is about."""
    return Identity(body["employee_id"], body["event_id"])


def _identity(key: Item) -> Identity:
    return Identity(key["employee_id"]["S"], key["event_id"]["S"])


def _row_of(key: Item) -> Row:
    return Row(key["employee_id"]["S"] if "employee_id" in key else None, key["program_id"]["S"])


def _fields(event: Activity) -> dict[str, Any]:
    names = ("employee_id", "event_id", "program_id", "activity_type", "points", "occurred_at")
    return {name: getattr(event, name) for name in names}
