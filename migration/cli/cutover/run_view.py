"""How a run is told: a line for all that happens, and on a terminal one more that says why it waits."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.live import Live
from rich.table import Table
from rich.text import Text

from migration.cli.console import notes
from migration.cli.views import MARKS
from migration.cutover.looks import Waits
from migration.cutover.moves import control_words
from migration.model.guardrails import Outcome
from migration.model.wording import words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migration.backfill.attention import OnProgress
    from migration.cutover.looks import Look
    from migration.model.guardrails import GuardrailVerdict


@dataclass(slots=True)
class RunView:
    """Tells a run, turn by turn."""

    live: Live | None = None
    _epoch: int = field(default=-1, init=False)
    _told: tuple[str, str] = field(default=("", ""), init=False)
    _work: str = field(default="", init=False)

    def look(self, look: Look) -> None:
        """Tell of a turn what is new in it."""
        if look.state.epoch != self._epoch:
            self._epoch = look.state.epoch
            self._say(
                Text.assemble(
                    ("● ", "bold"), control_words(look.state.control), (f"  epoch {self._epoch}", "dim")
                )
            )
        step = look.step.name if look.step else ""
        if look.hold is None:
            self._told = ("", "")
        elif (told := (step, _key(look))) != self._told:
            self._told = told
            style = "yellow" if look.hold.waits in (Waits.PERSON, Waits.GUARDRAIL) else "dim"
            self._say(Text.assemble("  ", (f"{step or 'next'}: ", "bold"), (_told(look), style)))
        if self.live is not None:
            self.live.update(_screen(look, self._work))

    def work(self, report: OnProgress) -> None:
        """Tell how far a backfill is."""
        pulse = report.pulse
        self._work = (
            f"{report.phase}: {report.done:,} of {report.total:,}, {pulse.per_s:,.0f}/s, {pulse.reason}"
        )

    def _say(self, text: Text) -> None:
        notes.print(text, soft_wrap=True)


@contextmanager
def watching() -> Iterator[RunView]:
    """Watch a run: a live part below the lines on a terminal, lines alone in a log."""
    if not notes.is_terminal:
        yield RunView()
        return
    with Live(console=notes, transient=True, refresh_per_second=4) as live:
        yield RunView(live)


def guardrail_table(verdicts: Sequence[GuardrailVerdict], now: float) -> Table:
    """Lay out guardrails with their evidence and its age."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for one in sorted(verdicts, key=lambda one: one.name):
        mark, style = MARKS[one.outcome]
        name = words(one.name) + (" (dry)" if one.dry else "")
        age = max(0.0, now - one.observed_at)
        table.add_row(Text(mark, style), Text(name, style), Text(one.why), Text(f"{age:.0f} s ago", "dim"))
    return table


def _screen(look: Look, work: str) -> Table:
    """Show what the present turn waits for, and every guardrail under it."""
    screen = Table.grid(padding=(0, 1))
    step = look.step.name if look.step else ""
    screen.add_row(Text.assemble(("⏳ ", ""), (step, "bold"), "  ", look.hold.why if look.hold else ""))
    if work and look.hold and look.hold.waits is Waits.WORK:
        screen.add_row(Text(f"   {work}", "dim"))
    newest = max((one.observed_at for one in look.vitals), default=0.0)
    screen.add_row(guardrail_table([*look.vitals, *look.proofs], newest))
    return screen


def _told(look: Look) -> str:
    """Say why it waits in a line: the arithmetic of what fails, only the names of what is not known yet."""
    hold = look.hold
    if hold is None or hold.waits is not Waits.GUARDRAIL:
        return "" if hold is None else hold.why
    bad = [one for one in (*look.vitals, *look.proofs) if one.counted is not Outcome.PASS]
    parts = [
        f"{one.name} {one.counted}: {one.why}" for one in bad if one.counted in (Outcome.FAIL, Outcome.ERROR)
    ]
    open_ones = [one.name for one in bad if one.counted is Outcome.INCONCLUSIVE]
    return "; ".join([*parts, *([f"too little seen yet for {', '.join(open_ones)}"] if open_ones else [])])


def _key(look: Look) -> str:
    """What must change for a new line: a countdown and a guardrail's numbers do not make one."""
    hold = look.hold
    if hold is None:
        return ""
    if hold.waits is Waits.GUARDRAIL:
        bad = [*look.vitals, *look.proofs]
        return " ".join(sorted(f"{one.name} {one.counted}" for one in bad if one.counted is not Outcome.PASS))
    return hold.waits.value if hold.waits is Waits.TIME else hold.why
