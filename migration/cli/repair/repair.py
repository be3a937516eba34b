"""`cutover repair`: what a verification found, set right by re-driving facts and by compensations."""

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import typer

from migration.cli.agreeing import agree
from migration.cli.commands import OUTPUT, PLAN, YES, Output, answer
from migration.cli.compare.verify import (
    INCONCLUSIVE,
    MAX_RCU,
    MEMORY,
    PATIENCE,
    PIPELINE_ONLY,
    REPAIR,
    SEGMENTS,
    STEPS,
)
from migration.cli.console import say
from migration.cli.progress import reading
from migration.cli.repair.repair_state import repair_state
from migration.cli.repair.view import show_done, show_plan
from migration.compare.verify.verification import Difference
from migration.model.stages import Stage
from migration.repair.words import Deed, RepairPlan, deed_detail, parts_off, remedy_detail
from migration.wiring.moving import GRACE_MINUTES, RECONCILE_WCU
from migration.wiring.repairing import RepairOptions, repairing
from migration.wiring.site import Site

APPLY = ("cutover repair --apply", "do it")
DONE = [("cutover verify", "fold everything again, from the beginning")]
LEFT = [("cutover repair", "see what is left, and why")]


def repair(  # noqa: PLR0913 - one for each option
    *,
    to: Annotated[
        Stage | None, typer.Option(help="Bring the migration's state to this stage instead: see `doctor`.")
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it. Without this, say what would be done, and change nothing.")
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="Verify everything afterwards, not only what differed.")
    ] = False,
    pipeline_only: PIPELINE_ONLY = False,
    segments: SEGMENTS = 4,
    max_rcu: MAX_RCU = None,
    memory: MEMORY = "1GB",
    patience: PATIENCE = 120,
    max_wcu: Annotated[float, typer.Option(help="Write units a second at most.", min=1)] = RECONCILE_WCU,
    grace: Annotated[
        float, typer.Option(help="Minutes a fact may take to reach legacy, as in a reconcile.", min=0)
    ] = GRACE_MINUTES,
    yes: YES = False,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Verify, say what is to be done about each difference, and with --apply do it and look again.

    A lost fact's message is sent again, or its rows are compensated; what is doubled, misplaced or altered in
    the rows is compensated by what it is off, once, under a name in the dedup table; what a mirror missed is
    reconciled; history is installed. A fact that legacy has authority over, and refused, gets legacy's
    content; no other fact is rewritten. Legacy's own errors are left, and what no event explains is refused.
    It can run beside live traffic, be killed, and be given again. Each deed is in the journal.

    With --to it is not about data: a state that was lost, or written by hand, is written again as the journal
    recorded it, or goes back to a stage before. That asks for the migration's name, and never goes forward.

    Exit code 0: nothing is left to repair. 1: something is left (without --apply: is to be done). 11: some
    rows moved too fast to be judged.

    For example:

        cutover repair

        cutover repair --apply

        cutover repair --apply --yes --whole --output json

        cutover repair --to shadow --apply
    """
    if to is not None:
        repair_state(to, apply=apply, yes=yes, plan=plan, output=output)
        return
    options = RepairOptions(pipeline_only, segments, max_rcu, memory, patience, max_wcu, grace)
    with reading() as tell, repairing(Site.find(plan), options, tell, say) as job:
        planned = job.look()
        deeds: list[Deed] = []
        left, undecided = planned.report.differences, frozenset(planned.report.undecided)
        if output is Output.TABLE:
            show_plan(planned)
        if apply and planned.writes:
            agree(f"Repair {planned.writes:,} differences?", yes=yes)
            deeds = list(job.act(planned))
            after = job.verification.run() if whole else job.after(deeds)
            left, undecided = list(after.differences), frozenset(after.undecided)
    failing = [one for one in left if one.kind.fails and not one.reserved]
    fields = partial(_fields, planned, deeds, failing, undecided)
    answer(output, fields, partial(show_done, deeds, failing, undecided), _steps(planned, deeds, failing))
    if failing or planned.report.skipped:
        raise typer.Exit(1)
    if undecided:
        raise typer.Exit(INCONCLUSIVE)


def _steps(planned: RepairPlan, deeds: list[Deed], failing: list[Difference]) -> list[tuple[str, str]]:
    """Say what to run next: the same to do it, or to see what is left, or the command that is for that."""
    if deeds:
        return LEFT if failing else DONE
    if planned.writes:
        return [APPLY]
    steps = dict.fromkeys(STEPS[one.kind] for one in failing if one.kind in STEPS)
    return [step for step in steps if step != REPAIR]


def _fields(
    planned: RepairPlan, deeds: list[Deed], failing: list[Difference], undecided: frozenset[str]
) -> dict[str, Any]:
    return {
        "stage": planned.stage,
        "applied": bool(deeds),
        "skipped": planned.report.skipped,
        "plan": [remedy_detail(one) for one in planned.remedies],
        "rows": [
            {"row": str(row), "lane": lane, "delta": asdict(off * -1)}
            for (row, lane), off in parts_off(planned.remedies).items()
        ],
        "deeds": [deed_detail(one) for one in deeds],
        "left": [asdict(one) for one in failing],
        "undecided": sorted(undecided),
    }
