"""SNS topics, which alarms notify, and who hears of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from migration.local.deployer.resources.handler import Handler, cased, tag_changes, tag_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_ATTRIBUTES = cased(
    "displayName",
    "policy",
    "deliveryPolicy",
    "kmsMasterKeyId",
    "signatureVersion",
    "tracingConfig",
    "contentBasedDeduplication",
)


class Topic(Handler):
    """`aws.sns.Topic`; its id is its ARN."""

    type = "aws:sns/topic:Topic"
    replace_on = frozenset({"name", "fifoTopic"})
    id_form = "arn:aws:sns:{aws.region}:{aws.account}:{name}"

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Make the topic."""
        attributes = _texts(inputs, _ATTRIBUTES)
        if inputs.get("fifoTopic"):
            attributes["FifoTopic"] = "true"
        answer = self.aws.sns.create_topic(
            Name=inputs["name"], Attributes=attributes, Tags=tag_list(inputs.get("tags"))
        )
        return str(answer["TopicArn"])

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN and the owner."""
        self.aws.sns.get_topic_attributes(TopicArn=physical_id)
        return {"arn": physical_id, "owner": physical_id.split(":")[4], "tagsAll": inputs.get("tags", {})}

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Set the attributes that differ, and the tags."""
        for name, value in _changed(old, new, _ATTRIBUTES):
            self.aws.sns.set_topic_attributes(TopicArn=physical_id, AttributeName=name, AttributeValue=value)
        added, removed = tag_changes(old, new)
        if added:
            self.aws.sns.tag_resource(ResourceArn=physical_id, Tags=tag_list(added))
        if removed:
            self.aws.sns.untag_resource(ResourceArn=physical_id, TagKeys=removed)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it with its subscriptions."""
        self.aws.sns.delete_topic(TopicArn=physical_id)


_SUBSCRIPTION = cased(
    "deliveryPolicy", "filterPolicy", "filterPolicyScope", "rawMessageDelivery", "redrivePolicy"
)


class TopicSubscription(Handler):
    """`aws.sns.TopicSubscription`; its id is its ARN."""

    type = "aws:sns/topicSubscription:TopicSubscription"
    name_input = None
    replace_on = frozenset({"topic", "protocol", "endpoint"})

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Subscribe the endpoint; nobody has to confirm it locally."""
        answer = self.aws.sns.subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            Attributes=_texts(inputs, _SUBSCRIPTION),
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def read(self, physical_id: str, _inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN and the owner."""
        self.aws.sns.get_subscription_attributes(SubscriptionArn=physical_id)
        return {"arn": physical_id, "ownerId": physical_id.split(":")[4]}

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Set the attributes that differ."""
        for name, value in _changed(old, new, _SUBSCRIPTION):
            self.aws.sns.set_subscription_attributes(
                SubscriptionArn=physical_id, AttributeName=name, AttributeValue=value
            )

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Unsubscribe it."""
        self.aws.sns.unsubscribe(SubscriptionArn=physical_id)

    def find(self, inputs: Mapping[str, Any]) -> str | None:
        """Look for the endpoint among the topic's subscriptions."""
        wanted = (inputs["protocol"], inputs["endpoint"])
        listed = self.aws.sns.list_subscriptions_by_topic(TopicArn=inputs["topic"])["Subscriptions"]
        found_arns = (
            one["SubscriptionArn"] for one in listed if (one["Protocol"], one["Endpoint"]) == wanted
        )
        return next(found_arns, None)


def _changed(
    old: Mapping[str, Any], new: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Give the attributes that differ; one that is gone is set to nothing."""
    before, after = _texts(old, names), _texts(new, names)
    for name in {**before, **after}:
        if before.get(name) != after.get(name):
            yield name, after.get(name, "")


def _texts(inputs: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    values = {theirs: inputs.get(ours) for ours, theirs in names.items()}
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in values.items()
        if value is not None
    }


HANDLERS = (Topic, TopicSubscription)
