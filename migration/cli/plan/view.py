"""How a plan is shown: each step with what it does, what must hold, and how it is undone."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from migration.cli.views import duration
from migration.cutover.outline import is_behind, planned

if TYPE_CHECKING:
    from migration.model.stages import Control
    from migration.plan.plan import Plan


def plan_table(plan: Plan, control: Control) -> Table:
    """Lay out the plan's steps; those that are behind are marked."""
    course = plan.cutover
    rows = planned(course)
    waits = sum(one.watched_s + one.takes_s for one in rows)
    title = f"Plan {plan.hash} for migration {plan.migration!r} of stack {plan.stack!r}"
    caption = f"Watching and confirming takes {_lasting(waits)}; backfill, proofs and gates come on top."
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left", expand=False)
    for name in ("", "step", "what it does", "must hold", "watched before", "undo"):
        table.add_column(name)
    for number, (one, step) in enumerate(zip(rows, course.outline(), strict=True), 1):
        gate = step.enters in course.gates
        behind = is_behind(step, control)
        mark = Text("✓", "green") if behind else Text(str(number), "dim")
        holds = one.holds + (", a person's `cutover resume`" if gate else "")
        style = "dim" if behind else ""
        table.add_row(mark, one.name, one.does, holds, _lasting(one.watched_s), one.undo, style=style)
    return table


def plan_fields(plan: Plan) -> dict[str, Any]:
    """Write a plan as JSON has it."""
    return {
        "migration": plan.migration,
        "stack": plan.stack,
        "plan": plan.hash,
        "steps": [asdict(one) for one in planned(plan.cutover)],
    }


def _lasting(seconds: float) -> str:
    return duration(seconds) if seconds else "-"
