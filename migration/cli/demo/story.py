"""The demo's acts: legacy under load, a cutover with faults on the way, and the proof at its end."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING, Final

from migration.aws.files.ledger_file import LedgerFile, load_ledger
from migration.aws.stack.fold_log import FoldLog
from migration.aws.stack.served_boards import ServedBoards
from migration.aws.transport.clients import connect_logs
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.http import HttpSender
from migration.cli.cutover.run_view import RunView
from migration.cli.demo import telling as story
from migration.cli.demo.contention import TOLD as CONTENTION_TOLD
from migration.cli.demo.contention import contending
from migration.cli.demo.fault import PlottedFaults
from migration.cli.demo.pace import Pace, StepDeadline
from migration.cli.demo.pages import comparing, write_pages
from migration.cli.demo.readers import reading
from migration.cli.demo.traffic import traffic
from migration.cli.local.bringing_up import bring_up
from migration.cli.progress import counting
from migration.compare.boards.boards import side_by_side
from migration.compare.ledger.check import check_sides
from migration.compare.ledger.settle import settle
from migration.cutover.action import Action
from migration.cutover.course import Step
from migration.cutover.looks import Ending
from migration.load.activities import generate
from migration.load.load import Load
from migration.model.errors import IntegrityError
from migration.model.percentiles import percentiles
from migration.model.side import Side
from migration.model.stages import Control, Stage
from migration.wiring.sending import TIMEOUT, Sending, send
from migration.wiring.steering import Steering

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.aws.files.activity_file import ActivityFile
    from migration.cli.demo.readers import Readers
    from migration.cutover.looks import Look
    from migration.load.report import LoadReport
    from migration.wiring.workspace import RunningStack, Workspace

CONCURRENCY: Final = 4
CLIENTS: Final = 8
RATE: Final = 12.0  # activities a second, while the migration is under way
LONGEST_S: Final = 900
PATIENCE: Final = timedelta(seconds=180)
LEASE_WAIT_S: Final = 30.0
STEP_PATIENCE_S: Final = 240.0
BOARD_SIZE: Final = 10
FAULT_AT: Final = 25  # percent of writes
LIMIT_S: Final = 4.0
MIRROR_LIMIT_S: Final = 30.0
PLAN: Final = """# The demo's plan: as by default, but quick.
[cutover]
steps = [25, 100]
bake_s = 3
shadow_s = 6
drill_percent = 5
backfill_wcu = 4000

[guardrails]
lag_s = {limit_s}
queue_age_s = {limit_s}
door_seen_s = {limit_s}
mirror_lag_s = {mirror_limit_s}
# Minutes instead of hours: less evidence has to do before a step.
alpha = 0.05
error_bad = 0.5
latency_bad = 0.6
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What the story came to."""

    clean: bool
    dashboard: str


@dataclass(frozen=True, slots=True)
class ClientsMet:
    """What clients met while everything moved; `refused` counts writes that contention refused meanwhile."""

    reports: list[LoadReport]
    readers: Readers

    refused: int

    @property
    def failed(self) -> int:
        """Count requests that were never answered as they should be."""
        return sum(report.unknown for report in self.reports) + self.readers.failed


@dataclass(slots=True)
class Story:
    """The demo, act by act.

    Attributes:
        workspace: where it plays.
        history: what legacy has before anything moves.
        seed: makes what clients send meanwhile.
    """

    workspace: Workspace
    history: ActivityFile
    seed: int

    def tell(self) -> Told:
        """Play all acts."""
        legacy, pace = self._legacy()
        sender = HttpSender(legacy.outputs.entry.ingest_url, CLIENTS, TIMEOUT)
        with LedgerFile(self.workspace.ledger, run=secrets.token_hex(4)) as file:
            clients = Load(Side.LEGACY, sender, file, SystemClock(), CLIENTS)
            entry = legacy.outputs.entry
            with (
                traffic(clients, self._sent_meanwhile(), RATE) as reports,
                reading(entry.serve_url) as readers,
            ):
                stack, helm = self._expand(pace)
                faults = PlottedFaults(stack, FAULT_AT)
                with comparing(helm), contending(stack) as contention:
                    self._cut_over(helm, faults, pace)
                    refused = contention.refused()
        return self._prove(stack, helm, faults, ClientsMet(reports, readers, refused), pace)

    def _legacy(self) -> tuple[RunningStack, Pace]:
        story.stage(1, "Legacy", "the synchronous system alone, on a local AWS, with its history")
        stack, done = bring_up(self.workspace, "legacy", port=0)
        story.tell(done)
        sending, ledger = Sending(self.history, None, CONCURRENCY), self.workspace.ledger
        with counting({Side.LEGACY: len(sending.bodies)}) as steps:
            reports = send(sending, stack.outputs, [Side.LEGACY], ledger, steps)
        story.loads(reports)
        pace = Pace.of(reports)
        story.tell(f"From here on clients send {RATE:g} activities a second, whatever happens.")
        if told := pace.told():
            story.tell(told)
        return stack, pace

    def _expand(self, pace: Pace) -> tuple[RunningStack, Steering]:
        story.stage(2, "Expand", "the pipeline next to it, the front door at the URL that clients know")
        stack, done = bring_up(self.workspace, "expand", port=0)
        story.tell(done)
        plan = self.workspace.home / "cutover.toml"
        plan.write_text(
            PLAN.format(limit_s=pace.seconds(LIMIT_S), mirror_limit_s=pace.seconds(MIRROR_LIMIT_S))
        )
        return stack, Steering.find(plan)

    def _cut_over(self, helm: Steering, faults: PlottedFaults, pace: Pace) -> None:
        story.stage(
            3, "Cut over", "dualwrite, backfill, shadow, rollback drill, then reads and writes in steps"
        )
        story.tell(CONTENTION_TOLD)
        look = self._run(helm, faults, pace)
        if look.ending is Ending.ROLLED_BACK and faults.caught_s is not None:
            story.rolled_back(look, faults)
            faults.pipe.end()
            state = helm.plane.state()
            helm.mover().change(state, state.changed(paused=""), "resume", "the fault is gone")
            story.stage(4, "Again", "the fault is removed, a person resumes, and the same command goes on")
            look = self._run(helm, faults, pace)
        if look.ending is not Ending.REACHED:
            raise pace.failed(f"the migration was rolled back: {look.why}")
        story.stage(5, "Complete", "the pipeline has all traffic, and everything is proved once more")
        view, deadline = RunView(), StepDeadline(pace, STEP_PATIENCE_S)

        def seen(look: Look) -> None:
            view.look(look)
            deadline.seen(look)

        process = helm.run(seen, view.work)
        with process.lease.held(LEASE_WAIT_S):
            step = Step("complete", Action.MOVE, Control(Stage.COMPLETE), proofs=True)
            process.do(step, inf)

    @staticmethod
    def _run(helm: Steering, faults: PlottedFaults, pace: Pace) -> Look:
        view, deadline = RunView(), StepDeadline(pace, STEP_PATIENCE_S)

        def seen(look: Look) -> None:
            view.look(look)
            faults.seen(look)
            deadline.seen(look)

        process = helm.run(seen, view.work)
        with process.lease.held(LEASE_WAIT_S):
            return process.until(Stage.RAMPDOWN)

    def _prove(
        self, stack: RunningStack, helm: Steering, faults: PlottedFaults, clients: ClientsMet, pace: Pace
    ) -> Told:
        tables, outputs = stack.pipeline_tables, stack.outputs
        if tables is None or outputs.pipeline is None or outputs.legacy is None:
            raise IntegrityError("phase expand came up without both sides", hint="see docs/contracts.md")
        story.stage(6, "Proof", "what clients were told, against what both sides hold")
        story.loads(clients.reports)
        story.tell(f"Readers saw {clients.readers.read:,} boards.")
        settling = settle(tables, SystemClock(), PATIENCE)
        if not settling.settled:
            left = settling.stored - settling.folded
            raise pace.failed(
                f"{left:,} facts are not folded {settling.waited_s:.0f} s after clients stopped"
            )
        took_s = sum(report.elapsed_s for report in clients.reports) + settling.waited_s
        log = FoldLog(connect_logs(outputs.region, stack.endpoint), outputs.pipeline.aggregate_function)
        story.settled(settling, percentiles(log.lags_ms()), took_s)
        verdicts = check_sides(
            load_ledger(self.workspace.ledger), stack.tables(helm.plan.legacy), Stage.COMPLETE
        )
        functions = stack.clients.functions
        legacy = ServedBoards(functions, outputs.legacy.rebuild_function, outputs.legacy.serve_url)
        pipeline = ServedBoards(functions, outputs.pipeline.snapshot_function, outputs.pipeline.serve_url)
        for side in (legacy, pipeline):
            side.refresh()
        findings = verdicts[Side.LEGACY].findings
        story.boards(side_by_side(legacy.read(), pipeline.read(), findings, BOARD_SIZE))
        story.verdicts(verdicts)
        verdict = verdicts[Side.PIPELINE]
        story.summary(verdict, clients.failed, clients.refused, faults, write_pages(helm))
        caught = faults.caught_s is not None
        return Told(verdict.clean and not clients.failed and caught, outputs.pipeline.serve_url)

    def _sent_meanwhile(self) -> Iterator[bytes]:
        now = datetime.now(UTC).replace(microsecond=0)
        return generate(round(RATE * LONGEST_S), self.seed + 1, now, conflicts=False)
