"""`cutover journal`: what was observed, decided, done and confirmed, by whom and when."""

import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from migration.cli.commands import OUTPUT, PLAN, Output
from migration.cli.console import data, print_json, say
from migration.model.journal import EntryKind
from migration.wiring.steering import Steering

STYLES = {
    EntryKind.OBSERVED: "dim",
    EntryKind.DECIDED: "cyan",
    EntryKind.DONE: "bold",
    EntryKind.CONFIRMED: "green",
    EntryKind.DRILLED: "magenta",
    EntryKind.REPAIRED: "yellow",
    EntryKind.NOTED: "yellow",
}


def journal(
    *,
    newest: Annotated[int, typer.Option(help="How many entries, the newest; 0 for all.", min=0)] = 30,
    kind: Annotated[list[EntryKind] | None, typer.Option(help="Only these kinds.")] = None,
    detail: Annotated[bool, typer.Option("--detail", help="With the details that programs read.")] = False,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Print the journal, oldest first. Nothing in it is ever changed or removed.

    For example:

        cutover journal --kind done --newest 0

        cutover journal --output json --newest 0
    """
    helm = Steering.find(plan)
    entries = [one for one in helm.plane.journal() if not kind or one.kind in kind]
    shown = entries[-newest:] if newest else entries
    if output is Output.JSON:
        print_json({"entries": [{**asdict(one), "at": one.at} for one in shown]}, ["cutover status"])
        return
    if not shown:
        say("Nothing was written yet.")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("at", "epoch", "kind", "step", "what", "by"):
        table.add_column(name, overflow="fold", no_wrap=name in ("at", "epoch", "kind"))
    for one in shown:
        text = Text(one.text)
        if detail and one.detail:
            text.append(f"\n{json.dumps(one.detail, indent=2)}", "dim")
        table.add_row(one.at[:19], str(one.epoch), Text(one.kind, STYLES[one.kind]), one.step, text, one.by)
    data.print(table)
    if len(shown) < len(entries):
        say(f"{len(entries) - len(shown):,} older entries: cutover journal --newest 0")
