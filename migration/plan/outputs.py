"""What a deployed stack exports, checked as it comes in: docs/contracts.md, "Stack outputs"."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from migration.model.errors import UsageError


class _Outputs(BaseModel):
    model_config = ConfigDict(frozen=True)


class EntryOutputs(_Outputs):
    """Where clients come in, in every phase."""

    ingest_url: str
    serve_url: str
    ingest_function: str
    serve_function: str


class LegacyOutputs(_Outputs):
    """Legacy's physical names; its addresses and its functions for clients are the entry's."""

    ingest_url: str
    serve_url: str
    ingest_function: str
    rebuild_function: str
    serve_function: str
    events_table: str
    program_progress_table: str
    employee_progress_table: str
    leaderboard_table: str


class PipelineOutputs(_Outputs):
    """The pipeline's addresses and physical names."""

    ingest_url: str
    serve_url: str
    ingest_function: str
    aggregate_function: str
    snapshot_function: str
    serve_function: str
    facts_table: str
    dedup_table: str
    employee_progress_table: str
    program_progress_table: str
    snapshots_table: str
    queue_url: str
    dead_letter_queue_url: str
    capture_dead_letter_queue_url: str
    pipe: str


class BulkOutputs(_Outputs):
    """Where the backfill's engine `aws` is."""

    state_machine: str
    worker_function: str
    exports_bucket: str
    athena_workgroup: str
    athena_database: str


class MigrationOutputs(_Outputs):
    """What is between the sides; all but the control table and the topic is None in phase `contract`."""

    control_table: str
    notice_topic: str | None = None
    watchdog_function: str | None = None
    mirror_function: str | None = None
    mirror_queue_url: str | None = None
    mirror_dead_letter_queue_url: str | None = None
    mirror_capture_dead_letter_queue_url: str | None = None
    mirror_pipe: str | None = None
    comparator_function: str | None = None


class StackOutputs(_Outputs):
    """A stack: legacy is None in phase `contract`, the pipeline and the migration in phase `legacy`.

    The backfill's engine is None in both, and where it is not wanted.
    """

    stack: str
    phase: Literal["legacy", "expand", "contract"]
    region: str
    entry: EntryOutputs
    legacy: LegacyOutputs | None = None
    pipeline: PipelineOutputs | None = None
    migration: MigrationOutputs | None = None
    bulk: BulkOutputs | None = None

    def deploying(self, phase: str) -> str:
        """Give the command that brings the stack to a phase."""
        if self.stack == "local":
            return f"cutover local up --phase {phase}"
        return f"pulumi up --stack {self.stack} --config cutover:phase={phase}"

    @property
    def contracting(self) -> str:
        """The command that removes legacy; empty when it is removed."""
        return self.deploying("contract") if self.legacy else ""

    def one_sided(self, what: str) -> UsageError:
        """Say that there is nothing to do `what` with in a phase that has one side only."""
        if self.phase == "contract":
            return UsageError(
                f"phase contract has the pipeline only: there is nothing to {what} any more",
                hint="the migration is over; its certificate says what was proven",
                next_command="cutover certificate",
            )
        return UsageError(
            f"phase {self.phase} has one side only: there is nothing to {what}",
            hint="both sides are there in phase expand",
            next_command=self.deploying("expand"),
        )
