"""A fact pipe: from the fact table's stream through a filter to a queue of its own, with dead-letter queues.

Each reader of the stream is a route through this component. A shard takes two: capture and mirror.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pulumi_aws as aws

from cutover_infra.access import allow, make_role, trust
from cutover_infra.component import Component
from cutover_infra.queues import make_dead_letter_queue, make_queue
from migration.model.fold import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pulumi

    from cutover_infra.component import Deployment
    from cutover_infra.facts import Facts

# The stream drops a record after 24 h without a trace; an hour earlier the pipe gives it up with one.
_GIVE_UP_AFTER: Final = timedelta(hours=23)
_SQS_BATCH: Final = 10
_NUMBERS: Final = frozenset(name for name, kind in COLUMNS.items() if kind is int)


@dataclass(frozen=True, kw_only=True)
class Route:
    """Which facts go where, and what of them.

    Attributes:
        pipe: the pipe's name after `cutover-<stack>-`.
        queue: the queue's; its dead-letter queue is `<queue>-dlq`.
        dead_letters: the name of the pipe's own dead-letter queue, for what never reached the queue.
        says: what the pipe is for.
        images: what a fact's attributes must be, as EventBridge patterns of its texts.
        fields: the attributes that the message holds.
        events: what must have happened to the fact.
    """

    pipe: str
    queue: str
    dead_letters: str
    says: str
    images: Mapping[str, Sequence[Any]]
    fields: Sequence[str]
    events: Sequence[str] = ("INSERT",)

    @property
    def pattern(self) -> str:
        """The filter: these events with these images."""
        images = {name: {"S": list(texts)} for name, texts in self.images.items()}
        return json.dumps({"eventName": list(self.events), "dynamodb": {"NewImage": images}})

    @property
    def template(self) -> str:
        """The message.

        A placeholder without quotes becomes the value as JSON, quoted and escaped: an id may hold quotes.
        """
        kinds = {name: "N" if name in _NUMBERS else "S" for name in self.fields}
        return (
            "{"
            + ",".join(f'"{name}":<$.dynamodb.NewImage.{name}.{kind}>' for name, kind in kinds.items())
            + "}"
        )


class FactPipe(Component):
    """A pipe, its queue, and the dead-letter queues of both."""

    def __init__(
        self, kind: str, route: Route, deployment: Deployment, owner: Component, facts: Facts
    ) -> None:
        """Make the queues and the pipe between the fact table and them.

        Args:
            kind: the component's type after `cutover:`.
            route: which facts go where.
            deployment: what is being deployed.
            owner: the component it is part of.
            facts: whose stream is read.
        """
        super().__init__(kind, route.pipe, deployment, owner, cost_center=route.pipe)
        self.dead_letters = make_dead_letter_queue(self, deployment, f"{route.queue}-dlq", redriven=True)
        self.queue = make_queue(self, deployment, route.queue, self.dead_letters)
        self.pipe_dead_letters = make_dead_letter_queue(self, deployment, route.dead_letters)
        self.pipe = self._make_pipe(deployment, route, facts.table)
        self.register_outputs({"queue_url": self.queue.url, "pipe": self.pipe.name})

    def _make_pipe(self, deployment: Deployment, route: Route, table: aws.dynamodb.Table) -> aws.pipes.Pipe:
        name = deployment.name(route.pipe)
        reads = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
        role, policy = make_role(
            self,
            f"{route.pipe}-pipe",
            f"{name}-pipe",
            trust("pipes.amazonaws.com", deployment.account_id),
            [
                allow([f"dynamodb:{read}" for read in reads], [table.stream_arn]),
                allow(["sqs:SendMessage"], [self.queue.arn, self.pipe_dead_letters.arn]),
            ],
        )
        return aws.pipes.Pipe(
            route.pipe,
            name=name,
            description=route.says,
            role_arn=role.arn,
            source=table.stream_arn,
            source_parameters=_source(
                route.pattern, deployment.settings.capture_parallelism, self.pipe_dead_letters.arn
            ),
            target=self.queue.arn,
            target_parameters=aws.pipes.PipeTargetParametersArgs(input_template=route.template),
            opts=self.child(depends_on=[policy]),
        )


def _source(
    pattern: str, parallelism: int, dead_letters: pulumi.Input[str]
) -> aws.pipes.PipeSourceParametersArgs:
    return aws.pipes.PipeSourceParametersArgs(
        filter_criteria=aws.pipes.PipeSourceParametersFilterCriteriaArgs(
            filters=[aws.pipes.PipeSourceParametersFilterCriteriaFilterArgs(pattern=pattern)]
        ),
        dynamodb_stream_parameters=aws.pipes.PipeSourceParametersDynamodbStreamParametersArgs(
            # LATEST misses what is inserted while the pipe starts. What TRIM_HORIZON reads again after the
            # pipe was made anew is neither folded nor mirrored twice: its consumers know what they have.
            starting_position="TRIM_HORIZON",
            batch_size=_SQS_BATCH,
            parallelization_factor=parallelism,
            maximum_record_age_in_seconds=int(_GIVE_UP_AFTER.total_seconds()),
            maximum_retry_attempts=-1,
            on_partial_batch_item_failure="AUTOMATIC_BISECT",
            dead_letter_config=aws.pipes.PipeSourceParametersDynamodbStreamParametersDeadLetterConfigArgs(
                arn=dead_letters
            ),
        ),
    )
