"""`cutover local`: the stack on a laptop, from the same Pulumi program that deploys to an account."""

from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from migration.cli.agreeing import agree_by_name
from migration.cli.commands import OUTPUT, YES, Output, answer
from migration.cli.console import data, notes, say, show_next
from migration.cli.local.bringing_up import bring_up, deployed_phase, plan, shut_down
from migration.cli.local.entry_points import NEXT_COMMANDS, show_entry_points, urls
from migration.local.deployer.plan import StepKind
from migration.local.deployer.rendering import render_plan
from migration.wiring.workspace import STACK, UP, RunningStack, Workspace


class Phase(StrEnum):
    """Which sides are deployed."""

    LEGACY = "legacy"
    EXPAND = "expand"
    CONTRACT = "contract"


app = typer.Typer(
    no_args_is_help=True,
    help=(
        "Run both sides on this machine: a local AWS, the Pulumi program, activities sent over HTTP.\n\n"
        "Everything is kept in .cutover/local (or CUTOVER_HOME); the data is in memory and goes with `down`."
    ),
)

PHASE = Annotated[
    Phase | None, typer.Option(help="Infrastructure phase. Default: the one that is deployed, else expand.")
]


@app.command()
def up(
    *,
    phase: PHASE = None,
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 0,
    yes: YES = False,
) -> None:
    """Start the local AWS and deploy the stack on it.

    Can be repeated: what is as it should be stays. Another phase changes what differs, and only that;
    when something would be deleted, it shows what and asks for the stack's name, or takes --yes.

    For example:

        cutover local up
        cutover local up --phase legacy     # then: cutover local up --phase expand
    """
    workspace = Workspace.find()
    chosen, deployed = _chosen(workspace, phase)
    if deployed not in (None, chosen):
        _ask_before_deleting(workspace, chosen, yes=yes)
    stack, done = bring_up(workspace, chosen, port)
    say(done)
    show_entry_points(stack)
    show_next(NEXT_COMMANDS)


@app.command()
def status(output: OUTPUT = Output.TABLE) -> None:
    """Say what runs, where it is reached, and what is on its way.

    For example:

        cutover local status --output json
    """
    workspace = Workspace.find()
    if workspace.running() is None:
        text, steps = "The local AWS is not running.", [(UP, "start it and deploy")]
        answer(output, lambda: {"state": "down"}, lambda: data.print(text), steps)
        return
    stack = workspace.stack()
    counts: dict[str, Any] = {}
    if stack.pipeline_tables is not None:
        tables = stack.pipeline_tables
        counts = {"facts": tables.stored(), "folded": tables.folded(), "queued": tables.queued()}
        counts["given_up"] = tables.dead()
    fields = {"state": "up", "phase": stack.outputs.phase, "endpoint": stack.emulator.endpoint}
    answer(
        output,
        lambda: {**fields, "urls": urls(stack), **counts},
        partial(_show, stack, counts),
        NEXT_COMMANDS,
    )


def _show(stack: RunningStack, counts: dict[str, int]) -> None:
    show_entry_points(stack)
    if counts:
        texts = (
            "{facts:,} facts",
            "{folded:,} folded",
            "{queued:,} messages queued",
            "{given_up:,} given up",
        )
        data.print("Pipeline: " + ", ".join(texts).format(**counts))


@app.command()
def down() -> None:
    """Stop the local AWS. Its data is in memory and goes with it; the acknowledgement ledger stays.

    For example:

        cutover local down
    """
    say("Stopped." if shut_down(Workspace.find()) else "Nothing was running.")


@app.command()
def reset(*, yes: YES = False) -> None:
    """Throw all data and the ledger away, and deploy the same phase afresh on the same port.

    Asks for the stack's name, or takes --yes.

    For example:

        cutover local reset --yes
    """
    workspace = Workspace.find()
    stack = workspace.stack()
    say(f"This throws away all data of stack {STACK!r} and {workspace.ledger}.")
    _agree(yes=yes)
    phase, port = stack.outputs.phase, stack.emulator.port
    shut_down(workspace)
    workspace.ledger.unlink(missing_ok=True)
    fresh, done = bring_up(workspace, phase, port)
    say(done)
    show_entry_points(fresh)


@app.command()
def preview(phase: PHASE = None) -> None:
    """Show what `up` would change, without changing it.

    For example:

        cutover local preview --phase contract
    """
    workspace = Workspace.find()
    chosen, _ = _chosen(workspace, phase)
    data.print(render_plan(plan(workspace, chosen)), soft_wrap=True)


def _chosen(workspace: Workspace, phase: Phase | None) -> tuple[str, str | None]:
    """Tell which phase is meant, and which is deployed."""
    deployed = deployed_phase(workspace)
    return str(phase or deployed or Phase.EXPAND), deployed


def _ask_before_deleting(workspace: Workspace, phase: str, *, yes: bool) -> None:
    coming = plan(workspace, phase)
    if {StepKind.DELETE, StepKind.REPLACE} & coming.counts.keys():
        notes.print(render_plan(coming), soft_wrap=True)
        _agree(yes=yes)


def _agree(*, yes: bool) -> None:
    agree_by_name(STACK, f"Type {STACK} to go on", STACK if yes else None, "confirm it with --yes")
