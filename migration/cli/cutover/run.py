"""`cutover run`: the supervised cutover, from where the migration stands to the stage that is named."""

from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from migration.cli.agreeing import agree
from migration.cli.commands import OUTPUT, PLAN, YES, Output, answer
from migration.cli.console import data, say
from migration.cli.cutover.run_view import watching
from migration.cli.plan.view import plan_table
from migration.cutover.course import Step
from migration.cutover.looks import Ending, Look
from migration.model.errors import UsageError
from migration.model.journal import control_detail
from migration.model.stages import Stage
from migration.model.transitions import ORDER
from migration.wiring.steering import Steering

ROLLED_BACK = 13
LEASE_WAIT_S = 20.0  # longer than a lease whose holder died
RUN, STATUS, RESUME = ("cutover run", "cutover status", "cutover resume")


class Goal(StrEnum):
    """Stages that a run may be told to reach; `complete` has a command of its own."""

    DUALWRITE = "dualwrite"
    SHADOW = "shadow"
    LIVE = "live"
    RAMPDOWN = "rampdown"


def run(  # noqa: PLR0913 - one for each option
    *,
    until: Annotated[Goal, typer.Option(help="The stage to reach.")] = Goal.RAMPDOWN,
    patience: Annotated[
        float | None,
        typer.Option(
            help="Seconds that guardrails may hold it before it gives up. Default: without end.", min=0
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do from here on.")] = False,
    yes: YES = False,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Move the migration forward, step by step, and watch it; roll it back by itself when a guardrail fails.

    Each step waits until it was watched long enough, every guardrail holds, and everything was folded and
    compared again. Kill it whenever you like: the same command, on any machine, goes on. It ends before
    `complete`, which has no way back and its own command.

    Exit code 0: the stage is reached. 10: a guardrail fails, 11: it cannot be told, both with --patience
    only. 12: somebody else moves the migration. 13: it was rolled back; `cutover status` says why.

    For example:

        cutover run --dry-run

        cutover run --until shadow

        cutover run --yes
    """
    helm = Steering.find(plan)
    state = helm.state()
    refuse_complete(helm, state.stage)
    helm.check_plan(state)
    if dry_run or not state.plan:
        data.print(plan_table(helm.plan, state.control))
    if dry_run:
        return
    if ORDER.index(state.stage) < ORDER.index(Stage(until)):
        agree(f"Move {helm.plan.migration!r} from {state.stage} to {until}?", yes=yes)
    look = _run(helm, Stage(until), patience)
    _end(helm, look, output)


def _run(helm: Steering, goal: Stage, patience: float | None) -> Look:
    with watching() as view:
        process = helm.run(view.look, view.work)
        with process.lease.held(LEASE_WAIT_S, lambda lease: say(f"{lease.holder} holds the lease; waiting.")):
            return process.until(goal) if patience is None else process.until(goal, patience)


def one_step(helm: Steering, step: Step, patience: float) -> Look:
    """Do one step of a person's choice, and end the command here when it is rolled back meanwhile."""
    with watching() as view:
        process = helm.run(view.look, view.work)
        with process.lease.held(LEASE_WAIT_S):
            look = process.do(step, patience)
    if look.ending is Ending.ROLLED_BACK:
        say(f"Rolled back to {look.state.stage}: {look.why}")
        raise typer.Exit(ROLLED_BACK)
    return look


def _end(helm: Steering, look: Look, output: Output) -> None:
    back = look.ending is Ending.ROLLED_BACK
    steps = (
        [(STATUS, "see what failed"), ("cutover journal", "see what was done"), (RESUME, "allow it to go on")]
        if back
        else _after(look)
    )
    text = f"Rolled back to {look.state.stage}: {look.why}" if back else f"Reached: {look.why}."
    answer(output, partial(ending_fields, helm, look), partial(say, text), steps)
    if back:
        raise typer.Exit(ROLLED_BACK)


def _after(look: Look) -> list[tuple[str, str]]:
    if look.state.stage is Stage.RAMPDOWN:
        return [
            ("cutover certificate", "what was proven so far"),
            ("cutover complete", "end it; no way back"),
        ]
    return [(STATUS, "see where it stands"), (RUN, "go on")]


def ending_fields(helm: Steering, look: Look) -> dict[str, Any]:
    """Write how a run ended as JSON has it."""
    return {
        "migration": helm.plan.migration,
        "ending": look.ending,
        "why": look.why,
        "paused": look.state.paused or None,
        **control_detail(look.state.control),
    }


def refuse_complete(helm: Steering, stage: Stage) -> None:
    """Say that there is nothing to move any more.

    Raises:
        UsageError: when the migration is complete.
    """
    if stage is Stage.COMPLETE:
        contracting = helm.stack.outputs.contracting
        raise UsageError(
            "the migration is complete: there is nothing to move, and no way back",
            hint="remove legacy when nobody needs it" if contracting else "legacy is removed",
            next_command=contracting or "cutover certificate",
        )


def after_complete(contracting: str) -> list[tuple[str, str]]:
    """Say what is left to run, and why; `contracting` removes legacy, while it is there."""
    removing = [(contracting, "remove legacy")] if contracting else []
    return [("cutover certificate", "what was proven, to keep"), *removing]
