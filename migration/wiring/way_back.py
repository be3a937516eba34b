"""What a rollback needs: the control table and a migration's name. The rest is used where it can be found.

With a checkout, a plan file and the stack's outputs it also tells hooks and the topic, turns aliases, and
says how far legacy is behind. With two names it needs nothing of the machine but credentials.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from migration.aws.stack.notices import AwsNotices
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.transport.clients import connect_dynamodb, connect_notices, open_session
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.hooks import PlanHooks
from migration.cutover.background import in_thread
from migration.cutover.mover import Mover
from migration.model.errors import CutoverError, UsageError
from migration.plan.hooks import HooksPlan
from migration.wiring.process import worker_name

if TYPE_CHECKING:
    from migration.model.control_plane import ControlPlane
    from migration.model.stages import Control
    from migration.wiring.steering import Steering

PATIENCE_S: Final = 3.0  # for what is only said beside it
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class WayBack:
    """One migration's way back.

    Attributes:
        migration: its name.
        plane: its control records.
        mover: makes the move.
        helm: the rest, where it was found.
    """

    migration: str
    plane: ControlPlane
    mover: Mover
    helm: Steering | None = None

    @classmethod
    def of(cls, helm: Steering) -> Self:
        """Take it from a plan and its stack."""
        return cls(helm.plan.migration, helm.plane, helm.mover(), helm)

    @classmethod
    def by_names(cls, migration: str, table: str, region: str | None) -> Self:
        """Take it from two names, and the region of the session when none is given.

        Raises:
            UsageError: when no region is known, or the table knows no such migration.
        """
        session = open_session(region or os.environ.get("AWS_REGION", ""))
        if session.region_name is None:
            raise UsageError("no region is known", hint="name it with --region, or set AWS_REGION")
        plane, clock = ControlPlaneTable(connect_dynamodb(session), table, migration), SystemClock()
        if not plane.newest(1) and plane.epoch() == 0:
            raise UsageError(
                f"control table {table} has nothing of a migration {migration!r}; nothing was changed",
                hint="name it with --migration, as the plan file does",
            )
        hooks = PlanHooks(HooksPlan(), Path(), {})
        notices = AwsNotices(connect_notices(session), None)
        mover = Mover(
            migration, plane, clock, lambda: secrets.token_hex(2), worker_name(), "", hooks, notices
        )
        return cls(migration, plane, mover)

    def follow(self, control: Control) -> None:
        """See that traffic goes as the state says, where something but the doors routes.

        Raises:
            ConflictError, RemoteError: when it does not.
        """
        if self.helm is not None:
            self.helm.following.check(control)

    def behind(self) -> int | None:
        """Count what is on its way to legacy; None where that cannot be told at once."""
        if self.helm is None:
            return None
        clock, job = self.helm.clock, in_thread(self.helm.on_their_way)
        end = clock.elapsed() + PATIENCE_S
        while not job.done and clock.elapsed() < end:
            clock.sleep(_POLL_S)
        try:
            return job.result() if job.done else None
        except CutoverError:
            return None
