"""`cutover plan`: what would be done, step by step; the plan file, checked; and its schema for editors."""

import json
from pathlib import Path
from typing import Annotated

import typer

from migration.cli.agreeing import agree as confirm
from migration.cli.commands import OUTPUT, PLAN, YES, Output, answer
from migration.cli.console import data, say
from migration.cli.plan.view import plan_fields, plan_table
from migration.model.errors import CutoverError
from migration.model.stages import Control
from migration.plan.plan import PLAN_FILE, Plan, load_plan, plan_of
from migration.wiring.site import Site
from migration.wiring.steering import Steering
from migration.wiring.workspace import Workspace

app = typer.Typer()


@app.callback(invoke_without_command=True)
def show(ctx: typer.Context, plan: PLAN = None, output: OUTPUT = Output.TABLE) -> None:
    """Show every step of the cutover: what it does, what must hold, how it is undone, how long it takes.

    With no command after it. Steps that are behind the migration of a running stack are marked.

    For example:

        cutover plan

        cutover plan --output json
    """
    if ctx.invoked_subcommand is not None:
        return
    workspace = Workspace.find()
    chosen = plan_of(workspace.root, plan)
    steps = [("cutover preflight", "see whether the stack is fit for it"), ("cutover run", "do it")]
    answer(
        output,
        lambda: plan_fields(chosen),
        lambda: data.print(plan_table(chosen, _routing(workspace, chosen))),
        steps,
    )


@app.command()
def agree(*, yes: YES = False, plan: PLAN = None) -> None:
    """Agree to the plan file as it is now, after it changed; until then nothing goes forward.

    For example:

        cutover plan agree --yes
    """
    helm = Steering.find(plan)
    state = helm.state()
    if state.plan == helm.plan.hash:
        say(f"Plan {helm.plan.hash} is agreed to already.")
        return
    data.print(plan_table(helm.plan, state.control))
    confirm(f"Agree to plan {helm.plan.hash}?", yes=yes)
    text = f"agreed to plan {helm.plan.hash} instead of {state.plan or 'none'}"
    helm.mover(helm.plan.hash).change(state, state.changed(), "agree", text)
    say(f"Agreed to plan {helm.plan.hash}.")


@app.command()
def schema() -> None:
    """Print the plan file's JSON Schema, for editors that check TOML and complete its keys.

    For example:

        cutover plan schema > cutover.schema.json
    """
    data.file.write(json.dumps(Plan.model_json_schema(), indent=2) + "\n")


@app.command()
def check(
    plan: Annotated[
        Path | None, typer.Option(help="Plan file. Default: cutover.toml in the project.")
    ] = None,
) -> None:
    """Check the plan file, and print the whole plan that it makes, defaults filled in.

    Exit code 0: it is right. 2: a key or a value is wrong; it is named.

    For example:

        cutover plan check

        cutover plan check --plan other.toml
    """
    path = plan or Workspace.find().root / PLAN_FILE
    chosen = load_plan(path)
    say(f"{path} is a plan for migration {chosen.migration!r} of stack {chosen.stack!r}.")
    data.file.write(chosen.model_dump_json(indent=2, exclude_none=True) + "\n")


def _routing(workspace: Workspace, plan: Plan) -> Control:
    """Read where the migration stands; where no stack runs, a plan can be looked at all the same."""
    try:
        return Site.of(workspace, plan).plane.state().control
    except CutoverError:
        return Control()
