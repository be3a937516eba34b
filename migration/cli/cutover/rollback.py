"""`cutover rollback`: legacy takes over again, with one write, from any stage before `complete`."""

from enum import StrEnum
from typing import Annotated

import typer

from migration.cli.agreeing import agree
from migration.cli.commands import OUTPUT, PLAN, YES, Output, answer
from migration.cli.console import say
from migration.cli.cutover.run import RESUME, RUN, STATUS, refuse_complete
from migration.cutover.footing import read_footing
from migration.cutover.mover import Moved
from migration.cutover.moves import control_words
from migration.model.journal import control_detail
from migration.model.stages import Control, Stage
from migration.model.transitions import ROLLBACK, way_back
from migration.wiring.steering import Steering


class Target(StrEnum):
    """Stages that can be gone back to."""

    OFF = "off"
    DUALWRITE = "dualwrite"
    SHADOW = "shadow"


def rollback(  # noqa: PLR0913 - one for each option
    reason: Annotated[str, typer.Argument(help="Why; it stands in the journal.")] = "",
    *,
    to: Annotated[
        Target | None, typer.Option(help="The stage to go back to. Default: shadow, or one stage less.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do.")] = False,
    yes: YES = False,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Give legacy its authority back: one write, in effect at every door within 2 s, and nothing is deployed.

    Needs no lease, no guardrail and no hook, and may be repeated. Legacy has every activity: the reverse
    mirror kept it up. A run that is under way sees it and stops; going on takes `cutover resume`. In shadow
    and dualwrite both sides still hear of everything; in off, the pipeline hears of nothing any more.

    Exit code 0: legacy has authority. 2: the migration is complete, so there is no way back.

    For example:

        cutover rollback "queue grows" --yes

        cutover rollback --to dualwrite
    """
    helm = Steering.find(plan)
    footing = read_footing(helm.plane)
    state, fault = footing.state, footing.fault
    if fault is None:
        refuse_complete(helm, state.stage)
    else:
        say(f"{fault}. By the journal it is {control_words(state.control)}.")
    target = Control(Stage(to) if to else ROLLBACK.get(state.stage, Stage.OFF))
    there = way_back(state.control, target)
    words = f"{control_words(state.control)} → {control_words(target)}"
    if (there is not None or fault is not None) and not dry_run:
        agree(f"Roll back {helm.plan.migration!r}, {words}?", yes=yes)
    if dry_run:
        stays = f"Nothing to go back from: stage {state.stage}."
        say(f"It would go {words}." if there else stays if fault is None else f"{stays} It is written again.")
        return
    went = helm.mover().back(target, reason or "a person said so", "rollback")
    helm.following.check(went.state.control)
    done = isinstance(went, Moved)
    now = control_words(went.state.control)
    text = (
        f"Rolled back: {words}. Every door routes by it within 2 s."
        if done
        else f"It is there already: {now}."
    )
    fields = {"rolled_back": done, **control_detail(went.state.control)}
    steps = [(STATUS, "see where it stands"), (RESUME, "allow it to go on"), (RUN, "go on")]
    answer(output, lambda: fields, lambda: say(text), steps)
