"""Functions that copy, as Step Functions runs them: a Distributed Map over the segments of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from migration.aws.transport.clients import translated
from migration.backfill.segment_workers import Execution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_stepfunctions import SFNClient

    from migration.model.backfill import Job

_RUNNING: Final = "RUNNING"
_GONE: Final = "ExecutionDoesNotExist"
_TAKEN: Final = "ExecutionAlreadyExists"


@dataclass(frozen=True, slots=True)
class StepFunctions:
    """One stack's state machine.

    Attributes:
        client: Step Functions.
        machine: its ARN.
        migration: whose records the functions read.
        layout: how legacy's events are laid out, as the plan file has it.
    """

    client: SFNClient
    machine: str
    migration: str
    layout: Mapping[str, Any]

    def begin(self, job: Job) -> str | None:
        """Start the execution of this run and number, which AWS lets exist only once."""
        name = f"{self.migration}-run-{job.run}-{job.executions + 1}"
        work = {"run": job.run, "layout": dict(self.layout), "segments": list(range(job.segments))}
        with translated(f"starting {self.machine}"):
            try:
                answer = self.client.start_execution(
                    stateMachineArn=self.machine, name=name, input=json.dumps(work)
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != _TAKEN:
                    raise
                found = f"{self.machine.replace(':stateMachine:', ':execution:')}:{name}"
                return found if self.look(found).running else None
            return answer["executionArn"]

    def look(self, name: str) -> Execution:
        """Describe an execution, and its Map Run's counts."""
        with translated(f"reading {name}"):
            try:
                status = self.client.describe_execution(executionArn=name)["status"]
                runs = self.client.list_map_runs(executionArn=name)["mapRuns"]
            except ClientError as error:
                if error.response["Error"]["Code"] != _GONE:
                    raise
                return Execution(name, running=False, status="not known any more")
            if not runs:
                return Execution(name, running=status == _RUNNING, status=status)
            counts = self.client.describe_map_run(mapRunArn=runs[0]["mapRunArn"])["itemCounts"]
        failed = counts["failed"] + counts["timedOut"] + counts["aborted"]
        return Execution(name, status == _RUNNING, status, counts["running"], counts["pending"], failed)

    def stop(self, name: str, why: str) -> None:
        """Stop an execution, and with it its functions' next turns."""
        with translated(f"stopping {name}"):
            self.client.stop_execution(executionArn=name, cause=why)
