"""`cutover verify`: the facts folded again, and compared with every aggregate and with legacy."""

from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from migration.aws.bulk.side_store import DuckDBStore
from migration.aws.tables.both_sides import StackSides
from migration.aws.transport.clock import SystemClock
from migration.aws.transport.scan import ReadPace
from migration.cli.commands import OUTPUT, PLAN, Output, answer
from migration.cli.compare.verify_view import show_report
from migration.cli.console import say
from migration.cli.progress import reading
from migration.compare.verify.confirm import Patience
from migration.compare.verify.verification import VerifyReport
from migration.compare.verify.verify import Verification
from migration.model.cause import Cause
from migration.model.errors import CutoverError
from migration.model.moments import moment_text
from migration.wiring.site import Site
from migration.wiring.sources import both_sides

INCONCLUSIVE = 11
PIPELINE_ONLY = Annotated[
    bool, typer.Option("--pipeline-only", help="Leave legacy out, as after stage complete.")
]
SEGMENTS = Annotated[
    int, typer.Option(help="Parts of each table that are read side by side.", min=1, max=1000)
]
MAX_RCU = Annotated[float | None, typer.Option(help="Read units a second that the scans use at most.", min=1)]
MEMORY = Annotated[str, typer.Option(help="Memory for folding; the rest goes to disk.")]
PATIENCE = Annotated[
    float, typer.Option(help="Seconds that what differs is looked at again, at most.", min=0)
]
RESUME = "cutover verify --resume"
REPAIR = ("cutover repair", "see what would set it right, row by row")
MISSED = ("cutover reconcile", "put what a mirror missed where it belongs")
STEPS = {
    Cause.UNEXPLAINED: ("cutover diff --html diff.html", "see what it does to the boards"),
    Cause.LOST: REPAIR,
    Cause.DOUBLED: REPAIR,
    Cause.MISPLACED: REPAIR,
    Cause.ALTERED: REPAIR,
    Cause.HISTORY_NOT_INSTALLED: (
        "cutover backfill start",
        "go on with the backfill, which installs history",
    ),
    Cause.MIRROR_MISSED: MISSED,
    Cause.NOT_MIRRORED_BACK: MISSED,
    Cause.LEGACY_FAILED: ("cutover reconcile", "give legacy what it failed to store"),
    Cause.IN_FLIGHT: ("cutover verify", "again, when what is on its way has arrived"),
}


def verify(  # noqa: PLR0913 - one for each option
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the one that was interrupted.")
    ] = False,
    pipeline_only: PIPELINE_ONLY = False,
    segments: SEGMENTS = 4,
    max_rcu: MAX_RCU = None,
    memory: MEMORY = "1GB",
    patience: PATIENCE = 120,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Fold the facts again, and compare them with every aggregate and with legacy; activities may pour in.

    Reads DynamoDB and adds up by itself; no code of the pipeline takes part, and no table is written to.
    Every difference is classed and named by event; docs/how-verify-works.md tells what to do about each.

    Exit code 0: nothing is wrong but legacy's own errors. 1: there are differences. 11: some rows moved too
    fast to be judged.

    For example:

        cutover verify

        cutover verify --max-rcu 500 --output json

        cutover verify --resume
    """
    site = Site.find(plan)
    legacy, pace = None if pipeline_only else site.plan.legacy, ReadPace(max_rcu, site.clock)
    tables = both_sides(site.stack.clients, site.outputs, legacy, pace, segments)
    longest = Patience(longest=timedelta(seconds=patience))
    report = _run(site.stack.home / "verify", tables, longest, memory, resume=resume)
    answer(output, partial(_fields, report), partial(show_report, report), next_steps(report))
    if not report.clean:
        raise typer.Exit(1)
    if report.undecided:
        raise typer.Exit(INCONCLUSIVE)


def next_steps(report: VerifyReport) -> list[tuple[str, str]]:
    """Say what to run after a verification, and why."""
    return list(dict.fromkeys(step for kind, step in STEPS.items() if report.counts[kind]))


def _run(folder: Path, tables: StackSides, patience: Patience, memory: str, *, resume: bool) -> VerifyReport:
    store = DuckDBStore(folder, memory)
    done = False
    try:
        with reading() as tell:
            setup = f"{tables.pipeline.outputs.facts_table} in {tables.segments} segments"
            setup += "" if tables.has_legacy else ", without legacy"
            report = Verification(
                tables, store, SystemClock(), setup, patience, on_read=tell, on_look=say
            ).run(resume=resume)
        done = True
    except KeyboardInterrupt:
        say(f"What was read is kept; {RESUME} goes on from there.")
        raise
    except CutoverError as error:
        error.next_command = error.next_command or RESUME
        raise
    finally:
        store.close(keep=not done)
    return report


def _fields(report: VerifyReport) -> dict[str, Any]:
    return {
        "clean": report.clean,
        **asdict(report),
        "as_of": moment_text(report.as_of),
        "finished_at": moment_text(report.finished_at),
        "counts": dict(report.counts),
    }
