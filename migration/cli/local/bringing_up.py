"""Starting and stopping the local stack; safe to repeat, also after a crash half way.

The local AWS keeps its data in memory. So what the deployer remembers is only true for the process that it
was deployed on: when that is gone, the memory is thrown away and the stack is made afresh.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from migration.cli.console import say
from migration.cli.progress import working
from migration.local.emulator import Emulator
from migration.wiring.workspace import Workspace

if TYPE_CHECKING:
    from migration.local.deployer.plan import DeploymentPlan, StepProgress
    from migration.wiring.workspace import RunningStack

DONE: Final = {
    "create": "resources created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "same": "unchanged",
}


def bring_up(workspace: Workspace, phase: str, port: int) -> tuple[RunningStack, str]:
    """Start the local AWS unless it runs, and deploy the phase; returns the stack and what was done."""
    started = time.monotonic()
    emulator = workspace.running() or _start(workspace, port)
    counts: Counter[str] = Counter()
    with working(f"Deploying phase {phase}") as tell:

        def on_step(progress: StepProgress) -> None:
            if progress.status == "done" and progress.step.custom:
                counts[progress.step.kind] += 1
                tell(f"{counts.total()} resources, {progress.step.name}")

        workspace.deployment(emulator.endpoint, phase).up(on_step)
    done = ", ".join(f"{counts[kind]} {word}" for kind, word in DONE.items() if counts[kind])
    took = f"{time.monotonic() - started:.1f} s"
    return (
        workspace.stack(),
        f"Phase {phase} on {emulator.endpoint}: {done or 'nothing to change'}, in {took}.",
    )


def plan(workspace: Workspace, phase: str) -> DeploymentPlan:
    """Say what deploying the phase would change; where nothing runs, on a local AWS made for the question."""
    emulator = workspace.running()
    if emulator is not None:
        return workspace.deployment(emulator.endpoint, phase).preview()
    with TemporaryDirectory(prefix="cutover-preview-") as folder:
        empty = Workspace(workspace.root, Path(folder))
        emulator = _start(empty, port=0)
        try:
            return empty.deployment(emulator.endpoint, phase).preview()
        finally:
            emulator.stop()


def shut_down(workspace: Workspace) -> bool:
    """Stop the local AWS and forget what was deployed on it; tells whether it ran."""
    emulator = workspace.running()
    if emulator is not None:
        emulator.stop()
    workspace.state_file.unlink(missing_ok=True)
    return emulator is not None


def deployed_phase(workspace: Workspace) -> str | None:
    """Tell which phase is deployed; None when nothing is."""
    emulator = workspace.running()
    if emulator is None:
        return None
    phase = workspace.deployment(emulator.endpoint, "legacy").outputs().get("phase")
    return None if phase is None else str(phase)


def _start(workspace: Workspace, port: int) -> Emulator:
    workspace.state_file.unlink(missing_ok=True)
    if workspace.ledger.exists():
        older = workspace.ledger.with_suffix(".previous.jsonl")
        workspace.ledger.replace(older)
        say(f"The ledger of the stack before this one is now {older}.")
    with working("Starting the local AWS"):
        return Emulator.start(workspace.home, port)
