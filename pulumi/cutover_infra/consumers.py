"""How a function consumes a queue: the mapping that feeds it, and what that takes of its role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_aws as aws

from cutover_infra.access import allow

if TYPE_CHECKING:
    from cutover_infra.access import Statement
    from cutover_infra.component import Component, Deployment
    from cutover_infra.functions import Function


def consume(queue: aws.sqs.Queue) -> Statement:
    """Allow what Lambda's poller does with the function's role."""
    return allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], [queue.arn])


def feed(  # noqa: PLR0913 - what is fed from what, and how
    owner: Component,
    deployment: Deployment,
    function: Function,
    queue: aws.sqs.Queue,
    *,
    batch: int,
    at_once: int,
) -> None:
    """Feed a function from a queue, in batches that report their failures singly.

    The mapping's maximum concurrency limits it, not a reserved concurrency: a throttled invocation would
    burn its messages' receives into the dead-letter queue.

    Args:
        owner: the component that the mapping belongs to.
        deployment: what is being deployed.
        function: the consumer.
        queue: what it consumes.
        batch: how many messages it gets at most at once.
        at_once: how many invocations there may be at once.
    """
    aws.lambda_.EventSourceMapping(
        function.thing,
        event_source_arn=queue.arn,
        function_name=function.function.arn,
        batch_size=batch,
        maximum_batching_window_in_seconds=deployment.settings.aggregate_window_s,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=aws.lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=at_once),
        opts=owner.child(),
    )
