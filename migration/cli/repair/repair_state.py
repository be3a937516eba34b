"""The part of `cutover repair` that `--to STAGE` asks for: the migration's state, not its data."""

from pathlib import Path

from migration.cli.agreeing import agree_by_name
from migration.cli.commands import Output, answer
from migration.cli.console import say
from migration.cutover.moves import control_words
from migration.doctor.repair_state import RepairState, find_way
from migration.doctor.repairing import GoBack, Nothing, Restore
from migration.model.stages import Stage
from migration.wiring.steering import Steering

AFTERWARDS = [
    ("cutover doctor", "see whether anything else is half done"),
    ("cutover reconcile", "put what went astray where it belongs"),
    ("cutover resume", "allow it to go on"),
]


def repair_state(to: Stage, *, apply: bool, yes: bool, plan: Path | None, output: Output) -> None:
    """Bring the migration to a legal stage with one journalled write; without `apply`, say which.

    Raises:
        UsageError: when it may not be brought there, or nobody agreed.
        ConflictError: when somebody else moves it.
    """
    helm = Steering.find(plan)
    records = helm.records()
    way = find_way(records, to)
    nothing = isinstance(way, Nothing)
    if apply and not nothing:
        if output is not Output.JSON:
            say(_words(way))
        name = helm.plan.migration
        agree_by_name(name, f"Type {name} to repair it", name if yes else None, "agree with --yes")
        state = RepairState(helm.mover()).apply(records, way)
        helm.following.check(state.control)
        done = f"Repaired: {control_words(state.control)}, epoch {state.epoch}; going on waits for a person."
    else:
        done = _words(way)
    again = f"cutover repair --to {to} --apply"
    steps = AFTERWARDS if apply or nothing else [(again, "do it")]
    fields = {"applied": apply and not nothing, "way": type(way).__name__, "text": done}
    answer(output, lambda: fields, lambda: say(done), steps)


def _words(way: GoBack | Restore | Nothing) -> str:
    match way:
        case Nothing(why):
            return f"Nothing to repair: {why}."
        case GoBack(to, why):
            return f"It would go back {why} to {control_words(to)}, as a rollback does."
    return (
        f"It would write {control_words(way.to)}, epoch {way.to.epoch}, in the place of epoch"
        f" {way.instead_of}: {way.why}."
    )
