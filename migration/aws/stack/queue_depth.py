"""How many messages a queue holds, asked of SQS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.aws.transport.clients import translated
from pipeline.domain.queue_depth import COUNTS, depth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_sqs import SQSClient


def messages(sqs: SQSClient, queue_url: str) -> int:
    """Count the messages of a queue."""
    with translated(f"reading {queue_url}"):
        return depth(sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[*COUNTS])["Attributes"])


def depths(sqs: SQSClient, queues: Mapping[str, str]) -> dict[str, int]:
    """Count the messages of each queue; `queues` has their addresses by name."""
    return {name: messages(sqs, url) for name, url in queues.items()}
