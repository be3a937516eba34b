"""`cutover rollback`: legacy takes over again, with one write, from any stage before `complete`."""

from enum import StrEnum
from typing import Annotated

import typer

from migration.cli.agreeing import agree
from migration.cli.commands import OUTPUT, PLAN, YES, Output, answer
from migration.cli.console import say
from migration.cli.cutover.run import RESUME, RUN, STATUS, refuse_complete
from migration.cutover.footing import read_footing
from migration.cutover.mover import AlreadyThere, Moved, MovedOn
from migration.cutover.moves import control_words
from migration.cutover.watching import WATCHED
from migration.model.journal import control_detail
from migration.model.stages import Control, Stage
from migration.model.transitions import ROLLBACK, way_back
from migration.wiring.steering import Steering
from migration.wiring.way_back import WayBack


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
    control_table: Annotated[
        str | None,
        typer.Option(help="The control table's name: then neither checkout nor plan nor stack is needed."),
    ] = None,
    migration: Annotated[
        str, typer.Option(help="The migration's name, with --control-table.")
    ] = "activities",
    region: Annotated[
        str | None, typer.Option(help="AWS region, with --control-table. Default: the session's.")
    ] = None,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Give legacy its authority back: one write, which every door obeys within 2 s; nothing is deployed.

    Needs no lease, no guardrail and no hook, and may be repeated, also where the control item is gone.
    Legacy has every activity, or it is on its way there. A run that is under way sees it and stops; going on
    takes `cutover resume`. In shadow and dualwrite both sides still hear of everything; in off, the pipeline
    hears of nothing any more.

    With --control-table it needs nothing of this machine but credentials. Then no hook is told, and aliases
    are turned by the next `cutover run`.

    Exit code 0: legacy has authority by what is written. 2: the migration is complete, so there is no way
    back.

    For example:

        cutover rollback "queue grows" --yes

        cutover rollback --to dualwrite

        cutover rollback --control-table cutover-prod-control --migration activities --yes
    """
    if control_table is None:
        way = WayBack.of(Steering.find(plan))
    else:
        way = WayBack.by_names(migration, control_table, region)
    footing = read_footing(way.plane)
    state, fault = footing.state, footing.fault
    if fault is not None:
        say(f"{fault}. By the journal it is {control_words(state.control)}.")
    elif way.helm is not None:
        refuse_complete(way.helm, state.stage)
    target = Control(Stage(to) if to else ROLLBACK.get(state.stage, Stage.OFF))
    there = way_back(state.control, target)
    words = f"{control_words(state.control)} → {control_words(target)}"
    if dry_run:
        stays = f"Nothing to go back from: stage {state.stage}."
        say(f"It would go {words}." if there else stays if fault is None else f"{stays} It is written again.")
        return
    if there is not None or fault is not None:
        agree(f"Roll back {way.migration!r}, {words}?", yes=yes)
    went = way.mover.back(target, reason or "a person said so", "rollback")
    way.follow(went.state.control)
    done = isinstance(went, Moved)
    behind = way.behind() if state.stage in WATCHED else None
    fields = {"rolled_back": done, **control_detail(went.state.control), "behind": behind}
    steps = [(STATUS, "see where it stands"), (RESUME, "allow it to go on"), (RUN, "go on")]
    answer(output, lambda: fields, lambda: _tell(went, words, behind), steps)


def _tell(went: Moved | AlreadyThere | MovedOn, words: str, behind: int | None) -> None:
    if not isinstance(went, Moved):
        say(f"It is there already: {control_words(went.state.control)}.")
        return
    say(
        f"Rolled back: {words}. It is written; doors obey within 2 s, and status says when they were seen to."
    )
    if behind:
        say(f"Legacy is {behind:,} facts behind. They are on their way, and follow by themselves.")
