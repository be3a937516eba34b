"""HTTP to a side's entry points: pooled connections that are kept alive, one try a call, nothing hidden.

A timeout is for all of a call, however slowly an answer drips in.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import urllib3

from migration.aws.transport.deadline import in_time
from migration.load.sending import NoReply, Reply
from migration.model.errors import RemoteError

if TYPE_CHECKING:
    from datetime import timedelta

_JSON: Final = {"Content-Type": "application/json"}


class HttpSender:
    """Posts bodies to `URL/activities` over at most `connections` connections."""

    def __init__(self, url: str, connections: int, timeout: timedelta) -> None:
        self._pool = urllib3.connection_from_url(
            url,
            maxsize=connections,
            block=True,
            retries=False,
            timeout=urllib3.Timeout(total=timeout.total_seconds()),
        )
        self._path = f"{urlsplit(url).path}activities"
        self._timeout_s = timeout.total_seconds()

    def send(self, body: bytes) -> Reply | NoReply:
        """Make one attempt, without retries."""
        post = partial(self._pool.request, "POST", self._path, body=body, headers=_JSON)
        try:
            response = in_time(post, self._timeout_s)
        except (urllib3.exceptions.HTTPError, TimeoutError) as error:
            return NoReply(_reason(error))
        return Reply(response.status, response.data, _seconds(response.headers.get("Retry-After")))


def get(url: str, timeout: timedelta) -> bytes:
    """Fetch a page.

    Raises:
        RemoteError: when there is no answer, or another one than 200.
    """
    hint = "see whether the stack is up"
    within_s = timeout.total_seconds()
    try:
        response = in_time(partial(urllib3.request, "GET", url, retries=False, timeout=within_s), within_s)
    except (urllib3.exceptions.HTTPError, TimeoutError) as error:
        raise RemoteError(f"GET {url}: {_reason(error)}", hint=hint) from error
    if response.status != 200:  # noqa: PLR2004 - OK
        text = response.data.decode(errors="replace")[:200]
        raise RemoteError(f"GET {url}: status {response.status}: {text}", hint=hint)
    return response.data


def _reason(error: Exception) -> str:
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return "connection refused"
    if isinstance(error, (urllib3.exceptions.TimeoutError, TimeoutError)):
        return "timeout"
    return "connection lost"


def _seconds(header: str | None) -> float | None:
    """Read Retry-After; its form as a date is not used by either side."""
    try:
        seconds = float(header or "")
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None
