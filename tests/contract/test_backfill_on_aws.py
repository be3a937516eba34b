"""The backfill's engine `aws` on the local AWS: deployed functions copy, an export is folded, rows hold it.

Athena is here the local AWS's, which is DuckDB: what is proved is that the export, its table, the same SQL
file and the result fit together, and that rows come out as one machine makes them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migration.aws.bulk.athena_exports import AthenaExports
from migration.aws.bulk.history_bulk import folded_in_bulk
from migration.aws.stack.step_functions import StepFunctions
from migration.aws.tables.base_tables import BaseTables
from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.tables.fact_table import FactTable
from migration.aws.tables.legacy_event_table import LegacyEventTable
from migration.aws.transport.clients import connect, connect_bulk
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.metered import Writer
from migration.aws.transport.raw_dynamodb import beside
from migration.aws.transport.scan import ReadPace
from migration.backfill.attention import Attention
from migration.backfill.backfill import Backfill
from migration.backfill.copying_elsewhere import CopyingElsewhere
from migration.backfill.exported_fold import ExportedFold
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import PaceLimits, WritePace
from migration.local.deployer.deployment import Deployment
from migration.local.deployer.project import stack_config
from migration.model.backfill import BackfillPhase, Engine, Job, Wish
from migration.model.errors import UsageError
from migration.model.facts import Lane, StoredFact
from migration.model.fold import NOTHING, Activity, fold_all
from migration.model.legacy.layout import LegacyEvents
from migration.model.legacy.mapping import activity_mapper
from migration.model.side import Side
from migration.plan.outputs import StackOutputs
from tests.backfill_world import activity
from tests.contract.emulator_aws import eventually
from tests.doubles.backfill import MemoryLiveLane

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.backfill.history import BaseChange
    from migration.local.emulator import Emulator
    from migration.model.fold import Row

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
STACK = "staging"  # other tests that share this local AWS use other stacks
WORKERS = 3
WISH = Wish(segments=5, max_wcu=50_000, engine=Engine.AWS)
EVENTS = [activity(number, f"e-{number % 7}", f"p-{number % 3}", number % 9 + 1) for number in range(200)]
# Texts that a reader or a writer of CSV, JSON or SQL might take for something else.
ODD = [
    Activity(employee, f"ev {number}", program, "task_completed", points, "2026-03-01T09:00:00.000Z")
    for number, (employee, program, points) in enumerate(
        [
            ("2026-03-01", "00017", 5),
            ("null", "NULL", 6),
            ('a "quoted" one', "comma, and; semicolon", 7),
            ("it's 100%", "c:\\path\\", 8),
            ("żółć 漢字 🐍", "\ttab", 10**12),
            (" blank ", "é", 0),
        ]
    )
]


class Hurried(SystemClock):
    """Time that goes eight times as fast for who only waits."""

    def elapsed(self) -> float:
        return 8 * super().elapsed()

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 8)


@dataclass
class World:
    """The deployed stack, and one process that runs a backfill on it."""

    outputs: StackOutputs
    client: Any
    events: LegacyEventTable
    facts: FactTable
    bases: BaseTables
    checkpoints: CheckpointTable
    workers: StepFunctions
    exports: AthenaExports

    def backfill(self) -> Backfill:
        clock = Hurried()
        pacer = Pacer(clock, MemoryLiveLane(), WritePace(5_000, 5_000, ""), PaceLimits(latency_ms=60_000))
        attention = Attention(str(os.getpid()), clock, pacer, self.checkpoints)
        copying = CopyingElsewhere(self.workers, self.events, self.checkpoints, clock)
        fold = ExportedFold(self.exports, self.bases, attention)
        return Backfill(copying.copy, fold.fold, self.bases, self.checkpoints, attention, Engine.AWS)

    def accept(self, *events: Activity) -> None:
        for one in events:
            item: Any = {
                "employee_id": {"S": one.employee_id},
                "event_id": {"S": one.event_id},
                "program_id": {"S": one.program_id},
                "activity_type": {"S": one.activity_type},
                "points": {"N": str(one.points)},
                "occurred_at": {"S": one.occurred_at},
            }
            self.client.put_item(TableName=self.events.table, Item=item)

    def put(self, one: Activity, lane: Lane) -> None:
        self.facts.put(StoredFact(one, lane, Side.LEGACY, "2026-03-02T00:00:00.000Z"))

    def folded(self, token: str) -> dict[Row, BaseChange]:
        """Fold an export against nothing installed."""
        snapshot = self.exports.snapshot(token)
        eventually(lambda: self.exports.exporting(snapshot) is None)
        fold = self.exports.fold(snapshot)
        eventually(lambda: self.exports.folding(fold) is None)
        with self.exports.folded(fold, []) as folded:
            return {change.row: change for change in folded.changes}


@pytest.fixture(scope="module")
def world(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    config = {
        **stack_config(ROOT, "cutover", STACK),
        "cutover:phase": "expand",
        "cutover:powertools_layer": "none",
        "cutover:bulk_workers": str(WORKERS),
    }
    state = tmp_path_factory.mktemp("stack") / "state.json"
    deployment = Deployment(ROOT / "pulumi", "cutover", STACK, config, emulator.endpoint, state)
    outputs = StackOutputs.model_validate(deployment.up())
    yield _world(outputs, emulator)
    deployment.destroy()


def _world(outputs: StackOutputs, emulator: Emulator) -> World:
    assert outputs.legacy and outputs.pipeline and outputs.migration and outputs.bulk  # noqa: PT018 - phase expand
    clients, bulk = (
        connect(outputs.region, emulator.endpoint),
        connect_bulk(outputs.region, emulator.endpoint),
    )
    clock = SystemClock()
    source = beside(clients.dynamodb, 20, clock)
    names, pace, migration = outputs.pipeline, ReadPace(None, clock), "activities"
    return World(
        outputs,
        clients.dynamodb,
        LegacyEventTable(
            clients.dynamodb, source, outputs.legacy.events_table, activity_mapper(LegacyEvents()), pace
        ),
        FactTable(source, Writer(source), names.facts_table, pace),
        BaseTables(
            source, Writer(source), names.employee_progress_table, names.program_progress_table, 2, pace
        ),
        CheckpointTable(clients.dynamodb, outputs.migration.control_table, migration),
        StepFunctions(bulk.states, outputs.bulk.state_machine, migration, {}),
        AthenaExports(
            clients.dynamodb,
            bulk.athena,
            bulk.s3,
            clock,
            names.facts_table,
            migration,
            outputs.bulk.exports_bucket,
            outputs.bulk.athena_workgroup,
            outputs.bulk.athena_database,
        ),
    )


def test_functions_copy_and_athena_folds_what_one_machine_would(world: World) -> None:
    world.accept(*EVENTS)
    for one in EVENTS[:9]:
        world.put(one, Lane.LIVE)  # the forward mirror was first with these
    history = EVENTS[9:]

    job = world.backfill().start(WISH)

    assert (job.phase, job.engine, job.run) == (BackfillPhase.INSTALLED, Engine.AWS, 1)
    progress = world.checkpoints.progress(job)
    assert (progress.done, progress.read, progress.history, progress.live) == (5, 200, 191, 9)
    assert set(world.facts.history()) == set(history)
    assert dict(world.bases.bases()) == fold_all(history)
    execution = world.workers.look(job.execution)
    assert (execution.running, execution.status, execution.failed) == (False, "SUCCEEDED", 0)

    # Row by row as the machine folds the same facts.
    with folded_in_bulk(world.facts.history(), []) as folded:
        machine = {change.row: change for change in folded.changes}
    assert world.folded("compared") == machine

    # Another run copies what came since, and the machine finds nothing left to install.
    late = activity(999, "e-1", "p-1", 7)
    world.accept(late)
    again = world.backfill().start(replace(WISH, again=True))
    assert (again.run, again.phase) == (2, BackfillPhase.INSTALLED)
    with folded_in_bulk(world.facts.history(), world.bases.bases()) as folded:
        assert (folded.changed, folded.history) == (0, again.history)
    assert dict(world.bases.bases()) == fold_all([*history, late])


def test_odd_texts_and_large_numbers_are_folded_alike(world: World) -> None:
    for one in ODD:
        world.put(one, Lane.HISTORY)
    with folded_in_bulk(world.facts.history(), []) as folded:
        machine = {change.row: change for change in folded.changes}
    assert world.folded("odd") == machine
    assert {change.row for change in machine.values()} >= set(fold_all(ODD))
    assert all(change.held == NOTHING for change in machine.values())


def test_an_export_and_an_execution_are_begun_once_and_found_again(world: World) -> None:
    assert world.exports.snapshot("one token") == world.exports.snapshot("one token")
    assert world.exports.snapshot("one token") != world.exports.snapshot("another token")

    job = Job(77, 2, 500, "2026-03-01T00:00:00.000Z")  # no run of that number is being copied
    first = world.workers.begin(job)
    assert first is not None
    eventually(lambda: not world.workers.look(first).running)
    assert world.workers.begin(job) is None
    second = world.workers.begin(replace(job, executions=1))
    assert second not in {None, first}
    assert not world.workers.look(f"{first}-never-begun").running


def test_a_table_without_recovery_is_not_exported_and_the_way_out_is_named(world: World) -> None:
    backups: Any = {"PointInTimeRecoveryEnabled": False}
    world.client.update_continuous_backups(
        TableName=world.facts.table, PointInTimeRecoverySpecification=backups
    )
    with pytest.raises(UsageError, match="point-in-time recovery is off") as caught:
        world.exports.snapshot("refused")
    assert "cutover:pitr" in caught.value.hint


def test_a_result_is_read_as_athena_quotes_it(tmp_path: Path) -> None:
    """Athena quotes every value that is not null; the local one only where it must."""
    from migration.aws.bulk.history_bulk import folded_by_athena  # noqa: PLC0415 - next to what it shows

    folds = [f"{lane}_{sum_}" for lane in ("live", "base") for sum_ in ("points", "events", "fingerprint")]
    quoted = [
        ",".join(f'"{name}"' for name in ("employee_id", "program_id", *folds)),
        '"a ""quoted"", one","p","0","0","0","7","1","1152921504606846975"',
        '"a ""quoted"", one","#total","0","0","0","7","1","1152921504606846975"',
        '"","p","0","0","0","7","1","99999999999999999999999999999"',
    ]
    result = tmp_path / "fold.csv"
    result.write_text("\n".join(quoted) + "\n")
    with folded_by_athena(result, []) as folded:
        changes = {str(change.row): change.due.fingerprint for change in folded.changes}
        assert (folded.rows, folded.history.events, folded.history.points) == (3, 1, 7)
    assert sorted(changes.values()) == [2**60 - 1, 2**60 - 1, 99999999999999999999999999999]
