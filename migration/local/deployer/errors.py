"""What can stop a deployment: each error says what failed, what state that leaves, and how to go on.

Never prints a secret: messages hold names, types and AWS's own text, not property values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.model.errors import ConflictError, RemoteError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

AGAIN = "cutover local up"


class EndpointRefusedError(UsageError):
    """The endpoint is not on this machine; this deployer must never reach a real account."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(
            f"the local deployer only talks to this machine, and {endpoint!r} is not a loopback address",
            hint="use http://127.0.0.1:PORT, or deploy to an AWS account with the Pulumi CLI",
            next_command="pulumi up",
        )


class ProgramError(UsageError):
    """The Pulumi program itself failed: a wrong setting, or an exception of its own."""

    def __init__(self, cause: BaseException, done: str) -> None:
        super().__init__(
            f"the Pulumi program failed: {type(cause).__name__}: {cause}. {done}",
            hint="mend the program or its settings",
            next_command=AGAIN,
        )


class UnknownTypeError(UsageError):
    """A resource type, or a function, that has no local counterpart."""

    def __init__(self, kind: str, token: str) -> None:
        super().__init__(
            f"the local deployer does not know the {kind} {token}",
            hint="leave it out of local stacks, or add it to migration/local/deployer",
        )


class ProtectedError(UsageError):
    """A step would delete or replace protected resources; nothing was deleted."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"protected, so neither deleted nor replaced: {', '.join(names)}",
            hint="if it must go, set protect=False for it, deploy that, and then remove it",
            next_command=AGAIN,
        )


class StepFailedError(RemoteError):
    """One step failed. The state holds all that was done before it, so running again goes on from there."""

    def __init__(self, action: str, token: str, name: str, cause: str, done: str) -> None:
        said = cause.rstrip(".")
        super().__init__(
            f"could not {action} {token} {name!r}: {said}. {done}",
            hint="nothing was rolled back; mend the cause and run the same command again to go on from there",
            next_command=AGAIN,
        )


class UnreachableError(RemoteError):
    """Nothing answers at the endpoint."""

    def __init__(self, endpoint: str, done: str) -> None:
        super().__init__(
            f"the local AWS does not answer at {endpoint}. {done}",
            hint="start it, then run the same command again",
            next_command=AGAIN,
        )


class StateError(ConflictError):
    """The state file cannot be used: another process holds it, or it belongs to something else."""
