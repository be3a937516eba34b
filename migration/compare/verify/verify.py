"""The verification: read everything once, fold it, look again at what differs, and report what stays.

    legacy's rows ─► rows ─► programs' rows ─► legacy's events ─► facts ─► fold, compare ─► confirm ─► report

Aggregates are read before what they are made of, so a row of a healthy system can only lack what is on its
way. It never writes to a table, and it needs no pause of the traffic.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migration.compare.both_sides import AGGREGATES, EVENTS
from migration.compare.reading import read
from migration.compare.store import Begun
from migration.compare.verify.confirm import Confirmation, Patience, sample_programs
from migration.compare.verify.judge_legacy import judge_legacy_program
from migration.compare.verify.verification import Keys, Sum, VerifyReport
from migration.model.errors import UsageError
from migration.model.fold import NOTHING, RESERVED
from migration.model.moments import epoch_of, moment_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from migration.compare.both_sides import BothSides, Part
    from migration.compare.store import SideStore
    from migration.compare.verify.judge import Verdict
    from migration.compare.verify.verification import Difference, Parts
    from migration.model.clock import Clock
    from migration.model.fold import Row

VERIFY: Final = "cutover verify"


@dataclass(frozen=True, slots=True)
class Verification:
    """One verification.

    Attributes:
        source: both sides' tables.
        store: where it is kept and folded.
        clock: the time.
        setup: what is read, and in how many segments; a resumption must have the same.
        patience: with what is on its way.
        most_suspects: differing employees that are looked at again, at most; it bounds the memory.
        on_read: called with a part, how many more lines were read of it, and about how many it has.
        on_look: called with a sentence about each look at what differs.
    """

    source: BothSides
    store: SideStore
    clock: Clock
    setup: str = ""
    patience: Patience = field(default_factory=Patience)
    most_suspects: int = 5_000
    on_read: Callable[[Part, int, int], None] = lambda _part, _more, _about: None
    on_look: Callable[[str], None] = lambda _text: None

    def run(self, *, resume: bool = False) -> VerifyReport:
        """Verify; with `resume`, go on with the verification that the store keeps.

        Raises:
            UsageError: when there is none to go on with, or it read something else.
        """
        as_of = self._begin(resume=resume)
        read(self.source, self.store, AGGREGATES, self.on_read)
        samples = sample_programs(self.source, self.store.program_rows(), self.clock, self.patience)
        read(self.source, self.store, EVENTS, self.on_read)
        self.store.fold()
        self.store.compare()
        suspects, wide = self.store.suspects(self.most_suspects), self.store.programs(samples)
        looking = Confirmation(self.source, self.store, self.clock, as_of, self.patience, self.on_look)
        verdict = looking.run(suspects.employees, wide)
        return VerifyReport(
            as_of=epoch_of(as_of),
            finished_at=self.clock.now(),
            sums=self._sums(samples[-1]),
            keys=[
                one
                for one in (*self.store.keys(), Keys("program", len(samples[-1]), len(wide)))
                if one.compared or one.looked_at_again
            ],
            differences=self._differences(verdict),
            undecided=sorted(verdict.undecided),
            skipped=suspects.count - len(suspects.employees),
            passes=looking.looks,
            queued=self.source.queued(),
            dead=self.source.dead(),
        )

    def again(self) -> Verdict:
        """After `run`, look once more at all that differed, later than what the caller read or did since.

        Raises:
            UsageError: when nothing was verified.
        """
        begun = self.store.begun
        if begun is None:
            raise UsageError("nothing was verified here", hint="begin a verification", next_command=VERIFY)
        suspects = self.store.suspects(self.most_suspects)
        looking = Confirmation(self.source, self.store, self.clock, begun.as_of, self.patience, self.on_look)
        return looking.again(suspects.employees)

    def _begin(self, *, resume: bool) -> str:
        if not resume:
            self.store.begin(Begun(moment_text(self.clock.now()), self.setup))
        begun = self.store.begun
        if begun is None:
            raise UsageError("no verification was interrupted here", hint="begin one", next_command=VERIFY)
        if begun.setup != self.setup:
            raise UsageError(
                f"the interrupted verification read {begun.setup}, this one would read {self.setup}",
                hint="resume it with the same options, or begin anew",
                next_command=VERIFY,
            )
        return begun.as_of

    def _sums(self, programs: Mapping[Row, Parts]) -> list[Sum]:
        sums = list(self.store.sums())
        due = sum((one.stored for one in sums if one.name in ("live", "history")), NOTHING)
        held = (
            parts.live + parts.base
            for row, parts in programs.items()
            if not row.program_id.startswith(RESERVED)
        )
        sums.append(Sum("programs", due, sum(held, NOTHING)))
        return [one for one in sums if (one.stored, one.folded) != (NOTHING, NOTHING)]

    def _differences(self, verdict: Verdict) -> Sequence[Difference]:
        found = [*verdict.differences, *self._in_legacy_programs()]
        return sorted(found, key=lambda one: (-one.kind.severity, one.employee_id or "", one.event_id or ""))

    def _in_legacy_programs(self) -> Iterator[Difference]:
        programs = self.store.legacy_programs()
        for row in sorted(programs, key=str):
            found = judge_legacy_program(row, programs[row], self.store.legacy_pool)
            if found is not None:
                yield found
