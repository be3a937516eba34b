"""What a stack exports, as Pulumi's command line tells it, or a file that was written by it."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from migration.model.errors import IntegrityError, RemoteError, UsageError
from migration.plan.outputs import StackOutputs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OUTPUTS_VARIABLE: Final = "CUTOVER_OUTPUTS"
_TIMEOUT_S: Final = 60.0
_KEPT: Final = 500  # characters of what Pulumi said: the end, where the reason is


def checked(exports: Mapping[str, Any], deploy: str) -> StackOutputs:
    """Check a stack's outputs; `deploy` is the command that makes them right.

    Raises:
        IntegrityError: when they are not what the toolkit needs.
    """
    try:
        return StackOutputs.model_validate(exports)
    except ValidationError as error:
        raise IntegrityError(
            f"the stack does not export what the toolkit needs: {error}",
            hint="it was deployed by another version of the program; deploy it again",
            next_command=deploy,
        ) from error


def outputs_of_file(path: Path, stack: str) -> StackOutputs:
    """Read a file with the outputs of a stack.

    Raises:
        UsageError: when it is not there, no JSON object, or another stack's.
        IntegrityError: when it lacks what the toolkit needs.
    """
    try:
        exports = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint=f"see {OUTPUTS_VARIABLE}"
        ) from error
    except ValueError as error:
        raise UsageError(
            f"{path} is not JSON: {error}", hint="write it anew", next_command=_asking(stack)
        ) from error
    outputs = checked(exports if isinstance(exports, dict) else {}, _deploying(stack))
    if outputs.stack != _short(stack):
        raise UsageError(
            f"{path} is of stack {outputs.stack}, and the plan is for {stack}",
            hint=f"name the other's outputs in {OUTPUTS_VARIABLE}, or the other plan with --plan",
        )
    return outputs


def outputs_of_pulumi(stack: str, folder: Path) -> StackOutputs:
    """Ask Pulumi for the outputs of a stack.

    Raises:
        UsageError: when Pulumi's command line is not installed.
        RemoteError: when it does not answer, or does not know the stack.
        IntegrityError: when the stack lacks what the toolkit needs.
    """
    program = shutil.which("pulumi")
    if program is None:
        raise UsageError(
            f"stack {stack} is known to Pulumi, and its command line is not installed",
            hint=f"install it, or name a file with what `{_asking(stack)}` prints in {OUTPUTS_VARIABLE}",
        )
    command = [program, "stack", "output", "--json", "--non-interactive", "--stack", stack]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command; the plan names the stack
            command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise RemoteError(f"Pulumi did not answer in {_TIMEOUT_S:g} s", hint="try again") from error
    if done.returncode:
        raise RemoteError(
            f"Pulumi does not tell the outputs of stack {stack}: {done.stderr.strip()[-_KEPT:]}",
            hint="see whether you are signed in, and whether the stack is there",
            next_command="pulumi stack ls",
        )
    try:
        exports = json.loads(done.stdout)
    except ValueError as error:
        raise RemoteError(f"Pulumi did not answer in JSON: {error}", hint="see what it prints") from error
    return checked(exports if isinstance(exports, dict) else {}, _deploying(stack))


def _short(stack: str) -> str:
    """Drop the organisation and the project of a stack's full name."""
    return stack.rpartition("/")[2]


def _asking(stack: str) -> str:
    return f"pulumi stack output --json --stack {stack}"


def _deploying(stack: str) -> str:
    return f"pulumi up --stack {stack}"
