"""`cutover backfill`: copy legacy's history into the facts, and install its fold, beside live traffic."""

from dataclasses import asdict
from datetime import timedelta
from functools import partial
from typing import Annotated, Final

import typer

from migration.aws.bulk.history_bulk import folded_in_bulk
from migration.aws.transport.clients import translated
from migration.backfill.attention import Attention
from migration.backfill.estimate import Estimate, estimate, is_better_elsewhere, too_late
from migration.backfill.pacer import Pacer
from migration.backfill.pacing import PaceLimits
from migration.cli.agreeing import agree
from migration.cli.backfill.view import (
    changes_fields,
    estimate_fields,
    progressing,
    show_changes,
    show_estimate,
    show_status,
    status_fields,
)
from migration.cli.commands import OUTPUT, PLAN, YES, Output, answer
from migration.cli.console import print_json, say, show_next
from migration.model.backfill import MAX_WCU, BackfillPhase, Engine, Job, Wish, wished
from migration.model.errors import ConflictError, UsageError
from migration.model.moments import moment_text
from migration.model.stages import Stage
from migration.wiring.elsewhere import BackfillElsewhere
from migration.wiring.moving import THREADS, Moving, in_threads
from migration.wiring.process import worker_name
from migration.wiring.site import Site

app = typer.Typer(
    no_args_is_help=True,
    help="Copy legacy's history into the facts and install its fold; stop and repeat it as you like.",
)
START, STATUS, RESUME = ("cutover backfill start", "cutover backfill status", "cutover backfill resume")
NORMAL = PaceLimits()
LEAST_SHARE: Final = 20  # write units/s for a function: with fewer, it spends its time on beginning
CHECKED = [
    ("cutover reconcile", "put what a mirror missed where it belongs"),
    ("cutover verify", "fold everything again, independently"),
]


@app.command()
def start(  # noqa: PLR0913 - one for each option
    *,
    max_wcu: Annotated[
        float | None, typer.Option(help=f"Write units a second at most. Default: {MAX_WCU:.0f}.", min=1)
    ] = None,
    segments: Annotated[
        int, typer.Option(help="Parts that legacy's events are read in; fixed for a run.", min=1, max=1000)
    ] = 4,
    threads: Annotated[int, typer.Option(help="Writes under way at once.", min=1, max=64)] = THREADS,
    engine: Annotated[
        Engine | None,
        typer.Option(
            help="What does the work: this machine, or AWS's functions and Athena. Default: what was chosen "
            "before, for a new run this machine."
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read all events once more, for what came since the last run.")
    ] = False,
    skip_unmappable: Annotated[
        bool, typer.Option("--skip-unmappable", help="Seal the set without events that do not fit the plan.")
    ] = False,
    finish_within: Annotated[
        float | None,
        typer.Option(help="Hours until legacy's events expire: refuse what takes longer.", min=0),
    ] = None,
    max_latency: Annotated[
        float, typer.Option(help="Milliseconds a write may take before the pace is halved.", min=1)
    ] = NORMAL.latency_ms,
    max_queued: Annotated[
        int, typer.Option(help="Live messages that may be queued before the pace is halved.", min=0)
    ] = NORMAL.queued,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what it would do and cost.")] = False,
    yes: YES = False,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Copy every legacy event that is no fact yet, fold all history, and install it; or go on with that.

    A copied event is a fact of the history lane, put only where there is none, so nothing is overwritten and
    no event is counted twice, whatever else is written at the same time. Kill it whenever you like: the same
    command goes on. It slows down by itself when DynamoDB throttles, writes get slow or the live lane falls
    behind, and says so. docs/backfilling.md tells how it works.

    Exit code 0: installed. 1: events do not fit the plan, or are other facts already; they are named.

    For example:

        cutover backfill start --dry-run

        cutover backfill start --max-wcu 2000 --yes

        cutover backfill start --engine aws --max-wcu 10000 --segments 400 --yes
    """
    world = Site.find(plan).moving
    wish = Wish(segments, max_wcu, skip_unmappable or None, again, engine)
    job = wished(world.checkpoints.job(), wish, moment_text(world.clock.now()))
    ceiling = job.max_wcu
    elsewhere = _elsewhere(world, job)
    needed = _estimate(world, ceiling, elsewhere.functions if elsewhere else 0)
    _within(world, needed, finish_within)
    if dry_run and output is Output.JSON:
        print_json(estimate_fields(needed), [START])
    if not dry_run or output is Output.TABLE:
        show_estimate(needed, ceiling)
        _advise(world, needed, ceiling)
    if dry_run:
        return
    if world.checkpoints.control().stage is Stage.OFF:
        say("Stage off: what legacy accepts from now on needs another run, or the forward mirror.")
    agree("Go on?", yes=yes)
    limits = PaceLimits(latency_ms=max_latency, queued=max_queued)
    _run(world, elsewhere, wish, world.pacer(ceiling, limits), threads)
    _finish(world, output)


@app.command()
def status(plan: PLAN = None, output: OUTPUT = Output.TABLE) -> None:
    """Say how far the backfill is, how fast, why not faster, and what to do next; from any machine.

    For example:

        cutover backfill status --output json
    """
    world = Site.find(plan).moving
    job = world.checkpoints.job()
    if job is None:
        steps = [(f"{START} --dry-run", "see what it would do and cost")]
        answer(output, lambda: {"phase": None}, lambda: say("No backfill was started."), steps)
        return
    fields = status_fields(job, world.checkpoints.progress(job), world.checkpoints.pulse(), world.clock.now())
    if job.execution and world.reach_elsewhere:
        fields["execution"] = asdict(world.elsewhere().workers.look(job.execution))
    steps = CHECKED if job.phase is BackfillPhase.INSTALLED else [(RESUME if job.paused else START, "go on")]
    answer(output, lambda: fields, lambda: show_status(fields), steps)


@app.command()
def pause(
    reason: Annotated[str, typer.Argument(help="Why; it is shown wherever the backfill waits.")] = "",
    plan: PLAN = None,
) -> None:
    """Have the backfill wait where it is, within seconds, on whatever machine it runs.

    For example:

        cutover backfill pause "until the campaign is over"
    """
    world = Site.find(plan).moving
    by = f"paused by {worker_name().partition(':')[0]} at {moment_text(world.clock.now())}"
    _set_paused(world, f"{by}: {reason}" if reason else by)
    say("Paused. What is copied stays copied, and nothing expires.")
    show_next([(RESUME, "let it go on"), (STATUS, "see where it is")])


@app.command()
def resume(
    max_wcu: Annotated[
        float | None, typer.Option(help="From now on, write units a second at most.", min=1)
    ] = None,
    plan: PLAN = None,
) -> None:
    """Let a paused backfill go on; also changes its ceiling while it runs.

    For example:

        cutover backfill resume --max-wcu 200
    """
    world = Site.find(plan).moving
    _set_paused(world, "", max_wcu)
    say("It goes on, if its process still runs.")
    show_next([(STATUS, "see whether it does"), (START, "else go on here")])


@app.command()
def verify(plan: PLAN = None, output: OUTPUT = Output.TABLE) -> None:
    """Fold the history facts and compare every row with its base_*; nothing is written.

    Exit code 0: every row holds its history. 1: rows differ; they are named.

    For example:

        cutover backfill verify
    """
    world = Site.find(plan).moving
    with folded_in_bulk(world.facts.history(), world.bases.bases()) as folded:
        changed = folded.changed
        steps = [(START, "install what differs")] if changed else CHECKED
        answer(output, partial(changes_fields, folded), partial(show_changes, folded), steps)
    if changed:
        raise typer.Exit(1)


def _run(world: Moving, elsewhere: BackfillElsewhere | None, wish: Wish, pacer: Pacer, threads: int) -> None:
    with progressing() as report, in_threads(threads) as in_parallel:
        attention = Attention(worker_name(), world.clock, pacer, world.checkpoints, report, say)
        world.backfilling(attention, in_parallel, elsewhere).start(wish)
    say(f"{pacer.units:,.0f} write units.")


def _finish(world: Moving, output: Output) -> None:
    job = world.checkpoints.job()
    if job is None:
        return
    progress = world.checkpoints.progress(job)
    fields = status_fields(job, progress, None, world.clock.now())
    answer(output, lambda: fields, lambda: show_status(fields), CHECKED)
    if progress.conflicts:
        raise typer.Exit(1)


def _set_paused(world: Moving, paused: str, max_wcu: float | None = None) -> None:
    """Change the job, however often somebody else changes it at the same moment.

    Raises:
        UsageError: when there is nothing to pause.
        ConflictError: when it keeps changing.
    """
    for _ in range(10):
        job = world.checkpoints.job()
        if job is None or (job.phase is BackfillPhase.INSTALLED and paused):
            raise UsageError("no backfill is under way", hint="see what there is", next_command=STATUS)
        if world.checkpoints.save_job(job.changed(paused=paused, max_wcu=max_wcu or job.max_wcu)):
            return
    raise ConflictError("the job keeps changing", hint="try again", next_command=STATUS)


def _elsewhere(world: Moving, job: Job) -> BackfillElsewhere | None:
    """Reach what works on a job, when that is not this machine.

    Raises:
        UsageError: when it cannot, or each function's share would be too small to get on with.
    """
    if job.engine is Engine.MACHINE:
        return None
    elsewhere = world.elsewhere()
    least = LEAST_SHARE * elsewhere.functions
    if job.phase is BackfillPhase.COPYING and job.max_wcu < least:
        raise UsageError(
            f"{job.max_wcu:,.0f} write units/s are too few for {elsewhere.functions} functions at once",
            hint=f"give them --max-wcu {least:.0f} or more, or copy with --engine machine",
        )
    return elsewhere


def _advise(world: Moving, needed: Estimate, ceiling: float) -> None:
    """Name the other engine where it is much faster."""
    if needed.functions or world.reach_elsewhere is None:
        return
    try:
        functions = world.elsewhere().functions
    except UsageError:  # it is not made for this plan, so it is no advice
        return
    there = _estimate(world, ceiling, functions)
    if is_better_elsewhere(needed, there):
        say(f"This machine is what holds it back; with --engine aws about {there.duration}.")


def _estimate(world: Moving, ceiling: float, functions: int) -> Estimate:
    with translated("describing legacy's tables"):
        employees, programs = (
            world.clients.dynamodb.describe_table(TableName=name)["Table"].get("ItemCount", 0)
            for name in (world.legacy.employee_progress_table, world.legacy.program_progress_table)
        )
    return estimate(world.events.size(), employees, programs, ceiling, functions)


def _within(world: Moving, needed: Estimate, hours: float | None) -> None:
    """Hold the estimate to the one retention that copying can run into: that of legacy's own events.

    Raises:
        UsageError: when it does not end in time, or the time is not known.
    """
    table = world.events.table
    with translated(f"describing {table}"):
        found = world.clients.dynamodb.describe_time_to_live(TableName=table)
    expires = found["TimeToLiveDescription"].get("AttributeName")
    if expires and hours is None:
        raise UsageError(
            f"items of {table} expire by {expires}, and how much time that leaves cannot be told from here",
            hint="name the hours until the first event that is to be copied expires: --finish-within",
        )
    if hours is not None and (problem := too_late(needed, timedelta(hours=hours))) is not None:
        raise UsageError(problem, hint="raise --max-wcu, or put off what expires")
