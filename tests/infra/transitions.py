"""What going from one deployment to the next would destroy: removed, or replaced by a changed identity.

Compares declarations, so it can say before anything happens what a phase change takes away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutover_infra.policies.model import (
    BUCKET,
    FUNCTION,
    MAPPING,
    PIPE,
    QUEUE,
    SCHEDULE,
    STATEFUL,
    TABLE,
    Declared,
    Violation,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# The inputs that AWS cannot change in place; every type of ours not listed is one by its name.
IDENTITY: Final[Mapping[str, tuple[str, ...]]] = {
    TABLE: ("name", "hashKey", "rangeKey"),
    QUEUE: ("name", "fifoQueue"),
    FUNCTION: ("name", "packageType"),
    MAPPING: ("eventSourceArn",),
    PIPE: ("name", "source"),
    SCHEDULE: ("name", "groupName"),
    "aws:apigateway/deployment:Deployment": ("restApi", "triggers"),
    "aws:apigateway/methodSettings:MethodSettings": ("restApi", "stageName", "methodPath"),
    "aws:apigateway/stage:Stage": ("restApi", "stageName"),
    "aws:apigateway/usagePlanKey:UsagePlanKey": ("keyId", "keyType", "usagePlanId"),
    "aws:iam/rolePolicy:RolePolicy": ("name", "role"),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": ("functionName",),
    "aws:lambda/functionUrl:FunctionUrl": ("functionName", "qualifier"),
    "aws:lambda/permission:Permission": (
        "function",
        "action",
        "principal",
        "sourceArn",
        "functionUrlAuthType",
    ),
    "aws:cloudwatch/dashboard:Dashboard": ("dashboardName",),
    BUCKET: ("bucket",),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": ("bucket",),
    "aws:s3/bucketPolicy:BucketPolicy": ("bucket",),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("bucket",),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": ("bucket",),
    "aws:sns/topicSubscription:TopicSubscription": ("topic", "protocol", "endpoint"),
    "aws:sqs/queuePolicy:QueuePolicy": ("queueUrl",),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": ("queueUrl",),
}


def removed(before: Sequence[Declared], after: Sequence[Declared]) -> list[Declared]:
    """List what is no longer declared."""
    there = {resource.urn for resource in after}
    return [resource for resource in before if resource.urn not in there]


def replaced(before: Sequence[Declared], after: Sequence[Declared]) -> list[Declared]:
    """List what is still declared but with another identity, so that it would be made anew."""
    was = {resource.urn: _identity(resource) for resource in before}
    return [
        resource for resource in after if was.get(resource.urn, _identity(resource)) != _identity(resource)
    ]


def data_losses(before: Sequence[Declared], after: Sequence[Declared]) -> Iterator[Violation]:
    """Say which tables and queues a deployment would take away, and how to do it on purpose."""
    for resource in removed(before, after):
        if resource.type in STATEFUL:
            yield violation(resource, "would be deleted with its data; unprotect it first if that is meant")
    for resource in replaced(before, after):
        if resource.type in STATEFUL:
            yield violation(resource, "would be replaced by an empty one; keep its name and its keys")


def _identity(resource: Declared) -> tuple[object, ...]:
    return tuple(resource.get(key) for key in IDENTITY.get(resource.type, ("name",)))
