"""How many messages a queue holds, about: waiting, being worked on, or delayed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.aws.transport.clients import translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def messages(sqs: SQSClient, queue_url: str) -> int:
    """Count them."""
    with translated(f"reading {queue_url}"):
        counts = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=list(_COUNTS))
    return sum(int(counts["Attributes"][name]) for name in _COUNTS)
