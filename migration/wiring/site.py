"""One migration where it is deployed: found once by a command, and everything else is made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

from migration.aws.tables.checkpoint_table import CheckpointTable
from migration.aws.tables.comparison_table import ComparisonTable
from migration.aws.transport.clock import SystemClock
from migration.plan.plan import plan_of
from migration.wiring.moving import moving, pipeline_ports
from migration.wiring.process import worker_name
from migration.wiring.workspace import Workspace

if TYPE_CHECKING:
    from pathlib import Path

    from migration.aws.tables.control_plane_table import ControlPlaneTable
    from migration.compare.shadow.sides import Comparisons
    from migration.plan.outputs import MigrationOutputs, StackOutputs
    from migration.plan.plan import Plan
    from migration.wiring.moving import Moving, PipelinePorts
    from migration.wiring.workspace import DeployedStack


@dataclass(frozen=True)
class Site:
    """A plan, and the stack that it names.

    What the stack does not have is an error when it is asked for, and not before: a `UsageError` that names
    the command which deploys it.

    Attributes:
        workspace: the project around the working folder.
        plan: how the migration is moved.
        stack: where it is.
        clock: the time.
        by: this process.
    """

    workspace: Workspace
    plan: Plan
    stack: DeployedStack
    clock: SystemClock = field(default_factory=SystemClock)
    by: str = field(default_factory=worker_name)

    @classmethod
    def find(cls, path: Path | None = None) -> Self:
        """Find the project, the plan that is named or the project's own, and its stack.

        Raises:
            UsageError: when one of them is not there.
        """
        workspace = Workspace.find()
        return cls.of(workspace, plan_of(workspace.root, path))

    @classmethod
    def of(cls, workspace: Workspace, plan: Plan) -> Self:
        """Find a plan's stack.

        Raises:
            UsageError: when it is not deployed.
        """
        return cls(workspace, plan, workspace.deployed(plan.stack))

    @property
    def outputs(self) -> StackOutputs:
        """What the stack exports."""
        return self.stack.outputs

    @cached_property
    def plane(self) -> ControlPlaneTable:
        """The migration's state, lease and journal."""
        found = self.stack.control_plane(self.plan.migration)
        if found is None:
            raise self.outputs.one_sided("move")
        return found

    @cached_property
    def checkpoints(self) -> CheckpointTable:
        """Where the backfill stands, also when legacy is removed."""
        return CheckpointTable(self.stack.clients.dynamodb, self.plane.table, self.plan.migration)

    @property
    def between(self) -> MigrationOutputs:
        """What compares both sides, and keeps the records of it."""
        if self.outputs.migration is None:
            raise self.outputs.one_sided("compare")
        return self.outputs.migration

    @cached_property
    def comparisons(self) -> Comparisons:
        """What the comparator recorded."""
        table = self.between.control_table
        return ComparisonTable(self.stack.clients.dynamodb, table, self.plan.migration)

    @cached_property
    def pipeline(self) -> PipelinePorts:
        """What is written of the pipeline."""
        return pipeline_ports(self.stack, self.plan.migration)

    @cached_property
    def moving(self) -> Moving:
        """What a backfill and a reconcile touch."""
        if self.outputs.legacy is None or self.outputs.pipeline is None:
            raise self.outputs.one_sided("move")
        return moving(self.stack, self.plan, self.outputs.legacy, self.pipeline)
