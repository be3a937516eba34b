"""`cutover diff`: leaderboards and aggregates of legacy, pipeline and truth, and why they differ."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from migration.aws.bulk.side_store import passing_store
from migration.aws.files.ledger_file import load_ledger
from migration.cli.commands import OUTPUT, PLAN, Output, answer
from migration.cli.compare.diff_view import show_diff
from migration.cli.console import say
from migration.cli.progress import working
from migration.cli.write_page import write_page
from migration.compare.diff.diff import Question
from migration.compare.diff.diff import diff as compare
from migration.compare.diff.report import DiffReport
from migration.compare.ledger.legacy import check_legacy
from migration.compare.ledger.suspects import Suspects, suspects_of
from migration.compare.reasons import Judgement
from migration.model.acknowledgements import SideLedger
from migration.model.cause import Cause
from migration.model.errors import UsageError
from migration.model.legacy.layout import LegacyPlan
from migration.model.side import Side
from migration.model.wording import counted
from migration.report.diff_fields import diff_fields
from migration.report.diff_page import diff_page
from migration.wiring.site import Site
from migration.wiring.sources import diff_sides
from migration.wiring.workspace import DeployedStack

STEPS = {
    Cause.UNEXPLAINED: ("cutover verify", "read again what differs, and name the events"),
    Cause.LOST: ("cutover verify", "read again what differs, and name the events"),
    Cause.DOUBLED: ("cutover verify", "read again what differs, and name the events"),
    Cause.HISTORY_NOT_INSTALLED: (
        "cutover backfill start",
        "go on with the backfill, which installs history",
    ),
    Cause.MIRROR_MISSED: ("cutover reconcile", "put what a mirror missed, or history, into the facts"),
    Cause.NOT_MIRRORED_BACK: ("cutover reconcile", "put what the reverse mirror missed into legacy"),
    Cause.LEGACY_FAILED: ("cutover reconcile", "give legacy what it failed to store"),
    Cause.GONE_FROM_LEGACY: ("cutover reconcile", "see what legacy dropped; its facts stand"),
    Cause.IN_FLIGHT: ("cutover diff", "again, when what is on its way has arrived"),
}


def diff(  # noqa: PLR0913 - one for each option
    *,
    board: Annotated[str, typer.Option(help="global, program#P, or all.")] = "all",
    k: Annotated[str, typer.Option(help="Depths at which the overlap is told, with commas.")] = "10,50,100",
    persistence: Annotated[
        float,
        typer.Option("--p", help="Of rank-biased overlap: how likely a reader goes on to the next rank."),
    ] = 0.9,
    html: Annotated[
        Path | None, typer.Option(help="Write a page with all differences and plots; it opens offline.")
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(help="Acknowledgement ledger that names what legacy miscounted. Default: the stack's."),
    ] = None,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Compare legacy's leaderboards and aggregates with the pipeline's, and both with the truth.

    The truth is every activity that either side stored, once, folded again. It reads, and writes nothing.
    Legacy's own errors, and what is on its way, are shown apart; docs/reading-a-diff.md tells more.

    Exit code 0: the same, or every difference is legacy's own error or on its way. 1: something is to be
    repaired, or unexplained.

    For example:

        cutover diff

        cutover diff --board global --k 3,10 --html diff.html
    """
    depths = _depths(k)
    if not 0 < persistence < 1:
        raise UsageError(f"--p is {persistence}, not between 0 and 1", hint="0.9 looks at the top ten most")
    site = Site.find(plan)
    stack, legacy = site.stack, site.plan.legacy
    sides = diff_sides(stack.clients, stack.outputs, legacy, site.clock)
    suspects = _suspects(stack, legacy, ledger or stack.ledger, required=ledger is not None)
    question = Question(stack.outputs.stack, board, depths, persistence, suspects)
    with working("Reading both sides") as tell, passing_store() as store:
        report = compare(question, sides, store, site.clock, lambda part, *_: tell(part))
    _show(report, html, output)
    if report.judgement.fails:
        raise typer.Exit(1)


def next_steps(report: DiffReport) -> list[tuple[str, str]]:
    """Say what to run after a diff, and why."""
    boards = (line.reasons for board in report.boards for line in board.lines)
    causes = {one.cause for reasons in (*boards, *(row.reasons for row in report.rows)) for one in reasons}
    return list(dict.fromkeys(step for cause, step in STEPS.items() if cause in causes))


def _show(report: DiffReport, html: Path | None, output: Output) -> None:
    if html is not None:
        write_page(html, diff_page(report))
    answer(output, partial(diff_fields, report), partial(_show_all, report), next_steps(report))


def _show_all(report: DiffReport) -> None:
    show_diff(report)
    say(f"{'The same' if report.judgement is Judgement.SAME else counted(report.counts.items())}.")


def _suspects(stack: DeployedStack, plan: LegacyPlan, path: Path, *, required: bool) -> Suspects:
    """Ask the acknowledgement ledger, if there is one, what legacy counted again or not at all."""
    if not (required or path.is_file()):
        return {}
    side = load_ledger(path).sides.get(Side.LEGACY, SideLedger())
    if (legacy := stack.legacy_tables(plan)) is None:
        return {}
    verdict = check_legacy(side, legacy.activities(), legacy.folds())
    return suspects_of(verdict.findings)


def _depths(text: str) -> tuple[int, ...]:
    """Read depths.

    Raises:
        UsageError: when they are not whole numbers from 1 on.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise UsageError(f"--k is {text!r}", hint="give whole numbers from 1 on, such as 10,50,100")
    return tuple(dict.fromkeys(sorted(map(int, parts))))
