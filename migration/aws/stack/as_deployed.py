"""A stack as it is deployed, read for preflight. It reads, and tries writes that can never hold; no more."""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from migration.aws.stack.described import Describe, ask
from migration.aws.stack.permissions import Permissions, needs
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.transport.clients import translated
from migration.cutover.footing import sound_state
from migration.model.backfill import misfit
from migration.model.errors import IntegrityError, UsageError
from migration.model.fold import RESERVED
from migration.model.legacy.mapping import UnmappableError, activity_mapper, row_mapper
from migration.preflight.deployed import (
    Deployed,
    Door,
    Leg,
    LegacyTable,
    Missing,
    PlannedStack,
    Skew,
    TableSample,
    Unread,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from migration.aws.transport.clients import Clients, DescribingClients
    from migration.model.clock import Clock
    from migration.model.legacy.layout import LegacyEvents, WrittenLayout
    from migration.model.state import State
    from migration.plan.outputs import LegacyOutputs, MigrationOutputs, PipelineOutputs, StackOutputs
    from migration.plan.plan import Plan
    from migration.preflight.deployed import Read, Table

SEGMENTS: Final = 4  # a table's first page is one corner of it
SAMPLED: Final = 25  # items of each
INGEST_DOOR: Final = "migration.door.ingest.handler"
SERVE_DOOR: Final = "migration.door.serve.handler"


@dataclass(frozen=True, slots=True)
class AsDeployed:
    """Reads one stack, as one plan sees it."""

    clients: Clients
    more: DescribingClients
    clock: Clock
    outputs: StackOutputs
    plan: Plan

    def read(self) -> Deployed:
        """Read everything.

        Raises:
            UsageError: when the phase has not both sides.
            CredentialsError, RemoteError: when nothing can be read at all.
        """
        legacy, pipeline, migration = self.outputs.legacy, self.outputs.pipeline, self.outputs.migration
        if legacy is None or pipeline is None or migration is None:
            raise self.outputs.one_sided("move")
        who, skew = self._who()
        describe = Describe(self.clients, self.more)
        control, facts = describe.table(migration.control_table), describe.table(pipeline.facts_table)
        permissions = Permissions(self.clients, self.more, self.outputs.region, who)
        layout, legacy = self.plan.legacy, legacy.as_planned(self.plan.legacy)
        return Deployed(
            read_at=self.clock.now(),
            stack=self.outputs.stack,
            plan=self._planned(legacy),
            who=who,
            grants=tuple(permissions.grants(list(needs(self.outputs, self.plan)))),
            skew=skew,
            control=control,
            state=control if isinstance(control, Missing | Unread) else self._state(migration),
            facts=facts,
            dedup=describe.table(pipeline.dedup_table),
            folds=(
                describe.table(pipeline.employee_progress_table),
                describe.table(pipeline.program_progress_table),
            ),
            readers=_readers(describe, facts),
            legs=_legs(describe, pipeline, migration),
            events=self._legacy(describe, legacy.events_table, _event(layout.events)),
            rows=(
                self._legacy(
                    describe,
                    legacy.employee_progress_table,
                    row_mapper(layout.employee_progress),
                ),
                self._legacy(describe, legacy.program_progress_table, row_mapper(layout.program_progress)),
            ),
            doors=tuple(self._doors(describe)),
            direct=ask("some facts", lambda: self._direct(pipeline.facts_table)),
        )

    def _doors(self, describe: Describe) -> Iterator[Door]:
        entrances = self.plan.traffic.entrances(self.outputs.entry)
        for entrance, handler in zip(entrances, (INGEST_DOOR, SERVE_DOOR), strict=True):
            for function, side in entrance.doors:
                yield Door(describe.function(function), handler, side)

    def _who(self) -> tuple[str, Read[Skew]]:
        """Ask who asks, and hold this machine's own clock against the answer's date, in whole seconds."""
        sent, began = time.time(), self.clock.elapsed()
        with translated("asking who the operator is"):
            answer = self.more.sts.get_caller_identity()
        took = self.clock.elapsed() - began
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if date is None:
            return answer["Arn"], Unread("AWS's answer has no time", answered=False)
        theirs = parsedate_to_datetime(date).timestamp() + 0.5
        return answer["Arn"], Skew(sent + took / 2 - theirs, took / 2 + 0.5)

    def _state(self, migration: MigrationOutputs) -> Read[State]:
        plane = ControlPlaneTable(self.clients.dynamodb, migration.control_table, self.plan.migration)
        try:
            return sound_state(plane)
        except IntegrityError as error:
            return Unread(f"{error}; see `cutover doctor`")

    def _planned(self, legacy: LegacyOutputs) -> PlannedStack:
        plan = self.plan
        tables = {
            "EVENTS_TABLE": legacy.events_table,
            "EMPLOYEE_PROGRESS_TABLE": legacy.employee_progress_table,
            "PROGRAM_PROGRESS_TABLE": legacy.program_progress_table,
        }
        stack = plan.stack.rpartition("/")[2]  # Pulumi's full name begins with organization and project
        try:
            layout: WrittenLayout | str = plan.legacy.written()
        except UsageError as error:
            layout = str(error)
        return PlannedStack(plan.migration, stack, plan.hash, layout, tables)

    def _legacy(self, describe: Describe, table: str, read: Callable[[Any], object]) -> LegacyTable:
        return LegacyTable(
            describe.table(table), ask(f"some items of {table}", lambda: self._sample(table, read))
        )

    def _sample(self, table: str, read: Callable[[Any], object]) -> TableSample:
        items, misfits = self._some(table, SAMPLED), []
        for item in items:
            try:
                read(item)
            except UnmappableError as error:
                misfits.append(str(error))
        return TableSample(table, len(items), tuple(misfits))

    def _direct(self, facts: str) -> tuple[int, int]:
        clients = [item for item in self._some(facts, 10 * SAMPLED) if not _is_pulse(item)]
        return sum(item.get("side") == {"S": "pipeline"} for item in clients), len(clients)

    def _some(self, table: str, count: int) -> list[Any]:
        scan = self.clients.dynamodb.scan
        return [
            item
            for segment in range(SEGMENTS)
            for item in scan(TableName=table, Segment=segment, TotalSegments=SEGMENTS, Limit=count)["Items"]
        ]


def _event(layout: LegacyEvents) -> Callable[[Any], object]:
    read = activity_mapper(layout)

    def event(item: Any) -> None:  # noqa: ANN401 - a wire value
        if (problem := misfit(read(item))) is not None:
            raise UnmappableError(problem, hint="correct the item, or the plan file")

    return event


def _is_pulse(item: Any) -> bool:  # noqa: ANN401 - a wire value
    return bool(item["employee_id"]["S"].startswith(RESERVED))


def _readers(describe: Describe, facts: Read[Table]) -> Read[tuple[str, ...]]:
    if isinstance(facts, Missing | Unread):
        return facts
    return () if facts.stream_arn is None else describe.readers(facts.stream_arn)


def _legs(describe: Describe, pipeline: PipelineOutputs, migration: MigrationOutputs) -> tuple[Leg, ...]:
    capture = (
        pipeline.pipe,
        pipeline.queue_url,
        pipeline.dead_letter_queue_url,
        pipeline.capture_dead_letter_queue_url,
        pipeline.aggregate_function,
    )
    mirror = (
        migration.mirror_pipe,
        migration.mirror_queue_url,
        migration.mirror_dead_letter_queue_url,
        migration.mirror_capture_dead_letter_queue_url,
        migration.mirror_function,
    )
    return _leg(describe, "capture", capture), _leg(describe, "mirror", mirror)


def _leg(describe: Describe, name: str, exported: Iterable[str | None]) -> Leg:
    pipe, queue, dead_letters, pipe_dead_letters, function = (
        one or "that is not exported" for one in exported
    )
    return Leg(
        name,
        describe.pipe(pipe),
        describe.queue(queue),
        describe.queue(dead_letters),
        describe.queue(pipe_dead_letters),
        describe.function(function),
        describe.mappings(function),
    )
