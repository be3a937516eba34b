"""Moving a migration: a mover in one's own name, the guardrails, and a run, made from what was found once."""

from __future__ import annotations

import os
import secrets
from functools import cached_property
from typing import TYPE_CHECKING, Final

from migration.aws.stack.alias_switch import Alias, AliasSwitch
from migration.aws.stack.door_switch import DoorSwitch
from migration.aws.stack.lambda_prober import LambdaProber
from migration.aws.stack.notices import AwsNotices
from migration.aws.stack.queue_depth import messages
from migration.aws.transport.hooks import PlanHooks
from migration.cutover.chronicle import Chronicle
from migration.cutover.following import Following
from migration.cutover.footing import sound_state
from migration.cutover.lease import LeaseKeeper
from migration.cutover.looks import is_other_plan
from migration.cutover.mover import Mover
from migration.cutover.run import Run
from migration.doctor.reading import read_records
from migration.guardrails.mirrors import reconciled_detail
from migration.guardrails.pulsing import PulsingGuardrails
from migration.model.errors import UsageError
from migration.model.journal import EntryKind
from migration.wiring.process import is_gone, process_mark
from migration.wiring.proofs import proof_guardrails
from migration.wiring.site import Site
from migration.wiring.vital import vital_guardrails
from migration.wiring.work import work_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.backfill.attention import OnProgress
    from migration.cutover.looks import Look
    from migration.cutover.traffic_switch import TrafficSwitch
    from migration.doctor.scene import Records
    from migration.model.guardrails import Guardrails
    from migration.model.state import State

AGREE: Final = "cutover plan agree"


class Steering(Site):
    """One migration, as a command that moves it sees it."""

    def mover(self, plan_hash: str = "") -> Mover:
        """Make moves in this process's name; going forward says by which plan."""
        between = self.outputs.migration
        return Mover(
            self.plan.migration,
            self.plane,
            self.clock,
            lambda: secrets.token_hex(2),
            self.by,
            plan_hash,
            PlanHooks(self.plan.hooks, self.workspace.root, os.environ),
            AwsNotices(self.stack.notices, between.notice_topic if between else None),
        )

    def run(self, on_look: Callable[[Look], None], on_work: Callable[[OnProgress], None]) -> Run:
        """Put a run together."""
        return Run(
            plane=self.plane,
            checkpoints=self.checkpoints,
            clock=self.clock,
            lease=LeaseKeeper(self.plane, self.clock, self.by, is_gone, process_mark()),
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
        outputs = self.outputs
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
        functions, entrances = self.stack.clients.functions, self.plan.traffic.entrances(self.outputs.entry)
        probers = [LambdaProber(functions, one.called) for one in entrances]
        return PulsingGuardrails(self.vital, probers)

    @cached_property
    def proofs(self) -> Guardrails:
        """Everything folded and compared again."""
        folder = self.stack.home / "proofs"
        return proof_guardrails(self.stack.clients, self.outputs, self.plan, self.clock, folder)

    def on_their_way(self) -> int | None:
        """Count the facts that are on their way to legacy; None where there is no reverse mirror."""
        between = self.outputs.migration
        url = between.mirror_queue_url if between else None
        return messages(self.stack.clients.sqs, url) if url else None

    def note_reconciled(self, began: float) -> None:
        """Take down that a reconcile, which began then, left nothing open: missed mirrors are settled."""
        text = "reconciled: both sides have the same activities"
        epoch = self.state().epoch
        self.mover().note(EntryKind.REPAIRED, "reconcile", text, epoch, reconciled_detail(began))

    def state(self) -> State:
        """Read the state, held against the journal.

        Raises:
            IntegrityError: when it is lost: gone, or older than the journal.
        """
        return sound_state(self.plane)

    def footing(self) -> tuple[State, Chronicle]:
        """Read the state, and what was done so far.

        Raises:
            IntegrityError: as `state`.
        """
        return self.state(), Chronicle().after(self.plane.journal()).with_backfill(self.checkpoints.job())

    def records(self) -> Records:
        """Read the migration's records, consistent with each other."""
        return read_records(self.plane, self.checkpoints, self.clock, is_gone)

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
