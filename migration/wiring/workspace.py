"""Where stacks are: the local one in this project's folder, every other one where Pulumi deployed it.

    .cutover/local/     deployment.json   what was deployed
                        ledger.jsonl      what was sent and answered
                        emulator.*        the local AWS: log, lock, address
    .cutover/<stack>/   what is kept here of another stack

Decides paths and how to get at the running stack; never deploys or deletes anything by itself.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from migration.aws.stack.stack_outputs import OUTPUTS_VARIABLE, checked, outputs_of_file, outputs_of_pulumi
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.tables.side_tables import MappedLegacy, PipelineTables
from migration.aws.transport.clients import (
    Clients,
    DescribingClients,
    NoticeClients,
    connect,
    connect_describing,
    connect_notices,
    date_of,
    open_session,
)
from migration.aws.transport.clock import AWS_TIME
from migration.local.emulator import Emulator
from migration.model.errors import UsageError
from migration.model.side import Side

if TYPE_CHECKING:
    from migration.compare.ledger.tables import SideTables
    from migration.local.deployer.deployment import Deployment
    from migration.model.legacy.layout import LegacyPlan
    from migration.plan.outputs import StackOutputs

PROJECT: Final = "cutover"
STACK: Final = "local"
LEDGER: Final = "ledger.jsonl"
UP: Final = "cutover local up"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The project's root and the home of its local stack."""

    root: Path
    home: Path

    @classmethod
    def find(cls) -> Self:
        """Find the project around the working folder; CUTOVER_HOME moves the local stack's folder.

        Raises:
            UsageError: outside of a project.
        """
        here = Path.cwd()
        root = next((folder for folder in (here, *here.parents) if (folder / "Pulumi.yaml").is_file()), None)
        if root is None:
            raise UsageError(
                f"there is no Pulumi.yaml in {here} or above it", hint="run this in a checkout of the project"
            )
        home = os.environ.get("CUTOVER_HOME")
        return cls(root, Path(home).absolute() if home else root / ".cutover" / "local")

    @property
    def ledger(self) -> Path:
        """The acknowledgement ledger of the stack that runs here."""
        return self.home / LEDGER

    @property
    def state_file(self) -> Path:
        """What the deployer remembers."""
        return self.home / "deployment.json"

    def emulator(self) -> Emulator:
        """Attach to the local AWS.

        Raises:
            UsageError: when none runs.
        """
        return Emulator.attach(self.home)

    def running(self) -> Emulator | None:
        """Attach to the local AWS, if one runs."""
        try:
            return self.emulator()
        except UsageError:
            return None

    def deployment(self, endpoint: str, phase: str) -> Deployment:
        """Point the deployer at a local AWS."""
        # Pulumi's SDK takes 0.2 s to import; `cutover --help` takes 0.9 s in all.
        from migration.local.deployer.deployment import Deployment  # noqa: PLC0415
        from migration.local.deployer.project import stack_config  # noqa: PLC0415

        config = {**stack_config(self.root, PROJECT, STACK), f"{PROJECT}:phase": phase}
        return Deployment(self.root, PROJECT, STACK, config, endpoint, self.state_file)

    def stack(self) -> RunningStack:
        """Find what is deployed.

        Raises:
            UsageError: when no local AWS runs, or nothing is deployed on it.
        """
        emulator = self.emulator()
        exports = dict(self.deployment(emulator.endpoint, "legacy").outputs())
        if "phase" not in exports:
            raise UsageError(
                f"the local AWS at {emulator.endpoint} runs, but no stack is deployed on it",
                hint="deploy it",
                next_command=UP,
            )
        return RunningStack(checked(exports, UP), emulator.endpoint, self.home, emulator)

    def deployed(self, stack: str) -> DeployedStack:
        """Find a stack by the plan's name for it: in a file of its outputs, here, or with Pulumi.

        Raises:
            UsageError: when it is not deployed, or there is no way to know.
            RemoteError: when Pulumi does not tell.
        """
        if self._runs_here(stack):
            return self.stack()
        named = os.environ.get(OUTPUTS_VARIABLE)
        outputs = outputs_of_file(Path(named), stack) if named else outputs_of_pulumi(stack, self.root)
        return DeployedStack(outputs, None, self.home_of(stack))

    def home_of(self, stack: str) -> Path:
        """Name the folder for what is kept here of a stack, whether it is deployed or not."""
        return self.home if self._runs_here(stack) else self.root / ".cutover" / stack.rpartition("/")[2]

    def _runs_here(self, stack: str) -> bool:
        return stack == STACK and not os.environ.get(OUTPUTS_VARIABLE)


@dataclass(frozen=True)
class DeployedStack:
    """A deployed stack, wherever it is.

    Attributes:
        outputs: what it exports.
        endpoint: of the local AWS; None for an account's, or for what AWS_ENDPOINT_URL names.
        home: the folder for what is kept of it here.
    """

    outputs: StackOutputs
    endpoint: str | None
    home: Path

    @cached_property
    def clients(self) -> Clients:
        """Clients of its AWS, whose time is the one to go by."""
        clients = connect(self.outputs.region, self.endpoint)
        AWS_TIME.ask = partial(date_of, clients.dynamodb)
        return clients

    @property
    def ledger(self) -> Path:
        """The acknowledgement ledger of what was sent to it from here."""
        return self.home / LEDGER

    @cached_property
    def describing(self) -> DescribingClients:
        """Clients that only describe what is deployed."""
        return connect_describing(self.outputs.region, self.endpoint)

    @cached_property
    def notices(self) -> NoticeClients:
        """Clients that only notices use."""
        return connect_notices(open_session(self.outputs.region, self.endpoint), self.endpoint)

    @cached_property
    def pipeline_tables(self) -> PipelineTables | None:
        """The pipeline's tables and queues; None in phase `legacy`."""
        outputs = self.outputs.pipeline
        return PipelineTables(self.clients.dynamodb, self.clients.sqs, outputs) if outputs else None

    def legacy_tables(self, plan: LegacyPlan) -> MappedLegacy | None:
        """Legacy's tables; None in phase `contract`."""
        outputs = self.outputs.legacy
        return MappedLegacy(self.clients.dynamodb, outputs.as_planned(plan), plan) if outputs else None

    def control_plane(self, migration: str) -> ControlPlaneTable | None:
        """One migration's records; None in phase `legacy`, which has no control table."""
        outputs = self.outputs.migration
        return ControlPlaneTable(self.clients.dynamodb, outputs.control_table, migration) if outputs else None

    def tables(self, plan: LegacyPlan) -> dict[Side, SideTables]:
        """The tables of the sides that there are; legacy's are as the plan says."""
        both = {Side.LEGACY: self.legacy_tables(plan), Side.PIPELINE: self.pipeline_tables}
        return {side: tables for side, tables in both.items() if tables is not None}


@dataclass(frozen=True)
class RunningStack(DeployedStack):
    """A stack on the local AWS."""

    endpoint: str
    emulator: Emulator
