"""The one tree of errors: what happened, how to mend it, which command to run next, and the exit code.

Expected outcomes (a rejected activity, a difference in the ledger) are values, never errors.
"""

from __future__ import annotations

from typing import ClassVar


class CutoverError(Exception):
    """Anything that stops a command; its text says what happened, and in which state that leaves things."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str, next_command: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.next_command = next_command


class UsageError(CutoverError):
    """The command cannot do what it was asked to, and nothing was changed."""

    exit_code = 2


class GuardrailError(CutoverError):
    """A measured condition does not hold."""

    exit_code = 10


class InconclusiveError(GuardrailError):
    """Whether it holds could not be told."""

    exit_code = 11


class ConflictError(CutoverError):
    """Somebody else holds, or has changed, what this command wanted to change."""

    exit_code = 12


class IntegrityError(CutoverError):
    """What was read contradicts itself, so no verdict can be built on it."""

    exit_code = 1


class StateLostError(IntegrityError):
    """The state is gone from the control table, or older than the journal's last move."""


class RemoteError(CutoverError):
    """AWS, or the local AWS, did not do what it was asked to."""

    exit_code = 4


class CredentialsError(RemoteError):
    """AWS does not accept, or cannot find, the credentials."""

    exit_code = 3
