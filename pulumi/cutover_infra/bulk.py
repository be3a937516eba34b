"""Bulk: the backfill's engine `aws`. Functions copy legacy's events, and Athena folds exports of the facts.

It does nothing until `cutover backfill start --engine aws`, costs nothing until then, and goes with legacy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pulumi
import pulumi_aws as aws

from cutover_infra.access import allow, make_role, trust
from cutover_infra.buckets import make_bucket
from cutover_infra.component import PROJECT, Component
from cutover_infra.functions import Function, FunctionArgs, Handler
from cutover_infra.segment_map import segment_map
from cutover_infra.settings import NOT_RESERVED

if TYPE_CHECKING:
    from cutover_infra.access import Statement
    from cutover_infra.component import Deployment
    from cutover_infra.control import Control
    from cutover_infra.exports import Part
    from cutover_infra.legacy import Legacy
    from cutover_infra.pipeline import Pipeline

KEPT_DAYS: Final = 7  # an export is read within hours of its request
SCANNED_AT_MOST: Final = 2**40  # bytes that one query may read: a billion facts are a tenth of it
WORKER_TIMEOUT_S: Final = 900  # the longest there is: a turn costs a cold start and a slow beginning


class Bulk(Component):
    """The function `segment-worker`, the state machine `segments`, and the bucket that Athena folds in."""

    def __init__(self, deployment: Deployment, legacy: Legacy, pipeline: Pipeline, control: Control) -> None:
        """Make what copies, and what folds."""
        super().__init__("migration:Bulk", "bulk", deployment, cost_center="bulk")
        self.worker = Function(
            "segment-worker", deployment, self, _worker(deployment, legacy, pipeline, control)
        )
        self.machine = self._machine(deployment)
        self.bucket = make_bucket(self, deployment, "exports", KEPT_DAYS)
        self.workgroup = self._workgroup(deployment)
        # Athena's names are words of SQL, so they have no hyphens.
        self.database = aws.glue.CatalogDatabase(
            "exports",
            name=f"{PROJECT}_{deployment.settings.stack}_exports",
            opts=self.child(),
        )
        self.register_outputs({"machine": self.machine.arn})

    @property
    def outputs(self) -> Part:
        """What the stack exports of the engine."""
        return {
            "state_machine": self.machine.arn,
            "worker_function": self.worker.function.name,
            "exports_bucket": self.bucket.bucket,
            "athena_workgroup": self.workgroup.name,
            "athena_database": self.database.name,
        }

    def _machine(self, deployment: Deployment) -> aws.sfn.StateMachine:
        name = deployment.name("segments")
        here = pulumi.Output.concat("arn:aws:states:", deployment.region, ":", deployment.account_id)
        machine, executions = (
            pulumi.Output.concat(here, f":{kind}:{name}") for kind in ("stateMachine", "execution")
        )
        role, policy = make_role(
            self,
            "segments",
            name,
            trust("states.amazonaws.com", deployment.account_id),
            [
                allow(["lambda:InvokeFunction"], [self.worker.function.arn]),
                # A Map Run's children are executions of the machine, named by Step Functions.
                allow(["states:StartExecution"], [machine]),
                allow(
                    ["states:DescribeExecution", "states:StopExecution"],
                    [pulumi.Output.concat(executions, ":*")],
                ),
            ],
        )
        return aws.sfn.StateMachine(
            "segments",
            name=name,
            type="STANDARD",
            role_arn=role.arn,
            definition=segment_map(self.worker.function.arn, deployment.settings.bulk_workers),
            opts=self.child(depends_on=[policy]),
        )

    def _workgroup(self, deployment: Deployment) -> aws.athena.Workgroup:
        result = aws.athena.WorkgroupConfigurationResultConfigurationArgs(
            output_location=pulumi.Output.concat("s3://", self.bucket.bucket, "/folds/"),
            encryption_configuration=aws.athena.WorkgroupConfigurationResultConfigurationEncryptionConfigurationArgs(
                encryption_option="SSE_S3"
            ),
        )
        return aws.athena.Workgroup(
            "exports",
            name=deployment.name("exports"),
            force_destroy=True,
            configuration=aws.athena.WorkgroupConfigurationArgs(
                enforce_workgroup_configuration=True,
                bytes_scanned_cutoff_per_query=SCANNED_AT_MOST,
                result_configuration=result,
            ),
            opts=self.child(),
        )


def _worker(deployment: Deployment, legacy: Legacy, pipeline: Pipeline, control: Control) -> FunctionArgs:
    settings, capture, programs = deployment.settings, pipeline.capture, pipeline.aggregate.programs
    access: list[Statement] = [
        allow(["dynamodb:DescribeTable", "dynamodb:Scan"], [legacy.events.arn]),
        allow(["dynamodb:PutItem"], [pipeline.facts.table.arn]),
        allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], [control.table.arn]),
        allow(["dynamodb:GetItem"], [programs.arn]),
        allow(["sqs:GetQueueAttributes"], [capture.queue.arn]),
    ]
    handler = Handler(
        path="migration.functions.worker.handler",
        powertools=True,
        environment={
            "EVENTS_TABLE": legacy.events.name,
            "FACTS_TABLE": pipeline.facts.table.name,
            "CONTROL_TABLE": control.table.name,
            "PROGRAM_PROGRESS_TABLE": programs.name,
            "QUEUE_URL": capture.queue.url,
            "MIGRATION": settings.migration,
            "WORKERS": str(settings.bulk_workers),
        },
        access=access,
    )
    return FunctionArgs(
        handler=handler,
        code=deployment.worker_code,
        timeout_s=WORKER_TIMEOUT_S,
        memory_mb=settings.bulk_memory_mb,
        # Reserved where a small account's limit does not keep others from being; bounded by the map anyway.
        reserved_concurrency=NOT_RESERVED
        if settings.reserved_concurrency == NOT_RESERVED
        else settings.bulk_workers,
    )
