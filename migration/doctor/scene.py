"""Everything that doctor looks at, read at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from migration.cutover.chronicle import Chronicle
from migration.model.state import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migration.cutover.course import CutoverPlan
    from migration.doctor.records import Unreadable
    from migration.model.backfill import Job, Pulse
    from migration.model.journal import Entry
    from migration.model.state import Lease
    from migration.preflight.deployed import Read


@dataclass(frozen=True, slots=True)
class Records:
    """A migration's own records, consistent with each other.

    Attributes:
        now: epoch seconds.
        state: where it stands.
        entries: the whole journal.
        lease: who may move it.
        holder_is_gone: whether the lease's holder is known to be dead.
        job, pulse: the backfill, and its last sign of life.
    """

    now: float
    state: State | Unreadable
    entries: Sequence[Entry] = ()
    lease: Lease | None = None
    holder_is_gone: bool = False
    job: Job | None = None
    pulse: Pulse | None = None

    @property
    def at_work(self) -> Lease | None:
        """The lease, when a living process holds it."""
        lease = self.lease
        return None if lease is None or lease.is_over(self.now) or self.holder_is_gone else lease

    @property
    def known(self) -> State:
        """The state; the one before any was written when it cannot be read."""
        return self.state if isinstance(self.state, State) else State()

    @property
    def so_far(self) -> Chronicle:
        """What was done so far."""
        return Chronicle().after(self.entries).with_backfill(self.job)


@dataclass(frozen=True, slots=True)
class Gathered:
    """A queue in which messages must not stay.

    Attributes:
        name: its name.
        arn: of the queue; for redriving.
        messages: how many are in it.
    """

    name: str
    arn: str
    messages: int


@dataclass(frozen=True, slots=True)
class TroubleSigns:
    """What the deployed stack shows of trouble.

    Attributes:
        contracting: the command that removes legacy, while it is deployed.
        pipes: the state of each, by name.
        folds_given_up: facts that aggregate gave up.
        mirrors_given_up: facts that the reverse mirror gave up.
        never_queued: records that a pipe gave up, by pipe: capture, mirror.
        mirror_queue: what the reverse mirror has to do.
    """

    contracting: str = ""
    pipes: tuple[tuple[str, Read[str]], ...] = ()
    folds_given_up: Read[Gathered] | None = None
    mirrors_given_up: Read[Gathered] | None = None
    never_queued: tuple[Read[Gathered], ...] = ()
    mirror_queue: Read[Gathered] | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """All of it, and the plan that the migration is moved by."""

    records: Records
    course: CutoverPlan
    plan: str
    signs: TroubleSigns = field(default_factory=TroubleSigns)
