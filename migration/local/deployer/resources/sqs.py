"""SQS queues, their policies and who may use them as a dead-letter queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from migration.local.deployer.aws import found
from migration.local.deployer.resources.handler import Handler, cased, tag_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

_ATTRIBUTES = cased(
    "delaySeconds",
    "policy",
    "redrivePolicy",
    "redriveAllowPolicy",
    "fifoQueue",
    "contentBasedDeduplication",
    "deduplicationScope",
    "fifoThroughputLimit",
    "kmsMasterKeyId",
    "kmsDataKeyReusePeriodSeconds",
    "sqsManagedSseEnabled",
    maxMessageSize="MaximumMessageSize",
    messageRetentionSeconds="MessageRetentionPeriod",
    receiveWaitTimeSeconds="ReceiveMessageWaitTimeSeconds",
    visibilityTimeoutSeconds="VisibilityTimeout",
)
_DEFAULTS = {
    "delaySeconds": 0,
    "maxMessageSize": 262_144,
    "messageRetentionSeconds": 345_600,
    "receiveWaitTimeSeconds": 0,
    "visibilityTimeoutSeconds": 30,
    "policy": "",
    "redrivePolicy": "",
    "redriveAllowPolicy": "",
}


class QueueResource(Handler):
    """`aws.sqs.Queue`; its id is its URL."""

    type = "aws:sqs/queue:Queue"
    replace_on = frozenset({"name", "fifoQueue"})

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Make the queue."""
        answer = self.aws.sqs.create_queue(
            QueueName=inputs["name"],
            Attributes=_attributes(inputs),
            tags=inputs.get("tags") or {},
        )
        return answer["QueueUrl"]

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN and the URL."""
        answer = self.aws.sqs.get_queue_attributes(QueueUrl=physical_id, AttributeNames=["QueueArn"])
        arn = answer["Attributes"]["QueueArn"]
        return {"arn": arn, "url": physical_id, "tagsAll": inputs.get("tags", {})}

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Set what differs; what the program dropped goes back to AWS's default."""
        reset = {name: value for name, value in _DEFAULTS.items() if name in old and name not in new}
        attributes = _attributes({**new, **reset}, unlike=old)
        if attributes:
            self.aws.sqs.set_queue_attributes(
                QueueUrl=physical_id,
                Attributes=attributes,
            )
        added, removed = tag_changes(old, new)
        if added:
            self.aws.sqs.tag_queue(QueueUrl=physical_id, Tags=added)
        if removed:
            self.aws.sqs.untag_queue(QueueUrl=physical_id, TagKeys=removed)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove the queue and its messages."""
        self.aws.sqs.delete_queue(QueueUrl=physical_id)

    def find(self, inputs: Mapping[str, Any]) -> str | None:
        """Ask for the URL by name."""
        answer = found(lambda: self.aws.sqs.get_queue_url(QueueName=inputs["name"]))
        return answer["QueueUrl"] if answer else None


class _QueueAttribute(Handler):
    """A resource that is one attribute of a queue; its id is the queue's URL."""

    name_input = None
    replace_on = frozenset({"queueUrl"})
    id_form = "{queueUrl}"
    put_whole = True
    attribute = ""
    given = ""

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Set the attribute."""
        self._set(inputs["queueUrl"], _text(inputs[self.given]))

    def read(self, physical_id: str, _inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether it is set."""
        answer = self.aws.sqs.get_queue_attributes(QueueUrl=physical_id, AttributeNames=["All"])
        attributes: dict[Any, str] = answer["Attributes"]
        return {} if attributes.get(self.attribute) else None

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Set it to nothing."""
        self._set(physical_id, "")

    def _set(self, url: str, value: str) -> None:
        attributes: dict[Any, str] = {self.attribute: value}
        self.aws.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


class QueuePolicy(_QueueAttribute):
    """`aws.sqs.QueuePolicy`."""

    type = "aws:sqs/queuePolicy:QueuePolicy"
    attribute = "Policy"
    given = "policy"


class RedriveAllowPolicy(_QueueAttribute):
    """`aws.sqs.RedriveAllowPolicy`."""

    type = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"
    attribute = "RedriveAllowPolicy"
    given = "redriveAllowPolicy"


def _attributes(inputs: Mapping[str, Any], unlike: Mapping[str, Any] | None = None) -> dict[Any, str]:
    before = unlike or {}
    return {
        theirs: _text(inputs[ours])
        for ours, theirs in _ATTRIBUTES.items()
        if inputs.get(ours) is not None and inputs[ours] != before.get(ours)
    }


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, dict) else str(value)


HANDLERS = (QueueResource, QueuePolicy, RedriveAllowPolicy)
