"""`cutover complete`: the end of a migration, by name, since there is no way back."""

from functools import partial
from typing import Annotated

import typer

from migration.cli.agreeing import agree_by_name
from migration.cli.commands import OUTPUT, PLAN, Output, answer
from migration.cli.console import data, say
from migration.cli.cutover.run import after_complete, ending_fields, one_step, refuse_complete
from migration.cli.cutover.run_view import guardrail_table
from migration.cutover.action import Action
from migration.cutover.course import Step
from migration.model.errors import UsageError
from migration.model.stages import Control, Stage
from migration.wiring.steering import Steering


def complete(
    *,
    name: Annotated[
        str | None, typer.Option(help="The migration's name, as a yes without a terminal.")
    ] = None,
    patience: Annotated[float, typer.Option(help="Seconds to wait for guardrails.", min=0)] = 60,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say whether it would be done.")] = False,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """End the migration: from now on legacy is not needed, and there is no way back.

    Only from rampdown, with every guardrail holding and everything folded again equal. Nothing is deleted
    here; phase contract of the stack removes legacy.

    Exit code 0: done. 10, 11: guardrails fail, or cannot be told; nothing was changed.

    For example:

        cutover complete --dry-run

        cutover complete --name activities
    """
    helm = Steering.find(plan)
    state = helm.state()
    refuse_complete(helm, state.stage)
    if state.stage is not Stage.RAMPDOWN:
        raise UsageError(
            f"the migration is in {state.stage}; only rampdown, which has all traffic, can be completed",
            hint="nothing was changed",
            next_command="cutover run",
        )
    helm.check_plan(state)
    if dry_run:
        data.print(guardrail_table([*helm.vital.look(state), *helm.proofs.look(state)], helm.clock.now()))
        return
    asked = helm.plan.migration
    agree_by_name(asked, f"No way back. Type {asked} to complete it", name, f"name it with --name {asked}")
    step = Step("complete", Action.MOVE, Control(Stage.COMPLETE), proofs=True)
    look = one_step(helm, step, patience)
    done = f"Migration {helm.plan.migration!r} is complete."
    steps = after_complete(helm.stack.outputs.contracting)
    answer(output, partial(ending_fields, helm, look), partial(say, done), steps)
