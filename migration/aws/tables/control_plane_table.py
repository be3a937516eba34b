"""The control table as the control plane uses it: one item a record, all of one migration's in one partition.

    state              stage, weights, epoch, and what keeps it where it is; the front door reads this one
    lease              who may move it forward
    journal#TIME#XXXX  one entry each, in the order of their keys

A move is one transaction: the state if its epoch is still the one before, the entry, and a check of the
lease. It is never check-then-act, and it is never half done. DynamoDB may refuse one that meets another with
a conflict, which says nothing of the condition: it is tried again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from migration.aws.transport.clients import translated
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.metered import CONDITION_FAILED
from migration.aws.transport.patience import patiently
from migration.cutover.footing import gone
from migration.model.errors import IntegrityError
from migration.model.journal import Entry, EntryKind
from migration.model.stages import Stage, read_control
from migration.model.state import Lease, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.model.clock import Clock

STATE: Final = "state"
LEASE: Final = "lease"
JOURNAL: Final = "journal#"
_AFTER_JOURNAL: Final = "journal$"  # the first key after every entry's
_NEW: Final = "attribute_not_exists(#record)"


@dataclass(frozen=True, slots=True)
class ControlPlaneTable:
    """One migration's control records in DynamoDB."""

    client: DynamoDBClient
    table: str
    migration: str
    clock: Clock = field(default_factory=SystemClock)

    def state(self) -> State:
        """Read the state."""
        item = self._get(STATE)
        if not item and (last := self._last_move()) is not None:
            item = self._get(STATE)  # the first one may have come between both readings
            if not item:
                raise gone(last.epoch)
        try:
            return _state(item) if item else State()
        except (KeyError, TypeError, ValueError) as error:
            raise IntegrityError(
                f"the state of {self.migration} in {self.table} is no state: {error!r}",
                hint="find out what is half done; doors keep the last state that they could read",
                next_command="cutover doctor",
            ) from error

    def epoch(self) -> int:
        """Read the epoch of whatever is there."""
        try:
            return int(self._get(STATE)["epoch"]["N"])
        except (KeyError, TypeError, ValueError):
            return 0

    def move(self, state: State, entry: Entry, lease: Lease | None) -> bool:
        """Replace the state one epoch before this one, and write the entry, in one transaction."""
        first = state.epoch == 1
        put_state = {
            "Item": self._item(STATE, _state_fields(state)),
            "ConditionExpression": _NEW if first else "epoch = :was",
            **({"ExpressionAttributeNames": {"#record": "record"}} if first else {}),
            **({} if first else {"ExpressionAttributeValues": {":was": _number(state.epoch - 1)}}),
        }
        actions: list[Any] = [{"Put": {"TableName": self.table, **put_state}}, {"Put": self._put(entry)}]
        if lease is not None:
            actions.append({"ConditionCheck": self._held(lease)})
        return self._transact(actions)

    def restore(self, state: State, entry: Entry, instead_of: int) -> bool:
        """Write a state in the place of another, and the entry, in one transaction."""
        there: dict[str, Any] = {":was": _number(instead_of)}
        condition = "epoch = :was"
        if instead_of == 0:  # lost, or without an epoch that is a number
            there[":number"] = {"S": "N"}
            condition += " OR attribute_not_exists(epoch) OR NOT attribute_type(epoch, :number)"
        put_state = {
            "TableName": self.table,
            "Item": self._item(STATE, _state_fields(state)),
            "ConditionExpression": condition,
            "ExpressionAttributeValues": there,
        }
        return self._transact([{"Put": put_state}, {"Put": self._put(entry)}])

    def _transact(self, actions: list[Any]) -> bool:
        with translated(f"writing the state in {self.table}"):
            try:
                patiently(lambda: self.client.transact_write_items(TransactItems=actions), self.clock)
            except ClientError as error:
                reasons = [one.get("Code") for one in error.response.get("CancellationReasons", [])]
                if "ConditionalCheckFailed" not in reasons:
                    raise
                return False
        return True

    def append(self, entry: Entry) -> None:
        """Write an entry that changes no state."""
        with translated(f"writing the journal in {self.table}"):
            patiently(lambda: self.client.put_item(**self._put(entry)), self.clock)

    def journal(self, since: str = "") -> Iterator[Entry]:
        """Read the entries in order."""
        with translated(f"reading the journal in {self.table}"):
            pages = self.client.get_paginator("query").paginate(**self._entries(f"{JOURNAL}{since}"))
            for page in pages:
                for item in page["Items"]:
                    entry = _entry(item)
                    if entry.id > since:
                        yield entry

    def newest(self, count: int) -> list[Entry]:
        """Read the newest entries."""
        with translated(f"reading the journal in {self.table}"):
            answer = self.client.query(**self._entries(JOURNAL), ScanIndexForward=False, Limit=count)
        return [_entry(item) for item in answer["Items"]]

    def _last_move(self) -> Entry | None:
        """Find the newest move in the journal, if there is any."""
        with translated(f"reading the journal in {self.table}"):
            pages = self.client.get_paginator("query").paginate(
                **self._entries(JOURNAL), ScanIndexForward=False
            )
            return next(
                (one for page in pages for one in map(_entry, page["Items"]) if one.kind is EntryKind.DONE),
                None,
            )

    def lease(self) -> Lease | None:
        """Read the lease."""
        item = self._get(LEASE)
        if not item:
            return None
        until, process = float(item["held_until"]["N"]), item.get("process", {"S": ""})["S"]
        return Lease(item["holder"]["S"], int(item["token"]["N"]), until, process)

    def take_lease(self, lease: Lease, instead_of: Lease | None) -> bool:
        """Become the holder."""
        return self._put_lease(lease, None if instead_of is None else instead_of.token)

    def renew_lease(self, lease: Lease) -> bool:
        """Move the end of a lease that is still the newest."""
        return self._put_lease(lease, lease.token)

    def _put_lease(self, lease: Lease, was: int | None) -> bool:
        fields = {
            "holder": {"S": lease.holder},
            "token": _number(lease.token),
            # Not `expires_at`, by which the table drops items: with the lease its token would begin anew.
            "held_until": {"N": repr(lease.expires_at)},
            "process": {"S": lease.process},
        }
        name, values = ("record", {}) if was is None else ("token", {":was": _number(was)})
        condition: Any = {
            "ConditionExpression": "attribute_not_exists(#n)" if was is None else "#n = :was",
            "ExpressionAttributeNames": {"#n": name},
            **({"ExpressionAttributeValues": values} if values else {}),
        }
        with translated(f"writing the lease in {self.table}"):
            try:
                item = self._item(LEASE, fields)
                put = partial(self.client.put_item, TableName=self.table, Item=item, **condition)
                patiently(put, self.clock)
            except ClientError as error:
                if error.response["Error"]["Code"] != CONDITION_FAILED:
                    raise
                return False
        return True

    def _held(self, lease: Lease) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "Key": self._key(LEASE),
            "ConditionExpression": "#n = :token",
            "ExpressionAttributeNames": {"#n": "token"},
            "ExpressionAttributeValues": {":token": _number(lease.token)},
        }

    def _put(self, entry: Entry) -> dict[str, Any]:
        # Its id is its own, so an entry that is written again after a lost answer is the same entry.
        fields = {
            "kind": {"S": entry.kind.value},
            "by": {"S": entry.by},
            "epoch": _number(entry.epoch),
            "step": {"S": entry.step},
            "text": {"S": entry.text},
            "detail": {"S": json.dumps(entry.detail)},
        }
        return {"TableName": self.table, "Item": self._item(f"{JOURNAL}{entry.id}", fields)}

    def _entries(self, start: str) -> dict[str, Any]:
        return {
            "TableName": self.table,
            "ConsistentRead": True,
            "KeyConditionExpression": "migration = :m AND #record BETWEEN :first AND :last",
            "ExpressionAttributeNames": {"#record": "record"},
            "ExpressionAttributeValues": {
                ":m": {"S": self.migration},
                ":first": {"S": start},
                ":last": {"S": _AFTER_JOURNAL},
            },
        }

    def _key(self, record: str) -> dict[str, Any]:
        return {"migration": {"S": self.migration}, "record": {"S": record}}

    def _item(self, record: str, fields: dict[str, Any]) -> dict[str, Any]:
        return {**self._key(record), **fields}

    def _get(self, record: str) -> dict[str, Any]:
        with translated(f"reading {self.table}"):
            key = self._key(record)
            get = partial(self.client.get_item, TableName=self.table, Key=key, ConsistentRead=True)
            answer = patiently(get, self.clock)
        item: dict[str, Any] = dict(answer.get("Item", {}))
        return item


def _state_fields(state: State) -> dict[str, Any]:
    control = state.control
    return {
        "stage": {"S": control.stage.value},
        "write_weight": _number(control.write_weight),
        "read_weight": _number(control.read_weight),
        "epoch": _number(control.epoch),
        "paused": {"S": state.paused},
        "postponed": {"S": "" if state.postponed is None else state.postponed.value},
        "plan": {"S": state.plan},
        "entry": {"S": state.entry},
        "since": {"S": state.since},
    }


def _state(item: dict[str, Any]) -> State:
    texts = {name: item.get(name, {"S": ""})["S"] for name in ("paused", "plan", "entry", "since")}
    postponed = item.get("postponed", {"S": ""})["S"]
    return State(read_control(item), postponed=Stage(postponed) if postponed else None, **texts)


def _entry(item: Any) -> Entry:  # noqa: ANN401 - a wire value
    return Entry(
        id=item["record"]["S"].removeprefix(JOURNAL),
        kind=EntryKind(item["kind"]["S"]),
        by=item["by"]["S"],
        epoch=int(item["epoch"]["N"]),
        step=item["step"]["S"],
        text=item["text"]["S"],
        detail=json.loads(item["detail"]["S"]),
    )


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}
