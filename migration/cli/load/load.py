"""`cutover local generate` and `cutover local load`: activities made from a seed, and sent over HTTP."""

import secrets
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from migration.aws.files.activity_file import ActivityFile
from migration.cli.commands import OUTPUT, Output, answer
from migration.cli.console import say, show_next
from migration.cli.load.view import show_reports
from migration.cli.progress import counting
from migration.load.activities import generate as generate_activities
from migration.load.arrivals import Profile, arrivals
from migration.model.errors import UsageError
from migration.model.side import Side
from migration.wiring.sending import Sending, send, sides_of
from migration.wiring.workspace import Workspace

CHECK = "cutover ledger check"


class LoadTarget(StrEnum):
    """Which sides are sent to."""

    LEGACY = "legacy"
    PIPELINE = "pipeline"
    BOTH = "both"


def generate(
    *,
    count: Annotated[int, typer.Option(help="How many lines.", min=0)],
    seed: Annotated[int, typer.Option(help="The same seed and time give the same file.")] = 1,
    out: Annotated[Path | None, typer.Option(help="File to write. Default: standard output.")] = None,
    now: Annotated[
        datetime | None,
        typer.Option(
            help="The time that activities are relative to (UTC unless it says otherwise). Default: now.",
            formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"],
        ),
    ] = None,
) -> None:
    """Make realistic activities, one a line as JSON: skewed, bursty, with retries, late ones and mistakes.

    For example:

        cutover local generate --count 2000 --seed 7 --out activities.jsonl
        cutover local generate --count 5 --now 2026-03-01T09:30:00Z
    """
    lines = generate_activities(count, seed, _aware(now or datetime.now(UTC).replace(microsecond=0)))
    if out is None:
        for line in lines:
            sys.stdout.buffer.write(line + b"\n")
        return
    try:
        with out.open("wb") as file:
            file.writelines(line + b"\n" for line in lines)
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}", hint="name another file") from error
    say(f"Wrote {count:,} lines to {out}.")
    show_next([(f"cutover local load --file {out}", "send them")])


def load(  # noqa: PLR0913 - one for each option
    *,
    file: Annotated[Path | None, typer.Option(help="Activities to send, one a line; bad lines too.")] = None,
    rate: Annotated[
        float | None, typer.Option(help="Activities a second to make and send.", min=0.001)
    ] = None,
    duration: Annotated[float | None, typer.Option(help="For how many seconds.", min=0.001)] = None,
    profile: Annotated[Profile, typer.Option(help="How the rate is spread over time.")] = Profile.STEADY,
    to: Annotated[LoadTarget, typer.Option(help="Which side is sent to.")] = LoadTarget.BOTH,
    seed: Annotated[
        int | None, typer.Option(help="Makes the activities repeatable. Default: random.")
    ] = None,
    concurrency: Annotated[int, typer.Option(help="Connections to each side.", min=1, max=256)] = 8,
    ledger: Annotated[Path | None, typer.Option(help="Acknowledgement ledger to append to.")] = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Send activities over HTTP, and take down every answer in the acknowledgement ledger.

    With a rate, every send has a time fixed in advance and its latency counts from there, however late it
    leaves. With a file and no rate, as fast as the connections allow. Answers of 429 and 5xx, and no answer,
    are tried again as a real client does. Exit code 1: some sends never got an answer that decides.

    For example:

        cutover local load --file activities.jsonl
        cutover local load --rate 50 --duration 30 --profile burst --to pipeline
        cutover local load --file activities.jsonl --rate 20
    """
    workspace = Workspace.find()
    sending = _sending(
        file=file, rate=rate, duration=duration, profile=profile, seed=seed, concurrency=concurrency
    )
    outputs = workspace.stack().outputs
    sides = sides_of(outputs) if to is LoadTarget.BOTH else [Side(to)]
    path = ledger or workspace.ledger
    with counting(dict.fromkeys(sides, len(sending.bodies))) as steps:
        reports = send(sending, outputs, sides, path, steps)
    check = CHECK if ledger is None else f"{CHECK} --ledger {ledger}"
    fields = {"ledger": str(path), "loads": [asdict(report) for report in reports]}
    proof = [(check, "prove that none was lost, doubled or altered")]
    answer(output, lambda: fields, lambda: show_reports(reports, path), proof)
    if any(report.unknown for report in reports):
        raise typer.Exit(1)


def _sending(  # noqa: PLR0913 - as above
    *,
    file: Path | None,
    rate: float | None,
    duration: float | None,
    profile: Profile,
    seed: int | None,
    concurrency: int,
) -> Sending:
    if file is not None:
        if duration is not None:
            raise UsageError("a file ends by itself", hint="leave --duration out; --rate alone paces a file")
        bodies = ActivityFile(file)
        due = None if rate is None else arrivals(rate, timedelta(seconds=(len(bodies) + 1) / rate), profile)
        return Sending(bodies, due, concurrency)
    if rate is None or duration is None:
        raise UsageError(
            "there is nothing to send",
            hint="give --file, or --rate with --duration",
            next_command="cutover local load --rate 50 --duration 10",
        )
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    say(f"Making activities with seed {chosen}.")
    due = arrivals(rate, timedelta(seconds=duration), profile)
    return Sending(list(generate_activities(len(due), chosen, datetime.now(UTC))), due, concurrency)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
