"""DynamoDB tables: keys, indexes, streams, TTL, point-in-time recovery, encryption, protection, tags.

An index that changes is dropped and made again, which on the local AWS is immediate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from migration.local.deployer.resources.handler import (
    Handler,
    cased,
    changed,
    pascal,
    pick,
    tag_changes,
    tag_list,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PLAIN = cased("tableClass", "deletionProtectionEnabled")


class TableResource(Handler):
    """`aws.dynamodb.Table`; its id is its name."""

    type = "aws:dynamodb/table:Table"
    replace_on = frozenset({"name", "hashKey", "rangeKey", "localSecondaryIndexes"})
    unsettled: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "streamEnabled": ("streamArn", "streamLabel"),
        "streamViewType": ("streamArn", "streamLabel"),
    }

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Make the table with its indexes, then turn on what only an existing table can have."""
        request = {
            "TableName": inputs["name"],
            "KeySchema": _keys(inputs),
            **_capacity(inputs),
            **_definitions(inputs),
            **pick(inputs, _PLAIN),
            "Tags": tag_list(inputs.get("tags")),
        }
        if inputs.get("streamEnabled"):
            request["StreamSpecification"] = _stream(inputs)
        if inputs.get("serverSideEncryption"):
            request["SSESpecification"] = _encryption(inputs)
        for kind, describe in (("globalSecondaryIndexes", _global), ("localSecondaryIndexes", _local)):
            if inputs.get(kind):
                request[kind[:1].upper() + kind[1:]] = [describe(index, inputs) for index in inputs[kind]]
        self.aws.dynamodb.create_table(**request)
        self._settle(inputs["name"], {}, inputs)

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARNs of the table and of its stream."""
        answer = self.aws.dynamodb.describe_table(TableName=physical_id)
        table = answer["Table"]
        return {
            "arn": table["TableArn"],
            "streamArn": table.get("LatestStreamArn", ""),
            "streamLabel": table.get("LatestStreamLabel", ""),
            "tagsAll": inputs.get("tags", {}),
        }

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Change what differs, one kind at a time, as DynamoDB demands."""
        for request in self._requests(physical_id, old, new):
            self.aws.dynamodb.update_table(TableName=physical_id, **request)
        self._settle(physical_id, old, new)
        self._tag(physical_id, old, new)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Drop the table; AWS refuses while deletion protection is on."""
        self.aws.dynamodb.delete_table(TableName=physical_id)

    def _requests(
        self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        if changed(old, new, ("billingMode", "readCapacity", "writeCapacity", "onDemandThroughput")):
            yield _capacity(new)
        for ours, theirs in _PLAIN.items():
            if old.get(ours) != new.get(ours) and new.get(ours) is not None:
                yield {theirs: new[ours]}
        if changed(old, new, ("serverSideEncryption",)):
            yield {"SSESpecification": _encryption(new)}
        live = self.aws.dynamodb.describe_table(TableName=name)["Table"]
        yield from _stream_requests(live.get("StreamSpecification", {}), _stream(new))
        yield from _index_requests(live.get("GlobalSecondaryIndexes", []), old, new)

    def _settle(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Set TTL (which AWS refuses to set to what it is) and point-in-time recovery."""
        dynamodb = self.aws.dynamodb
        if changed(old, new, ("ttl",)):
            self._expire(name, new.get("ttl") or {})
        if changed(old, new, ("pointInTimeRecovery",)):
            recovery = new.get("pointInTimeRecovery") or {"enabled": False}
            specification: Any = pick(
                recovery,
                {"enabled": "PointInTimeRecoveryEnabled", "recoveryPeriodInDays": "RecoveryPeriodInDays"},
            )
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=specification)

    def _expire(self, name: str, ttl: Mapping[str, Any]) -> None:
        dynamodb = self.aws.dynamodb
        live = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        current = live.get("AttributeName") if live["TimeToLiveStatus"] == "ENABLED" else None
        wanted = ttl.get("attributeName") if ttl.get("enabled", True) else None
        for attribute, enabled in ((current, False), (wanted, True)):
            if attribute and current != wanted:
                dynamodb.update_time_to_live(
                    TableName=name,
                    TimeToLiveSpecification={"AttributeName": attribute, "Enabled": enabled},
                )

    def _tag(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        arn = self.aws.dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
        added, removed = tag_changes(old, new)
        if added:
            self.aws.dynamodb.tag_resource(ResourceArn=arn, Tags=tag_list(added))
        if removed:
            self.aws.dynamodb.untag_resource(ResourceArn=arn, TagKeys=removed)


def _keys(inputs: Mapping[str, Any]) -> list[dict[str, str]]:
    if inputs.get("keySchemas"):
        return [
            {"AttributeName": key["attributeName"], "KeyType": key["keyType"]} for key in inputs["keySchemas"]
        ]
    names = ((inputs.get("hashKey"), "HASH"), (inputs.get("rangeKey"), "RANGE"))
    return [{"AttributeName": name, "KeyType": kind} for name, kind in names if name]


def _definitions(inputs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "AttributeDefinitions": [
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
            for attribute in inputs.get("attributes") or []
        ]
    }


def _capacity(inputs: Mapping[str, Any], *, index: bool = False) -> dict[str, Any]:
    request: dict[str, Any] = {} if index else {"BillingMode": inputs.get("billingMode", "PROVISIONED")}
    if inputs.get("billingMode", "PROVISIONED") == "PROVISIONED":
        request["ProvisionedThroughput"] = {
            "ReadCapacityUnits": inputs.get("readCapacity", 1),
            "WriteCapacityUnits": inputs.get("writeCapacity", 1),
        }
    elif inputs.get("onDemandThroughput"):
        request["OnDemandThroughput"] = pascal(inputs["onDemandThroughput"])
    return request


def _global(index: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an index with keys, and capacity, of its own."""
    billing = {"billingMode": table.get("billingMode", "PROVISIONED")}
    return {**_index(index, _keys(index)), **_capacity({**index, **billing}, index=True)}


def _local(index: Mapping[str, Any], table: Mapping[str, Any]) -> dict[str, Any]:
    """Describe an index that shares the table's hash key and capacity."""
    return _index(index, _keys({"hashKey": table["hashKey"], "rangeKey": index["rangeKey"]}))


def _index(index: Mapping[str, Any], keys: list[dict[str, str]]) -> dict[str, Any]:
    projection = pick(index, {"projectionType": "ProjectionType", "nonKeyAttributes": "NonKeyAttributes"})
    return {"IndexName": index["name"], "KeySchema": keys, "Projection": projection}


def _stream(inputs: Mapping[str, Any]) -> dict[str, Any]:
    if not inputs.get("streamEnabled"):
        return {"StreamEnabled": False}
    return {"StreamEnabled": True, "StreamViewType": inputs["streamViewType"]}


def _encryption(inputs: Mapping[str, Any]) -> dict[str, Any]:
    encryption = inputs.get("serverSideEncryption") or {"enabled": False}
    key = pick(encryption, {"kmsKeyArn": "KMSMasterKeyId"})
    return {"Enabled": encryption["enabled"], **({"SSEType": "KMS"} if key else {}), **key}


def _stream_requests(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Turn a stream off before it is turned on with another view, which gives it another ARN."""
    if live.get("StreamEnabled", False) == wanted["StreamEnabled"] and (
        live.get("StreamViewType") == wanted.get("StreamViewType")
    ):
        return
    if live.get("StreamEnabled"):
        yield {"StreamSpecification": {"StreamEnabled": False}}
    if wanted["StreamEnabled"]:
        yield {"StreamSpecification": wanted}


def _index_requests(
    live: list[Any], old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Drop, then make, one index at a time."""
    before = {index["name"]: index for index in old.get("globalSecondaryIndexes") or []}
    after = {index["name"]: index for index in new.get("globalSecondaryIndexes") or []}
    present = {index["IndexName"] for index in live}
    kept = {name for name in present & set(after) if before.get(name, after[name]) == after[name]}
    for name in sorted(present - kept):
        yield {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]}
    for name in sorted(set(after) - kept):
        yield {
            **_definitions(new),
            "GlobalSecondaryIndexUpdates": [{"Create": _global(after[name], new)}],
        }


HANDLERS = (TableResource,)
