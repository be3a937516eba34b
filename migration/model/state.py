"""A migration's state as its control item holds it: what routes traffic, and what keeps it where it is.

The front door reads the routing half of the same item (`Control`). The item is replaced as a whole, each time
one epoch up, together with the journal entry that says why.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from migration.model.stages import Control, Stage


@dataclass(frozen=True, slots=True)
class State:
    """Where a migration stands.

    Attributes:
        control: stage, weights and epoch, as every front door reads them.
        paused: who stopped it going forward, when and why; empty when nothing does. Rolling back is never
            stopped.
        postponed: a stage that must not be entered yet; None when every one may.
        plan: the hash of the plan that it is moved by; empty before the first move.
        entry: the journal entry that was written with it; empty before the first.
        since: when it was written, UTC text; empty before the first.
    """

    control: Control = field(default_factory=Control)
    paused: str = ""
    postponed: Stage | None = None
    plan: str = ""
    entry: str = ""
    since: str = ""

    @property
    def stage(self) -> Stage:
        """The stage."""
        return self.control.stage

    @property
    def epoch(self) -> int:
        """How often it was written."""
        return self.control.epoch

    def moved(self, stage: Stage, write_weight: int = 0, read_weight: int = 0) -> State:
        """Route otherwise, one epoch up; weights mean something in stage `live` only."""
        return replace(self, control=Control(stage, write_weight, read_weight, self.epoch + 1))

    def changed(self, **changes: object) -> State:
        """Change what keeps it where it is, one epoch up."""
        control = replace(self.control, epoch=self.epoch + 1)
        return replace(self, control=control, **changes)  # type: ignore[arg-type] # replace checks the names


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to move a migration forward, held by one process at a time.

    Attributes:
        holder: `user@machine:process`.
        token: counts the holders; a write in the name of an older token is refused (fencing).
        expires_at: epoch seconds after which another may take it; its holder renews it long before.
        process: tells the holder's process from every other, where its machine can; for taking it early.
    """

    holder: str
    token: int
    expires_at: float
    process: str = ""

    def is_over(self, now: float) -> bool:
        """Whether another process may take it."""
        return now >= self.expires_at
