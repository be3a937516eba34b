"""`cutover ledger`: the proof that what was acknowledged is stored and folded, once and unaltered."""

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from migration.aws.files.ledger_file import load_ledger
from migration.aws.transport.clock import SystemClock
from migration.cli.commands import OUTPUT, Output
from migration.cli.compare.ledger_view import show_verdicts
from migration.cli.compare.verify import INCONCLUSIVE
from migration.cli.console import print_json, say
from migration.compare.ledger.check import check_sides, deciding
from migration.compare.ledger.settle import settle
from migration.compare.ledger.verdict import LedgerVerdict
from migration.cutover.footing import sound_state
from migration.model.stages import Stage
from migration.plan.plan import plan_of
from migration.wiring.workspace import LEDGER, DeployedStack, Workspace

app = typer.Typer(no_args_is_help=True, help="Prove what became of every acknowledged activity.")


@app.callback()
def _group() -> None:
    """Keep `check` a command of its own."""


@app.command()
def check(
    *,
    ledger: Annotated[
        Path | None, typer.Option(help="Acknowledgement ledger. Default: the local stack's.")
    ] = None,
    wait: Annotated[
        float, typer.Option(help="Seconds to wait at most until every fact is folded.", min=0)
    ] = 30,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Compare the acknowledgement ledger with the tables: acknowledged = facts = folded.

    Reads DynamoDB and adds up by itself; no code of the pipeline takes part. Whatever is lost, doubled,
    altered, misplaced or extra is named by employee and event. Check when nothing is being sent. From stage
    shadow on, each side must have what any side acknowledged; before it, what was sent to it.

    Exit code 0: the pipeline is exact (in phase legacy: legacy is). 1: there are differences. 11: the ledger
    has nothing that a side must have, so nothing was checked.

    For example:

        cutover ledger check
        cutover ledger check --ledger night.jsonl --output json
    """
    workspace = Workspace.find()
    plan = plan_of(workspace.root)
    acknowledged = load_ledger(ledger or workspace.home_of(plan.stack) / LEDGER)
    stack = workspace.deployed(plan.stack)
    await_folds(stack, timedelta(seconds=wait))
    plane = stack.control_plane(plan.migration)
    stage = sound_state(plane).stage if plane else Stage.OFF
    verdicts = check_sides(acknowledged, stack.tables(plan.legacy), stage)
    verdict = deciding(verdicts)
    seen = verdict is not None and verdict.acknowledged > 0
    clean = verdict is not None and verdict.clean
    if output is Output.JSON:
        sides = {side: _fields(one) for side, one in verdicts.items()}
        fields = {"clean": clean, "unreadable_lines": acknowledged.unreadable, "sides": sides}
        print_json(fields, next_steps(clean=clean))
    else:
        show_verdicts(verdicts, acknowledged.unreadable)
    if verdict is not None and not clean:
        raise typer.Exit(1)
    if not seen:
        say("Nothing was checked: the ledger has no acknowledged activity that a side must have.")
        raise typer.Exit(INCONCLUSIVE)


def await_folds(stack: DeployedStack, patience: timedelta) -> None:
    """Wait until every fact is folded; say so when the patience ends first."""
    if stack.pipeline_tables is not None:
        look = settle(stack.pipeline_tables, SystemClock(), patience)
        if not look.settled:
            say(f"Not settled: {look.stored:,} facts, {look.folded:,} folded, {look.queued:,} queued.")


def next_steps(*, clean: bool) -> list[str]:
    """Say what to do after a verdict."""
    return [] if clean else ["cutover local status", "cutover ledger check --wait 120"]


def _fields(verdict: LedgerVerdict) -> dict[str, Any]:
    """Write a verdict as JSON; fingerprints as text, since they are longer than a JSON number is exact."""
    fields = {"clean": verdict.clean, **asdict(verdict)}
    for fold in ("expected", "folded"):
        fields[fold]["fingerprint"] = str(fields[fold]["fingerprint"])
    return fields
