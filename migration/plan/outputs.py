"""What a deployed stack exports, checked as it comes in: docs/contracts.md, "Stack outputs"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from migration.model.errors import UsageError

if TYPE_CHECKING:
    from migration.model.legacy.layout import LegacyPlan


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

    def as_planned(self, plan: LegacyPlan) -> LegacyOutputs:
        """Give it with the tables that the plan names, where it names some."""
        named = {
            "events_table": plan.events.table,
            "employee_progress_table": plan.employee_progress.table,
            "program_progress_table": plan.program_progress.table,
            "leaderboard_table": plan.leaderboard.table,
        }
        return self.model_copy(update={field: table for field, table in named.items() if table})


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

    @property
    def dead_letters(self) -> dict[str, str]:
        """Its dead-letter queues: what their messages are, and their addresses."""
        return {"not captured": self.capture_dead_letter_queue_url, "not folded": self.dead_letter_queue_url}


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

    @property
    def dead_letters(self) -> dict[str, str]:
        """Its dead-letter queues, as far as it has them."""
        queues = {
            "not captured for legacy": self.mirror_capture_dead_letter_queue_url,
            "not mirrored back": self.mirror_dead_letter_queue_url,
        }
        return {what: url for what, url in queues.items() if url}


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

    @property
    def dead_letters(self) -> dict[str, str]:
        """Every dead-letter queue for facts: what its messages are, and its address."""
        return {
            what: url
            for one in (self.pipeline, self.migration)
            if one
            for what, url in one.dead_letters.items()
        }

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
