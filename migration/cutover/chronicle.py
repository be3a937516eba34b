"""What the journal says was done so far: a fold of its entries, one after the other. It never reads them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from migration.cutover.action import Action
from migration.model.backfill import BackfillPhase
from migration.model.journal import EntryKind, control_of
from migration.model.moments import epoch_of
from migration.model.stages import Control, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migration.model.backfill import Job
    from migration.model.journal import Entry

RECONCILE: Final = "reconcile"
RESUME: Final = "resume"
UNSEEN: Final = "unseen"  # in the detail of an entry: the doors' caches are over, and nobody looks at doors


@dataclass(frozen=True, slots=True)
class Chronicle:
    """What was done so far; times are epoch seconds.

    Attributes:
        step: the step, or the command, that made the present state.
        state_at: when it was made.
        before: how traffic was routed before it.
        dualwritten_at: when mirroring last began.
        shadowed_at: when `shadow` was last entered from `dualwrite`.
        confirmed: whether the present state is seen to have taken effect, or nobody can see it.
        reconciled: whether both sides were reconciled since the present state was made.
        drilled_at: when the way back was last rehearsed with success; None when the last try failed.
        drill_judged: whether a drill was judged since the present state was made.
        rolled_back: whether the present state was gone back to, other than by a drill.
        resumed: whether a person said to go on since the present state was made.
        backfilled: whether history is installed, by a run that began after mirroring did.
        epoch: the highest that a move had.
        entry: the entry of the present state, as far as entries were taken in.
        last: the greatest id that was taken in.
    """

    step: str = ""
    state_at: float = 0.0
    before: Control = field(default_factory=Control)
    dualwritten_at: float = 0.0
    shadowed_at: float = 0.0
    confirmed: bool = True
    reconciled: bool = False
    drilled_at: float | None = None
    drill_judged: bool = False
    rolled_back: bool = False
    resumed: bool = False
    backfilled: bool = False
    epoch: int = 0
    entry: str = ""
    last: str = ""

    def after(self, entries: Iterable[Entry]) -> Chronicle:
        """Take in entries. Clocks of two machines may differ, so what counts first is the epoch."""
        now = self
        for entry in sorted(entries, key=lambda one: (one.epoch, one.id)):
            now = replace(now._after(entry), last=max(now.last, entry.id))
        return now

    def with_backfill(self, job: Job | None) -> Chronicle:
        """Take in how far the backfill is."""
        done = (
            job is not None
            and job.phase is BackfillPhase.INSTALLED
            and epoch_of(job.started_at) >= self.dualwritten_at
        )
        return replace(self, backfilled=done)

    def _after(self, entry: Entry) -> Chronicle:
        match entry.kind:
            case EntryKind.DONE:
                return self._moved(entry)
            case EntryKind.CONFIRMED if entry.step == RECONCILE:
                return replace(self, reconciled=True)
            case EntryKind.CONFIRMED if entry.step == self.step:
                return replace(self, confirmed=True)
            case EntryKind.NOTED if entry.step == self.step and entry.detail.get(UNSEEN):
                return replace(self, confirmed=True)
            case EntryKind.DRILLED:
                at = epoch_of(entry.at) if entry.detail.get("ok") else None
                return replace(self, drilled_at=at, drill_judged=True)
        return self

    def _moved(self, entry: Entry) -> Chronicle:
        was, to = control_of(entry.detail["was"]), control_of(entry.detail["to"])
        if replace(was, epoch=to.epoch) == to:
            # Paused, postponed or resumed: traffic goes where it went.
            resumed = entry.step == RESUME
            rolled_back = self.rolled_back and not resumed
            return replace(self, epoch=entry.epoch, entry=entry.id, resumed=resumed, rolled_back=rolled_back)
        at = epoch_of(entry.at)
        now = Chronicle(
            step=entry.step,
            state_at=at,
            before=was,
            dualwritten_at=self.dualwritten_at,
            shadowed_at=self.shadowed_at,
            confirmed=False,
            epoch=entry.epoch,
            entry=entry.id,
            drilled_at=self.drilled_at,
            rolled_back=bool(entry.detail.get("rollback")) and entry.step != Action.DRILL_BACK,
        )
        if (was.stage, to.stage) == (Stage.OFF, Stage.DUALWRITE):
            return replace(now, dualwritten_at=at)
        if (was.stage, to.stage) == (Stage.DUALWRITE, Stage.SHADOW):
            return replace(now, shadowed_at=at)
        return now
