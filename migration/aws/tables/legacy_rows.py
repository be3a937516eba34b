"""Legacy's tables as the reverse mirror writes them: plain writes of one item each, in legacy's own layout.

No transaction: DynamoDB refuses a plain write to a row that one holds, and legacy's own code writes so.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Context
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.domain.fact import activity_item

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.aws.tables.mirrored_fact import MirroredFact
    from migration.model.legacy.layout import WrittenLayout
    from pipeline.domain.batch import Row
    from pipeline.domain.fold import Fold

    Item = Mapping[str, Any]
    Key = dict[str, Any]

VERSION: Final = "cutover_version"  # of a totals row: how many times we added to it
MARK: Final = "cutover_adding"  # of an event's row: true; of a totals row: whose facts, until all have them
FINISHED: Final = f"attribute_not_exists({MARK})"  # which of legacy's events readers take as there
_UNFIT: Final = frozenset({"ValidationException", "ItemCollectionSizeLimitExceededException"})
_UNMET: Final = "ConditionalCheckFailedException"
_DIGITS: Final = 38
_EXACT: Final = Context(prec=400)


class BusyError(Exception):
    """No usable answer: it may be written or not, and is asked again."""


class UnfitError(Exception):
    """The table can never take it as it is."""


@dataclass(frozen=True, slots=True)
class Held:
    """A totals row as it was read, or that there is none."""

    item: Item
    points: str
    events: str

    @property
    def marks(self) -> frozenset[str]:
        """Whose facts it has while another row of theirs may not."""
        return frozenset(self.item.get(MARK, {}).get("SS", ()))

    def takes(self, delta: Fold) -> bool:
        """Whether its totals are numbers, and still are with this added."""
        return _fits(self.item.get(self.points), delta.points) and _fits(
            self.item.get(self.events), delta.events
        )


@dataclass(slots=True)
class LegacyRows:
    """Legacy's event, program and employee tables.

    Every call raises `BusyError` or `UnfitError` if DynamoDB does.
    """

    client: DynamoDBClient
    events: str
    program_progress: str
    employee_progress: str
    layout: WrittenLayout
    _event_key: tuple[str, ...] = field(default=(), init=False)

    def read(self, rows: Iterable[Row]) -> dict[Row, Held]:
        """Read rows of one table; what DynamoDB did not get to is left out."""
        places = {row: self._place(row) for row in rows}
        names, table, _ = next(iter(places.values()))
        keys = {row: key for row, (_, _, key) in places.items()}
        points, events = names["points"], names["events"]
        found = self._get(table, keys, (points, events, VERSION, MARK))
        return {row: Held(item, points, events) for row, item in found.items()}

    def begin(self, fact: MirroredFact) -> None:
        """Put a fact's event, marked, unless there is one."""
        with _unless_unmet():
            self.client.put_item(
                TableName=self.events,
                Item={**self._event(fact), MARK: {"BOOL": True}},
                ConditionExpression="attribute_not_exists(#event)",
                ExpressionAttributeNames={"#event": self.layout.events["event_id"]},
            )

    def begun(self, facts: Iterable[MirroredFact]) -> dict[str, bool]:
        """Tell by identity whose event is there and marked; what DynamoDB did not get to is left out."""
        keys = {fact.identity: self._key_of_event(fact) for fact in facts}
        own = {fact.identity: fact.activity.identity for fact in facts}
        names = (self.layout.events["employee_id"], self.layout.events["event_id"])
        found = self._get(self.events, keys, (*names, MARK))
        return {
            identity: MARK in item
            and [item[name] for name in names] == [{"S": part} for part in own[identity]]
            for identity, item in found.items()
        }

    def add(self, row: Row, held: Held, delta: Fold, marks: Iterable[str]) -> None:
        """Add to a row that nobody of us has added to since it was read."""
        names, table, key = self._place(row)
        version = held.item.get(VERSION)
        values: dict[str, Any] = {
            ":points": {"N": str(delta.points)},
            ":events": {"N": str(delta.events)},
            ":marks": {"SS": sorted(marks)},
            ":next": {"N": str(int(version["N"]) + 1 if version else 1)},
            **({":held": version} if version else {}),
        }
        with _answered():
            self.client.update_item(
                TableName=table,
                Key=key,
                UpdateExpression=f"SET {VERSION} = :next ADD #points :points, #events :events, {MARK} :marks",
                ConditionExpression=f"{VERSION} = :held" if version else f"attribute_not_exists({VERSION})",
                ExpressionAttributeNames={"#points": names["points"], "#events": names["events"]},
                ExpressionAttributeValues=values,
            )

    def finish(self, fact: MirroredFact) -> None:
        """Take the mark from a fact's event, which is not made anew if it is gone."""
        with _unless_unmet():
            self.client.update_item(
                TableName=self.events,
                Key=self._key_of_event(fact),
                UpdateExpression=f"REMOVE {MARK}",
                ConditionExpression=f"attribute_exists({MARK})",
            )

    def unmark(self, row: Row, marks: Iterable[str]) -> None:
        """Take facts' marks from a row, which is not made anew if it is gone."""
        _, table, key = self._place(row)
        with _unless_unmet():
            self.client.update_item(
                TableName=table,
                Key=key,
                UpdateExpression=f"DELETE {MARK} :marks",
                ConditionExpression=f"attribute_exists({MARK})",
                ExpressionAttributeValues={":marks": {"SS": sorted(marks)}},
            )

    def _event(self, fact: MirroredFact) -> dict[str, Any]:
        return {self.layout.events[name]: value for name, value in activity_item(fact.activity).items()}

    def _key_of_event(self, fact: MirroredFact) -> Key:
        if not self._event_key:
            with _answered():
                schema = self.client.describe_table(TableName=self.events)["Table"]["KeySchema"]
            self._event_key = tuple(part["AttributeName"] for part in schema)
        event = self._event(fact)
        return {name: event[name] for name in self._event_key}

    def _place(self, row: Row) -> tuple[Mapping[str, str], str, Key]:
        if row.employee_id is None:
            names = self.layout.program_progress
            return names, self.program_progress, {names["program_id"]: {"S": row.program_id}}
        names = self.layout.employee_progress
        key = {names["employee_id"]: {"S": row.employee_id}, names["program_id"]: {"S": row.program_id}}
        return names, self.employee_progress, key

    def _get(self, table: str, keys: Mapping[Any, Key], attributes: Iterable[str]) -> dict[Any, Item]:
        """Read items consistently; an absent one is empty."""
        unique = {_name(key): key for key in keys.values()}
        parts = next(iter(unique.values()))
        names = {f"#a{number}": name for number, name in enumerate({*parts, *attributes})}
        with _answered():
            answer = self.client.batch_get_item(
                RequestItems={
                    table: {
                        "Keys": list(unique.values()),
                        "ConsistentRead": True,
                        "ProjectionExpression": ", ".join(names),
                        "ExpressionAttributeNames": names,
                    }
                }
            )
        left: Any = answer.get("UnprocessedKeys", {})
        missed = {_name(key) for key in left.get(table, {}).get("Keys", ())}
        items: dict[Hashable, Item] = {
            _name({part: item[part] for part in parts}): item for item in answer["Responses"].get(table, ())
        }
        return {one: items.get(_name(key), {}) for one, key in keys.items() if _name(key) not in missed}


def mark_of(identity: str) -> str:
    """Name a fact shortly: a row holds the names of many."""
    return sha256(identity.encode()).hexdigest()[:32]


def _name(key: Mapping[str, Any]) -> Hashable:
    return tuple(sorted((name, *value.items()) for name, value in key.items()))


def _fits(held: Item | None, by: int) -> bool:
    if held is None:
        return True
    if "N" not in held:
        return False
    total = _EXACT.add(_EXACT.create_decimal(held["N"]), _EXACT.create_decimal(by))
    return len(total.normalize(_EXACT).as_tuple().digits) <= _DIGITS


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        raise (UnfitError if code in _UNFIT else BusyError)(code) from error
    except BotoCoreError as error:
        raise BusyError(type(error).__name__) from error


@contextmanager
def _unless_unmet() -> Iterator[None]:
    """As `_answered`; a condition that does not hold says that it is done."""
    try:
        with _answered():
            yield
    except BusyError as error:
        if str(error) != _UNMET:
            raise
