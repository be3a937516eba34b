"""A repair for people: what is to be done and why, which rows get what, what became of it, what is left."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from rich.text import Text

from migration.cli.console import data
from migration.cli.views import differing, number, show_rest, show_some, table, verdict
from migration.model.guardrails import Outcome
from migration.model.wording import words
from migration.repair.words import DeedOutcome, parts_off

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from migration.compare.verify.verification import Difference
    from migration.repair.words import Deed, Remedy, RepairPlan

SHOWN: Final = 20  # of each kind
_STYLES: Final = {DeedOutcome.DONE: "green", DeedOutcome.DONE_BEFORE: "green", DeedOutcome.MOVED_ON: "yellow"}


def show_plan(plan: RepairPlan) -> None:
    """Print what is to be done about each difference, and what each row gets."""
    if not plan.remedies:
        return
    ordered = sorted(plan.remedies, key=_group)
    for (kind, action), group in groupby(ordered, key=_group):
        listed = list(group)
        title = f"{len(listed):,} {words(kind)}: {words(action)}"
        data.print(Text(title, "bold cyan" if listed[0].action.writes else "bold"))
        show_some(listed, SHOWN, lambda one: Text(f"  {differing(one.difference)}: {one.why}"))
    _show_rows(plan)


def show_done(deeds: Sequence[Deed], failing: Sequence[Difference], undecided: Collection[str]) -> None:
    """Print what became of each deed, and what is left."""
    for deed in deeds:
        name = f"{words(deed.action)} {deed.id}"
        outcome = (f"{words(deed.outcome)}: ", _STYLES.get(deed.outcome, "red"))
        data.print(Text.assemble("  ", outcome, f"{name}; {deed.about}; {deed.detail}"), soft_wrap=True)
    if failing:
        what = "left" if deeds else "to be repaired, or seen to"
        data.print(verdict(Outcome.FAIL, f"{len(failing):,} differences {what}."))
        for one in failing[:SHOWN] if deeds else ():
            name = " ".join(filter(None, (one.employee_id, one.event_id, one.program_id)))
            data.print(Text(f"  {words(one.kind)}: {name}: {one.detail}"), soft_wrap=True)
    elif undecided:
        data.print(verdict(Outcome.INCONCLUSIVE, f"{len(undecided):,} rows moved too fast to be judged."))
    else:
        data.print(verdict(Outcome.PASS, "nothing is left to repair."))


def _show_rows(plan: RepairPlan) -> None:
    off = parts_off(plan.remedies)
    if not off:
        return
    rows = table("row", "lane", number("points"), number("events"))
    for (row, lane), fold in list(off.items())[:SHOWN]:
        rows.add_row(str(row), lane, f"{-fold.points:+,}", f"{-fold.events:+,}")
    data.print(rows)
    show_rest(len(off) - SHOWN, "more rows")


def _group(remedy: Remedy) -> tuple[str, str]:
    return remedy.difference.kind, remedy.action
