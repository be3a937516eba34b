"""`cutover switch`: give the pipeline more or less of the reads or of the writes, one share at a time."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from migration.cli.agreeing import agree
from migration.cli.commands import OUTPUT, PLAN, YES, Output
from migration.cli.console import data, print_json, say, show_next
from migration.cli.cutover.run import RUN, STATUS, ending_fields, one_step, refuse_complete
from migration.cli.cutover.run_view import guardrail_table
from migration.cutover.action import Action
from migration.cutover.course import PERCENT, Step
from migration.cutover.moves import control_words
from migration.model.errors import GuardrailError, UsageError
from migration.model.stages import Control, Stage
from migration.model.state import State
from migration.model.transitions import is_back, refusal
from migration.wiring.steering import Steering


class Traffic(StrEnum):
    """What is switched."""

    READS = "reads"
    WRITES = "writes"


def switch(  # noqa: PLR0913 - one for each option
    what: Annotated[Traffic, typer.Argument(help="reads or writes.")],
    *,
    to: Annotated[float, typer.Option(help="Percent of it that goes to the pipeline.", min=0, max=100)],
    patience: Annotated[
        float, typer.Option(help="Seconds to wait for guardrails that do not hold yet.", min=0)
    ] = 30,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say whether it would be done.")] = False,
    yes: YES = False,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Set the pipeline's share of reads or of writes, in stage live or from shadow into it.

    More is given only while every guardrail holds, everything folded again is equal, and the way back of that
    path was rehearsed recently. Less is given at once. Clients are placed by a hash of the employee: a share
    that grows only adds clients, and each stays on its side.

    Exit code 0: done. More was seen at the doors; less is written, and doors obey it within 2 s. 10, 11:
    guardrails fail, or cannot be told. 12: somebody else moves the migration. 13: it was rolled back
    meanwhile.

    For example:

        cutover switch reads --to 5

        cutover switch writes --to 25 --dry-run
    """
    helm = Steering.find(plan)
    state = helm.state()
    target = _target(state, what, round(to * PERCENT))
    _check(helm, state, what, target)
    words = f"{control_words(state.control)} → {control_words(target)}"
    if dry_run:
        _show(helm, state, words, output)
        return
    agree(f"{words}?", yes=yes)
    if is_back(state.control, target):
        went = helm.mover().back(target, f"cutover switch {what} --to {to:g}", "switch", stop=False)
        helm.following.check(went.state.control)
        _tell(f"{words}: written, and doors obey within 2 s; status says when they were seen to", output)
        return
    step = Step(f"switch {what} {to:g} %", Action.MOVE, target, proofs=True)
    look = one_step(helm, step, patience)
    if output is Output.JSON:
        print_json(ending_fields(helm, look), [STATUS])
    else:
        _tell(words, output)


def _target(state: State, what: Traffic, weight: int) -> Control:
    """Say what is routed next."""
    now = state.control if state.stage is Stage.LIVE else Control(Stage.LIVE)
    if what is Traffic.WRITES:
        return replace(now, write_weight=weight, epoch=state.epoch)
    return replace(now, read_weight=weight, epoch=state.epoch)


def _check(helm: Steering, state: State, what: Traffic, target: Control) -> None:
    """Refuse what must not be done, whatever the guardrails say.

    Raises:
        UsageError: when the move is not legal, or the plan changed.
        GuardrailError: when the way back was not rehearsed recently.
    """
    refuse_complete(helm, state.stage)
    if (why := refusal(state.control, target)) is not None:
        raise UsageError(f"{why}; nothing was changed", hint="one stage after the other", next_command=RUN)
    if is_back(state.control, target):
        return
    helm.check_plan(state)
    (_, so_far), course = helm.footing(), helm.plan.cutover
    if not course.has_drill(so_far, helm.clock.now()):
        why = "was never rehearsed" if so_far.drilled_at is None else "was rehearsed too long ago"
        raise GuardrailError(
            f"the way back from more {what} {why}; nothing was changed",
            hint=f"a run makes a rollback drill before it gives the pipeline more; it is good for "
            f"{course.drill_valid_s / 3600:g} h",
            next_command="cutover run --until live",
        )


def _show(helm: Steering, state: State, words: str, output: Output) -> None:
    verdicts = [*helm.vital.look(state), *helm.proofs.look(state)]
    if output is Output.JSON:
        listed = [{"name": one.name, "outcome": one.outcome, "why": one.why} for one in verdicts]
        print_json({"would": words, "guardrails": listed}, [STATUS])
        return
    say(f"It would go {words}, if these hold:")
    data.print(guardrail_table(verdicts, helm.clock.now()))


def _tell(words: str, output: Output) -> None:
    if output is Output.JSON:
        print_json({"did": words}, [STATUS])
        return
    say(f"{words}.")
    show_next([(STATUS, "see how it does"), ("cutover rollback", "take it back")])
