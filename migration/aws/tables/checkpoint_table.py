"""The control table as a backfill uses it: one item a record, replaced only as it was read.

state                                the stage, written by others
checkpoint#backfill                  the job
checkpoint#backfill#pulse            the last sign of life
checkpoint#backfill#0001#0003        segment 3 of run 1
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.transport.clients import translated
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.metered import CONDITION_FAILED
from migration.aws.transport.patience import patiently
from migration.cutover.footing import sound_state
from migration.model.backfill import BackfillPhase, Engine, Job, Progress, Pulse, Segment, progress_of
from migration.model.fold import Fold

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from migration.model.clock import Clock
    from migration.model.stages import Control

JOB: Final = "checkpoint#backfill"
PULSE: Final = f"{JOB}#pulse"


@dataclass(frozen=True, slots=True)
class CheckpointTable:
    """One migration's records."""

    client: DynamoDBClient
    table: str
    migration: str
    clock: Clock = field(default_factory=SystemClock)

    def control(self) -> Control:
        """Read where the migration stands."""
        return sound_state(ControlPlaneTable(self.client, self.table, self.migration, self.clock)).control

    def job(self) -> Job | None:
        """Read the backfill."""
        item = self._get(JOB)
        if not item:
            return None
        fields = json.loads(item["body"]["S"])
        known = {"phase": BackfillPhase(fields["phase"]), "history": Fold(**fields["history"])}
        # A job that an earlier version wrote says nothing of its engine.
        engine = {"engine": Engine(fields["engine"])} if "engine" in fields else {}
        return Job(**{**fields, **known, **engine})

    def save_job(self, job: Job) -> bool:
        """Replace the revision before this one."""
        return self._replace(JOB, asdict(job), job.revision)

    def progress(self, job: Job) -> Progress:
        """Read how far the segments are."""
        with translated(f"reading {self.table}"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                ConsistentRead=True,
                KeyConditionExpression="migration = :m AND begins_with(#record, :r)",
                ExpressionAttributeNames={"#record": "record"},
                ExpressionAttributeValues={":m": {"S": self.migration}, ":r": {"S": _run(job.run)}},
            )
            return progress_of(job, [_segment(item) for page in pages for item in page["Items"]])

    def save_segment(self, segment: Segment) -> bool:
        """Replace the revision before this one."""
        record = f"{_run(segment.run)}{segment.number:04}"
        return self._replace(record, asdict(segment), segment.revision)

    def pulse(self) -> Pulse | None:
        """Read the last sign of life."""
        item = self._get(PULSE)
        return Pulse(**json.loads(item["body"]["S"])) if item else None

    def save_pulse(self, pulse: Pulse) -> None:
        """Leave a sign of life, unless a newer one is there."""
        at = {"N": repr(pulse.at)}
        self._put(PULSE, asdict(pulse), ("at", at), "attribute_not_exists(#n) OR #n <= :was", at)

    def _replace(self, record: str, fields: dict[str, Any], revision: int) -> bool:
        number = ("revision", {"N": str(revision)})
        if revision == 1:
            return self._put(record, fields, number, "attribute_not_exists(#n)", None)
        return self._put(record, fields, number, "#n = :was", {"N": str(revision - 1)})

    def _put(
        self,
        record: str,
        fields: dict[str, Any],
        number: tuple[str, dict[str, str]],
        condition: str,
        was: dict[str, str] | None,
    ) -> bool:
        """Write a record if its number is as the condition says; False when it is not."""
        name, value = number
        key = {"migration": {"S": self.migration}, "record": {"S": record}}
        item: Any = {**key, name: value, "body": {"S": json.dumps(fields)}}
        values: Any = {} if was is None else {"ExpressionAttributeValues": {":was": was}}
        with translated(f"writing {self.table}"):
            try:
                put = partial(
                    self.client.put_item,
                    TableName=self.table,
                    Item=item,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={"#n": name},
                    **values,
                )
                patiently(put, self.clock)
            except ClientError as error:
                if error.response["Error"]["Code"] != CONDITION_FAILED:
                    raise
                return False
        return True

    def _get(self, record: str) -> dict[str, Any]:
        key: Any = {"migration": {"S": self.migration}, "record": {"S": record}}
        with translated(f"reading {self.table}"):
            answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        item: dict[str, Any] = dict(answer.get("Item", {}))
        return item


def _run(run: int) -> str:
    return f"{JOB}#{run:04}#"


def _segment(item: Any) -> Segment:  # noqa: ANN401 - a wire value
    fields = json.loads(item["body"]["S"])
    return Segment(**{**fields, "problems": tuple(fields["problems"])})
