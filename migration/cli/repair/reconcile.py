"""`cutover reconcile`: what one side has and the other does not, found exactly, re-driven the right way."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from migration.backfill.pacing import PaceLimits
from migration.cli.agreeing import agree
from migration.cli.commands import OUTPUT, PLAN, YES, Output, answer
from migration.cli.console import data, say
from migration.cli.progress import working
from migration.model.moments import moment_text
from migration.model.wording import words
from migration.repair.differing import Decision, ReconcileOutcome, Reconciliation, TimeWindow
from migration.wiring.moving import GRACE_MINUTES, RECONCILE_WCU, THREADS, in_threads
from migration.wiring.steering import Steering

SHOWN = 20
FORMATS = ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]
STEPS = [("cutover verify", "fold everything again, independently")]


def reconcile(  # noqa: PLR0913 - one for each option
    *,
    since: Annotated[
        datetime | None, typer.Option(help="Only activities that occurred from here on.", formats=FORMATS)
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="Only activities that occurred before.", formats=FORMATS)
    ] = None,
    grace: Annotated[
        float,
        typer.Option(
            help="Minutes a fact may take to reach legacy: longer than a client sends again.", min=0
        ),
    ] = GRACE_MINUTES,
    max_wcu: Annotated[float, typer.Option(help="Write units a second at most.", min=1)] = RECONCILE_WCU,
    threads: Annotated[int, typer.Option(help="Writes under way at once.", min=1, max=64)] = THREADS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what differs, and change nothing.")] = False,
    yes: YES = False,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Compare legacy's events with the facts, one by one, and re-drive what a mirror missed.

    A legacy event without a fact is put as a fact of the live lane; a fact without a legacy event is applied
    to legacy's tables, event and totals, each once. Neither overwrites anything, so it can run beside
    live traffic, and again. What differs in content is named and left alone. Legacy is not idempotent: a
    client that sends an activity again after it was applied is counted twice there, hence --grace.

    Exit code 0: nothing differs any more, or what does is in flight. 1: something was left, failed or
    conflicts (with --dry-run: something is to be done).

    For example:

        cutover reconcile --dry-run

        cutover reconcile --since 2026-03-01T09:00:00Z --yes --output json
    """
    helm = Steering.find(plan)
    world = helm.moving
    with in_threads(threads) as in_parallel:
        job = world.reconciling(world.pacer(max_wcu, PaceLimits()), in_parallel)
        began = world.clock.now()
        with working("Comparing legacy's events with the facts"):
            findings = job.look(_window(since, until), timedelta(minutes=grace))
        say(f"Stage {findings.stage}: {findings.events:,} legacy events, {findings.facts:,} facts compared.")
        _show_plan(findings)
        if dry_run:
            listed = [Reconciliation(one, ReconcileOutcome.LEFT, one.why) for one in findings.decisions]
            _show(findings, listed, output, dry_run=True)
            raise typer.Exit(int(bool(findings.decisions or findings.misfits)))
        if findings.writes:
            agree(f"Re-drive {findings.writes:,} activities?", yes=yes)
        done = list(job.act(findings, max_wcu))
    _show(findings, done, output, dry_run=False)
    if findings.more or findings.misfits or any(one.outcome.open for one in done):
        raise typer.Exit(1)
    if since is None and until is None:
        helm.note_reconciled(began)


def _window(since: datetime | None, until: datetime | None) -> TimeWindow:
    """Write the window's ends as the tables hold times; without an offset they are UTC."""
    texts = [
        None if one is None else moment_text((one if one.tzinfo else one.replace(tzinfo=UTC)).timestamp())
        for one in (since, until)
    ]
    return TimeWindow(*texts)


def _show_plan(findings: Any) -> None:  # noqa: ANN401 - the engine is imported late
    if not findings.decisions:
        say("Nothing differs.")
    for (kind, action), count in sorted(findings.counts.items()):
        say(f"  {count:,} {words(kind)}: {words(action)}")
    if findings.more:
        say(f"  {findings.more:,} more are left for the next run.")
    for misfit in findings.misfits[:SHOWN]:
        say(f"  does not fit the plan: {misfit}")


def _show(findings: Any, done: list[Reconciliation], output: Output, *, dry_run: bool) -> None:  # noqa: ANN401 - as above
    fields = {
        "stage": findings.stage,
        "window": asdict(findings.window),
        "settled_before": findings.settled_before,
        "legacy_events": findings.events,
        "facts": findings.facts,
        "dry_run": dry_run,
        "more": findings.more,
        "unmappable": findings.misfits,
        "activities": [_fields(one, dry_run=dry_run) for one in done],
    }
    steps = [("cutover reconcile", "do it")] if dry_run and done else STEPS
    answer(output, lambda: fields, lambda: _show_done(done, dry_run=dry_run), steps)


def _show_done(done: list[Reconciliation], *, dry_run: bool) -> None:
    if not done:
        return
    table = Table("what", "employee", "event", "why")
    for one in done:
        activity = one.decision.pair.activity
        what = one.decision.action if dry_run else one.outcome
        table.add_row(words(what), activity.employee_id, activity.event_id, one.detail)
    data.print(table)


def _fields(one: Reconciliation, *, dry_run: bool) -> dict[str, Any]:
    decision: Decision = one.decision
    activity = decision.pair.activity
    return {
        "employee_id": activity.employee_id,
        "event_id": activity.event_id,
        "program_id": activity.program_id,
        "points": activity.points,
        "differs": decision.kind,
        "action": decision.action,
        "outcome": None if dry_run else one.outcome,
        "why": one.detail,
    }
