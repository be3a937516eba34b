"""`cutover pause`, `postpone` and `resume`: people hold a migration, from any machine, whoever runs it."""

from enum import StrEnum
from typing import Annotated

import typer

from migration.cli.commands import OUTPUT, PLAN, Output, answer
from migration.cli.console import say
from migration.cli.cutover.run import RUN, STATUS, refuse_complete
from migration.model.errors import ConflictError, UsageError
from migration.model.moments import moment_text
from migration.model.stages import Stage
from migration.model.transitions import ORDER
from migration.wiring.steering import Steering

TRIES = 5
DRY_RUN = Annotated[bool, typer.Option("--dry-run", help="Say what it would do.")]


class Later(StrEnum):
    """Stages that can be put off."""

    DUALWRITE = "dualwrite"
    SHADOW = "shadow"
    LIVE = "live"
    RAMPDOWN = "rampdown"
    COMPLETE = "complete"


def pause(
    reason: Annotated[str, typer.Argument(help="Why; it is shown wherever the run waits.")] = "",
    *,
    dry_run: DRY_RUN = False,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Keep the migration where it is: traffic stays as it is, mirrors go on, and guardrails stay armed.

    For example:

        cutover pause "until the campaign is over"
    """
    helm = Steering.find(plan)
    by = f"by {helm.by.partition(':')[0]} at {moment_text(helm.clock.now())}"
    text = f"{by}: {reason}" if reason else by
    _change(helm, "pause", f"paused {text}", output, dry_run=dry_run, paused=text)


def postpone(
    stage: Annotated[Later, typer.Argument(help="The stage that must not be entered yet.")] = Later.RAMPDOWN,
    *,
    dry_run: DRY_RUN = False,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Let the migration go on, but not into a stage until `cutover resume`; guardrails stay armed.

    For example:

        cutover postpone rampdown
    """
    helm = Steering.find(plan)
    at = helm.state().stage
    if ORDER.index(at) >= ORDER.index(Stage(stage)):
        raise UsageError(
            f"the migration is in {at} already, {stage} cannot be postponed any more",
            hint="pause it, or go back",
            next_command="cutover pause",
        )
    _change(helm, "postpone", f"postponed {stage}", output, dry_run=dry_run, postponed=Stage(stage))


def resume(*, dry_run: DRY_RUN = False, plan: PLAN = None, output: OUTPUT = Output.TABLE) -> None:
    """Let a paused, postponed or rolled back migration go forward again, or through a gate of its plan.

    For example:

        cutover resume
    """
    _change(Steering.find(plan), "resume", "may go on", output, dry_run=dry_run, paused="", postponed=None)


def _change(
    helm: Steering, step: str, text: str, output: Output, *, dry_run: bool, **changes: object
) -> None:
    """Change what holds it, however often somebody else changes the state at the same moment."""
    state = helm.state()
    refuse_complete(helm, state.stage)
    for _ in range(TRIES if not dry_run else 0):
        try:
            state = helm.mover().change(state, state.changed(**changes), step, text)
            break
        except ConflictError:
            state = helm.state()
    else:
        if not dry_run:
            raise ConflictError("the state keeps changing", hint="see who moves it", next_command=STATUS)
    fields = {"stage": state.stage, "paused": state.paused or None, "postponed": state.postponed}
    told = f"{'It would be' if dry_run else helm.plan.migration}: {text}; stage {state.stage}."
    steps = [(STATUS, "see where it stands"), (RUN, "go on, if no run waits already")]
    answer(output, lambda: fields, lambda: say(told), steps)
