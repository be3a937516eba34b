"""The one error that the stores raise for AWS's failures, and the one place that reads botocore's codes."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Iterator


class UnavailableError(Exception):
    """AWS did not do what was asked, or did not answer; nothing is known beyond the reason."""


def code_of(error: ClientError) -> str:
    """Return AWS's own code of an error."""
    return error.response.get("Error", {}).get("Code", "Unknown")


@contextmanager
def translated() -> Iterator[None]:
    """Raise botocore's errors as `UnavailableError`."""
    try:
        yield
    except ClientError as error:
        raise UnavailableError(code_of(error)) from error
    except BotoCoreError as error:
        raise UnavailableError(type(error).__name__) from error
