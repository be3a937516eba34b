"""What the stack tells the toolkit (`pulumi stack output --json`); docs/contracts.md is the contract.

A side that is not deployed in the phase is null, which Pulumi's output leaves out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

import pulumi

if TYPE_CHECKING:
    from cutover_infra.component import Deployment

Text = pulumi.Output[str]


class EntryOutputs(TypedDict):
    """Where clients come in; URLs end in `/`."""

    ingest_url: Text
    serve_url: Text
    ingest_function: Text
    serve_function: Text


class LegacyOutputs(TypedDict):
    """Where legacy is. Clients reach it through the entry, so those four are the entry's."""

    ingest_url: Text
    serve_url: Text
    ingest_function: Text
    rebuild_function: Text
    serve_function: Text
    events_table: Text
    program_progress_table: Text
    employee_progress_table: Text
    leaderboard_table: Text


class PipelineOutputs(TypedDict):
    """Where the pipeline is; URLs end in `/`."""

    ingest_url: Text
    serve_url: Text
    ingest_function: Text
    aggregate_function: Text
    snapshot_function: Text
    serve_function: Text
    facts_table: Text
    dedup_table: Text
    employee_progress_table: Text
    program_progress_table: Text
    snapshots_table: Text
    queue_url: Text
    dead_letter_queue_url: Text
    capture_dead_letter_queue_url: Text
    pipe: Text


class MirrorOutputs(TypedDict):
    """Where the reverse mirror is."""

    mirror_function: Text
    mirror_queue_url: Text
    mirror_dead_letter_queue_url: Text
    mirror_capture_dead_letter_queue_url: Text
    mirror_pipe: Text


class BulkOutputs(TypedDict):
    """Where the backfill's engine `aws` is."""

    state_machine: Text
    worker_function: Text
    exports_bucket: Text
    athena_workgroup: Text
    athena_database: Text


class MigrationOutputs(TypedDict):
    """What is between the sides; all but the control table and the topic is null in phase contract."""

    control_table: Text
    notice_topic: Text | None
    watchdog_function: Text | None
    mirror_function: Text | None
    mirror_queue_url: Text | None
    mirror_dead_letter_queue_url: Text | None
    mirror_capture_dead_letter_queue_url: Text | None
    mirror_pipe: Text | None
    comparator_function: Text | None


class Outputs(TypedDict):
    """The parts that a phase has."""

    entry: EntryOutputs
    legacy: LegacyOutputs | None
    pipeline: PipelineOutputs | None
    migration: MigrationOutputs | None
    bulk: BulkOutputs | None


def migration_outputs(
    control_table: Text,
    notice_topic: Text | None,
    mirror: MirrorOutputs | None,
    comparator_function: Text | None,
) -> MigrationOutputs:
    """Say what is between the sides: mirror and comparator while there are two; see `with_watchdog`."""
    return {
        "control_table": control_table,
        "notice_topic": notice_topic,
        "watchdog_function": None,
        "mirror_function": mirror["mirror_function"] if mirror else None,
        "mirror_queue_url": mirror["mirror_queue_url"] if mirror else None,
        "mirror_dead_letter_queue_url": mirror["mirror_dead_letter_queue_url"] if mirror else None,
        "mirror_capture_dead_letter_queue_url": (
            mirror["mirror_capture_dead_letter_queue_url"] if mirror else None
        ),
        "mirror_pipe": mirror["mirror_pipe"] if mirror else None,
        "comparator_function": comparator_function,
    }


def with_watchdog(outputs: Outputs, function: Text) -> Outputs:
    """Name the watchdog too. It gets the others' names itself, which Pulumi reads later: hence a copy."""
    between = outputs["migration"]
    return {**outputs, "migration": {**between, "watchdog_function": function} if between else None}


def as_json(deployment: Deployment, outputs: Outputs) -> Text:
    """Write what the stack exports as one text, for a function that finds its way by it."""
    return pulumi.Output.json_dumps({**_whole(deployment), **outputs})


def export(deployment: Deployment, outputs: Outputs) -> None:
    """Export the stack's outputs."""
    for part, values in {**_whole(deployment), **outputs}.items():
        pulumi.export(part, values)


def _whole(deployment: Deployment) -> dict[str, object]:
    settings = deployment.settings
    return {"stack": str(settings.stack), "phase": str(settings.phase), "region": deployment.region}
