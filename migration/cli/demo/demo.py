"""`cutover demo`: a whole cutover on one machine; this file makes room for it, demo_story.py tells it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from migration.aws.files.activity_file import GENERATE, ActivityFile
from migration.cli.console import say
from migration.cli.demo import telling as story
from migration.cli.demo.story import Story
from migration.cli.local.bringing_up import shut_down
from migration.load.activities import generate
from migration.model.errors import UsageError
from migration.wiring.workspace import Workspace


def demo(
    *,
    file: Annotated[
        Path | None, typer.Option(help="Your own activities as legacy's history, one a line as JSON.")
    ] = None,
    count: Annotated[int, typer.Option(help="How many to make, without a file.", min=1)] = 2_200,
    seed: Annotated[int, typer.Option(help="Makes them repeatable, but for their times.")] = 7,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end.")] = False,
) -> None:
    """Move legacy to the pipeline while clients work, with faults on the way; then prove what became of all.

    History in legacy alone, steady load, expand, dualwrite, backfill, shadow, a rollback drill, reads and
    writes shifted in steps, a fault that is caught and rolled back by itself, forward again, rampdown,
    complete. All the while others' transactions hold the rows that legacy writes, and for some seconds the
    mirror's answers drip. Everything happens on this machine and is gone at the end, unless --keep says
    otherwise.

    Exit code 0: no request failed, and nothing was lost, doubled or altered. 1: something was; it is named.
    10: the machine is too slow; the guardrail that said so is named.

    For example:

        cutover demo
        cutover demo --file activities.jsonl --keep
    """
    workspace = Workspace.find()
    bodies = _own(file) if file else None  # what is wrong with it is found before anything starts
    make_room(workspace)
    try:
        told = Story(workspace, bodies or _made(workspace, count, seed), seed).tell()
    finally:
        if not keep:
            shut_down(workspace)
            _marker(workspace).unlink(missing_ok=True)
    story.end(told.dashboard, workspace.home, kept=keep)
    if not told.clean:
        raise typer.Exit(1)


def _own(file: Path) -> ActivityFile:
    bodies = ActivityFile(file)
    if not len(bodies):
        raise UsageError(
            f"{file} holds no activities", hint="name a file with one a line", next_command=GENERATE
        )
    return bodies


def _made(workspace: Workspace, count: int, seed: int) -> ActivityFile:
    path = workspace.home / "activities.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC).replace(microsecond=0)
    path.write_bytes(b"".join(line + b"\n" for line in generate(count, seed, now)))
    return ActivityFile(path)


def _marker(workspace: Workspace) -> Path:
    return workspace.home / "started-by-demo"


def make_room(workspace: Workspace) -> None:
    """Take down what an earlier demo left; never what somebody else brought up.

    Raises:
        UsageError: when a stack is up that no demo started.
    """
    if workspace.running() is not None and not _marker(workspace).exists():
        raise UsageError(
            "a local stack is up, and the demo would throw its data away; nothing was changed",
            hint="stop it first, or give the demo a folder of its own with CUTOVER_HOME",
            next_command="cutover local down",
        )
    if shut_down(workspace):
        say("Took down what an earlier demo had left up.")
    workspace.ledger.unlink(missing_ok=True)
    workspace.home.mkdir(parents=True, exist_ok=True)
    _marker(workspace).touch()
