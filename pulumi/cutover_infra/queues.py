"""SQS queues: encrypted, reached over TLS only, and none without a dead-letter queue unless it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from cutover_infra.access import document
from cutover_infra.settings import DEAD_LETTER_RETENTION, QUEUE_RETENTION

if TYPE_CHECKING:
    from datetime import timedelta

    from cutover_infra.component import Component, Deployment


def make_queue(
    owner: Component, deployment: Deployment, thing: str, dead_letters: aws.sqs.Queue
) -> aws.sqs.Queue:
    """Make a queue whose messages go to `dead_letters` after their receives, and only such a queue's may."""
    settings = deployment.settings
    queue = aws.sqs.Queue(
        thing,
        name=deployment.name(thing),
        message_retention_seconds=_seconds(QUEUE_RETENTION),
        visibility_timeout_seconds=settings.queue_visibility_s,
        sqs_managed_sse_enabled=True,
        redrive_policy=pulumi.Output.json_dumps(
            {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": settings.max_receive_count}
        ),
        opts=owner.child(stateful=settings.protection),
    )
    _require_tls(owner, thing, queue)
    _admit_redrives(owner, f"{thing}-dlq", dead_letters, queue)
    return queue


def make_dead_letter_queue(
    owner: Component, deployment: Deployment, thing: str, *, redriven: bool = False
) -> aws.sqs.Queue:
    """Make a queue for what could not be delivered, kept as long as SQS can.

    Args:
        owner: the component it belongs to.
        deployment: what is being deployed.
        thing: its name after `cutover-<stack>-`, ending in `-dlq`.
        redriven: whether another queue's failed messages go here; `make_queue` then says whose.
    """
    settings = deployment.settings
    queue = aws.sqs.Queue(
        thing,
        name=deployment.name(thing),
        message_retention_seconds=_seconds(DEAD_LETTER_RETENTION),
        sqs_managed_sse_enabled=True,
        opts=owner.child(stateful=settings.protection),
    )
    _require_tls(owner, thing, queue)
    if not redriven:
        _admit_redrives(owner, thing, queue, None)
    return queue


def _require_tls(owner: Component, name: str, queue: aws.sqs.Queue) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:*",
        "Resource": queue.arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    aws.sqs.QueuePolicy(name, queue_url=queue.url, policy=document([statement]), opts=owner.child())


def _admit_redrives(owner: Component, name: str, queue: aws.sqs.Queue, source: aws.sqs.Queue | None) -> None:
    """Let one queue, or none, send its failed messages here."""
    allowed = (
        {"redrivePermission": "byQueue", "sourceQueueArns": [source.arn]}
        if source
        else {"redrivePermission": "denyAll"}
    )
    aws.sqs.RedriveAllowPolicy(
        name,
        queue_url=queue.url,
        redrive_allow_policy=pulumi.Output.json_dumps(allowed),
        opts=owner.child(),
    )


def _seconds(duration: timedelta) -> int:
    return int(duration.total_seconds())
