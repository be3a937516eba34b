"""Aggregate: the function that folds queued facts, the folds' tables, and the table of what is folded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pulumi_aws as aws

from cutover_infra.access import allow
from cutover_infra.component import Component
from cutover_infra.consumers import consume, feed
from cutover_infra.functions import Function, FunctionArgs, Handler
from cutover_infra.tables import Shape, make_table

if TYPE_CHECKING:
    from cutover_infra.capture import Capture
    from cutover_infra.component import Deployment

INDEX: Final = "by_score"


class Aggregate(Component):
    """The function `aggregate`, mapped to the queue, and its tables `dedup`, `employees` and `programs`."""

    def __init__(self, deployment: Deployment, owner: Component, capture: Capture) -> None:
        """Make the tables, the function and its mapping."""
        super().__init__("pipeline:Aggregate", "aggregate", deployment, owner, cost_center="aggregate")
        self.dedup = make_table(self, deployment, "dedup", Shape(hash_key="identity", ttl="expires_at"))
        self.employees = make_table(
            self,
            deployment,
            "employee-progress",
            Shape(
                hash_key="employee_id",
                range_key="program_id",
                index=_board_index(),
                index_keys={"board": "S", "score": "N"},
            ),
        )
        self.programs = make_table(
            self, deployment, "program-progress", Shape(hash_key="program_id", range_key="shard")
        )
        self.function = Function("aggregate", deployment, self, self._args(deployment, capture.queue))
        at_once = deployment.settings.aggregate_max_concurrency
        batch = deployment.settings.aggregate_batch_size
        feed(self, deployment, self.function, capture.queue, batch=batch, at_once=at_once)
        self.register_outputs({"function": self.function.function.name})

    def _args(self, deployment: Deployment, queue: aws.sqs.Queue) -> FunctionArgs:
        settings = deployment.settings
        handler = Handler(
            path="pipeline.handlers.aggregate.handler",
            powertools=True,
            environment={
                "DEDUP_TABLE": self.dedup.name,
                "EMPLOYEE_PROGRESS_TABLE": self.employees.name,
                "PROGRAM_PROGRESS_TABLE": self.programs.name,
                "BOARD_SHARDS": str(settings.board_shards),
                "PROGRAM_SHARDS": str(settings.program_shards),
                "FOLD_HORIZON_DAYS": str(settings.fold_horizon_days),
                "DEDUP_TTL_DAYS": str(settings.dedup_ttl_days),
            },
            access=[
                allow(["dynamodb:PutItem"], [self.dedup.arn]),
                allow(["dynamodb:UpdateItem"], [self.employees.arn, self.programs.arn]),
                consume(queue),
            ],
        )
        return FunctionArgs(
            handler=handler,
            code=deployment.pipeline_code,
            timeout_s=settings.aggregate_timeout_s,
            memory_mb=settings.aggregate_memory_mb,
        )


def _board_index() -> aws.dynamodb.TableGlobalSecondaryIndexArgs:
    """Order each board's employees by score, so that reading the best of them never scans."""
    key = aws.dynamodb.TableGlobalSecondaryIndexKeySchemaArgs
    return aws.dynamodb.TableGlobalSecondaryIndexArgs(
        name=INDEX,
        key_schemas=[
            key(attribute_name="board", key_type="HASH"),
            key(attribute_name="score", key_type="RANGE"),
        ],
        projection_type="INCLUDE",
        non_key_attributes=["points", "events"],
    )
