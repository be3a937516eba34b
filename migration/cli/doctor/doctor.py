"""`cutover doctor`: what of a migration is half done, how dangerous that is, and what to run next."""

from dataclasses import asdict
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from migration.aws.stack.stack_signs import StackSigns
from migration.cli.commands import OUTPUT, PLAN, Output
from migration.cli.console import data, print_json, say, show_next
from migration.cutover.footing import last_move
from migration.cutover.moves import control_words
from migration.doctor.diagnose import diagnose
from migration.doctor.diagnosis import Danger, Diagnosis
from migration.doctor.records import Unreadable
from migration.doctor.scene import Records, Scene
from migration.model.state import State
from migration.wiring.steering import Steering

STYLES = {Danger.NOW: "bold red", Danger.GROWS: "yellow", Danger.NONE: "cyan"}
DANGERS = {
    Danger.NOW: "dangerous now: activities may go astray",
    Danger.GROWS: "not dangerous yet; it becomes so",
    Danger.NONE: "not dangerous: it stays as it is",
}
STATUS = ("cutover status", "see where it stands")
AGAIN = ("cutover doctor", "again, after that")


def doctor(plan: PLAN = None, output: OUTPUT = Output.TABLE) -> None:
    """Find what is half done: by a process that died, by a person, or by a hand in the control table.

    Holds the state against the journal, and looks at lease, backfill, pipes and queues. Changes nothing. Run
    the first command that it names, then ask again. While a process moves the migration, what that process
    has begun is not half done.

    Exit code 0: nothing is half done. 1: something is.

    For example:

        cutover doctor

        cutover doctor --output json | jq -r '.next_steps[0]'
    """
    helm = Steering.find(plan)
    records = helm.records()
    signs = StackSigns(helm.stack.clients, helm.stack.describing, helm.outputs).read()
    found = diagnose(Scene(records, helm.plan.cutover, helm.plan.hash, signs))
    if output is Output.JSON:
        steps = list(dict.fromkeys(one.command for one in found)) or [STATUS[0]]
        diagnoses = [asdict(one) for one in found]
        print_json({"healthy": not found, **_standing(records), "diagnoses": diagnoses}, steps)
    else:
        _show(records, found)
    if found:
        raise typer.Exit(1)


def _show(records: Records, found: list[Diagnosis]) -> None:
    standing = _standing(records)
    holder = standing["at_work"] or "nobody"
    say(f"Stage {standing['stage'] or 'unknown'}, epoch {standing['epoch']}; moved by {holder}.")
    if not found:
        say("Nothing is half done.")
        show_next([STATUS])
        return
    for one in found:
        table = Table.grid(padding=(0, 2))
        table.add_row(Text("●", STYLES[one.danger]), Text(one.name, STYLES[one.danger]))
        rows = (("what happened", one.what), ("now", one.state), ("danger", DANGERS[one.danger]))
        for name, text in rows:
            table.add_row("", Text.assemble((f"{name}: ", "dim"), text))
        table.add_row("", Text.assemble(("next: ", "dim"), (one.command, "bold")))
        data.print(table)
    show_next([(found[0].command, f"first, for {found[0].name}"), AGAIN])


def _standing(records: Records) -> dict[str, Any]:
    state, lease = records.state, records.at_work
    lost = isinstance(state, Unreadable) or (state == State() and last_move(records.entries) is not None)
    stage = None if lost else control_words(records.known.control)
    return {"stage": stage, "epoch": state.epoch, "at_work": None if lease is None else lease.holder}
