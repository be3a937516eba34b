"""What the commands that move a migration share: plan, control plane, and a mover in one's own name."""

from __future__ import annotations

import os
import platform
import secrets
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from migration.aws.stack.alias_switch import Alias, AliasSwitch
from migration.aws.stack.door_switch import DoorSwitch
from migration.aws.stack.lambda_prober import LambdaProber
from migration.aws.stack.notices import AwsNotices
from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.transport.clients import connect_notices, open_session
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.hooks import PlanHooks
from migration.cutover.chronicle import Chronicle
from migration.cutover.following import Following
from migration.cutover.lease import LeaseKeeper
from migration.cutover.looks import is_other_plan
from migration.cutover.mover import Mover
from migration.guardrails.mirrors import reconciled_detail
from migration.guardrails.pulsing import PulsingGuardrails
from migration.model.errors import UsageError
from migration.model.journal import EntryKind
from migration.plan.plan import plan_of
from migration.wiring.moving import moving, worker_name
from migration.wiring.vital import vital_guardrails
from migration.wiring.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from migration.aws.tables.control_plane_table import ControlPlaneTable
    from migration.backfill.attention import OnProgress
    from migration.cutover.looks import Look
    from migration.cutover.run import Run
    from migration.cutover.traffic_switch import TrafficSwitch
    from migration.model.guardrails import Guardrails
    from migration.model.state import State
    from migration.plan.plan import Plan
    from migration.wiring.moving import Moving
    from migration.wiring.workspace import DeployedStack

AGREE: Final = "cutover plan agree"


@dataclass(frozen=True)
class Steering:
    """One migration, as a command sees it.

    Attributes:
        workspace, stack: where it is.
        plan: how it is moved.
        path: the plan file that was named, if one was.
        plane: its state, lease and journal.
        by: this process.
    """

    workspace: Workspace
    stack: DeployedStack
    plan: Plan
    path: Path | None
    plane: ControlPlaneTable
    by: str
    clock: SystemClock

    def mover(self, plan_hash: str = "") -> Mover:
        """Make moves in this process's name; going forward says by which plan."""
        outputs = self.stack.outputs
        topic = outputs.migration.notice_topic if outputs.migration else None
        session = open_session(outputs.region, self.stack.endpoint)
        return Mover(
            self.plan.migration,
            self.plane,
            self.clock,
            lambda: secrets.token_hex(2),
            self.by,
            plan_hash,
            PlanHooks(self.plan.hooks, self.workspace.root, os.environ),
            AwsNotices(connect_notices(session, self.stack.endpoint), topic),
        )

    def run(self, on_look: Callable[[Look], None], on_work: Callable[[OnProgress], None]) -> Run:
        """Put a run together."""
        from migration.cutover.run import Run  # noqa: PLC0415 - as above
        from migration.wiring.work import work_of  # noqa: PLC0415 - `--help` must not wait for it

        return Run(
            plane=self.plane,
            checkpoints=self.checkpoints,
            clock=self.clock,
            lease=LeaseKeeper(self.plane, self.clock, self.by, is_gone),
            mover=self.mover(self.plan.hash),
            following=self.following,
            course=self.plan.cutover,
            vital=self._pulsing,
            proofs=self.proofs,
            work=work_of(self.moving, self.plan.cutover.backfill_wcu, on_work, self.note_reconciled),
            report=on_look,
        )

    @cached_property
    def following(self) -> Following:
        """See that traffic goes where the state says."""
        return Following(self._switch, self.plane, self.clock)

    @property
    def _switch(self) -> TrafficSwitch:
        aliases = self.plan.traffic.aliases
        if aliases is None:
            return DoorSwitch(self.plane)
        writes, reads = (Alias(one.function, one.alias, one.versions) for one in aliases)
        return AliasSwitch(self.stack.clients.functions, self.plan.migration, writes, reads)

    @cached_property
    def vital(self) -> Guardrails:
        """What is looked at every second; it remembers what it saw."""
        outputs = self.stack.outputs
        if outputs.pipeline is None or outputs.migration is None:
            raise outputs.one_sided("move")
        return vital_guardrails(
            self.stack.clients,
            outputs.pipeline,
            outputs.migration,
            migration=self.plan.migration,
            limits=self.plan.guardrails,
            clock=self.clock,
        )

    @property
    def _pulsing(self) -> Guardrails:
        """The same, with pulses while clients are quiet."""
        entry, aliases = self.stack.outputs.entry, self.plan.traffic.aliases
        functions = (
            tuple(one.qualified for one in aliases)
            if aliases
            else (entry.ingest_function, entry.serve_function)
        )
        probers = [LambdaProber(self.stack.clients.functions, function) for function in functions]
        return PulsingGuardrails(self.vital, probers)

    @cached_property
    def proofs(self) -> Guardrails:
        """Everything folded and compared again."""
        from migration.wiring.proofs import proof_guardrails  # noqa: PLC0415 - `--help` must not wait for it

        folder = self.stack.home / "proofs"
        return proof_guardrails(self.stack.clients, self.stack.outputs, self.plan, self.clock, folder)

    @cached_property
    def moving(self) -> Moving:
        """What a backfill and a reconcile touch."""
        return moving(self.path)

    @property
    def checkpoints(self) -> CheckpointTable:
        """Where the backfill stands, also when legacy is removed."""
        return CheckpointTable(self.stack.clients.dynamodb, self.plane.table, self.plan.migration)

    def note_reconciled(self, began: float) -> None:
        """Take down that a reconcile, which began then, left nothing open: missed mirrors are settled."""
        text = "reconciled: both sides have the same activities"
        epoch = self.plane.state().epoch
        self.mover().note(EntryKind.REPAIRED, "reconcile", text, epoch, reconciled_detail(began))

    def so_far(self) -> Chronicle:
        """Read what was done so far."""
        return Chronicle().after(self.plane.journal()).with_backfill(self.checkpoints.job())

    def check_plan(self, state: State) -> None:
        """Hold a command to the plan that was agreed to.

        Raises:
            UsageError: when the plan file is another one by now.
        """
        if is_other_plan(state, self.plan.hash):
            raise UsageError(
                f"the plan changed since it was agreed to: it was {state.plan}, it is {self.plan.hash}; "
                "nothing was changed",
                hint="look at it with `cutover plan`, and agree to it",
                next_command=AGREE,
            )


def steering(path: Path | None) -> Steering:
    """Find the migration, its stack and its control table.

    Raises:
        UsageError: when there is no stack, or it has no control table.
    """
    workspace = Workspace.find()
    plan = plan_of(workspace.root, path)
    stack = workspace.deployed(plan.stack)
    table = stack.control_plane(plan.migration)
    if table is None:
        raise stack.outputs.one_sided("move")
    return Steering(workspace, stack, plan, path, table, worker_name(), SystemClock())


def is_gone(holder: str) -> bool:
    """Whether the holder of a lease was a process of this machine that is no more."""
    who, _, process = holder.rpartition(":")
    if who.partition("@")[2] != platform.node() or not process.isdigit():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
