"""The time: this machine's clock, set right by how AWS dates its answers.

    sent ────────── dated by AWS, cut off to the second ────────── received
                    what this machine says is not possible? moved by the least that it takes

An answer was dated after it was asked for and before it came, so each bounds how far this clock is off. One
for the process: what two commands write in one journal, and what a door dated, is held against one clock.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

TOLD_FROM_S: Final = 5.0  # less makes no difference to any age that is judged
_SENT: Final = "cutover_sent"


@dataclass(frozen=True, slots=True)
class AskedAt:
    """The moment at which something was asked, by both of this machine's clocks."""

    at: float
    elapsed: float

    def answered(self) -> tuple[float, float]:
        """Give the time now, and how long the answer took.

        A machine that slept meanwhile knows it by one clock, and one that was set by the other.
        """
        now = time.time()
        return now, max(now - self.at, time.monotonic() - self.elapsed)


@dataclass(slots=True)
class AwsTime:
    """How far this machine's clock is off, as far as answers tell.

    Attributes:
        ask: makes one cheap request, so that the first age is not judged before any answer; set by whoever
            has a client. A function has none: its clock is AWS's own.
        tell: hears once that this clock is off.
        shift_s: what to add to this machine's time.
    """

    ask: Callable[[], object] | None = None
    tell: Callable[[str], None] = lambda _: None
    shift_s: float = 0.0
    _told: bool = False

    def listen(self, events: Any) -> None:  # noqa: ANN401 - botocore's emitter has no type
        """Hear every answer that clients of this session get."""
        events.register("before-call", self._sends)
        events.register("after-call", self._hears)

    def now(self) -> float:
        """Give AWS's time, in epoch seconds."""
        if self.ask is not None:
            ask, self.ask = self.ask, None
            ask()
        return time.time() + self.shift_s

    def dated(self, date: str, to: AskedAt) -> None:
        """Take in the date of an answer that has come.

        Args:
            date: as HTTP has it, in whole seconds.
            to: what was asked.
        """
        received, took_s = to.answered()
        try:
            theirs = parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        at_least = theirs - received
        self.shift_s = min(max(self.shift_s, at_least), at_least + 1 + took_s)
        if abs(self.shift_s) >= TOLD_FROM_S and not self._told:
            self._told = True
            side = "behind" if self.shift_s > 0 else "ahead of"
            self.tell(
                f"this machine's clock is about {abs(self.shift_s):,.0f} s {side} AWS's; "
                "AWS's time is used. Let the machine set its clock by itself (NTP)."
            )

    @staticmethod
    def _sends(context: dict[str, Any], **_: object) -> None:
        context[_SENT] = asked()

    def _hears(self, http_response: Any, context: dict[str, Any], **_: object) -> None:  # noqa: ANN401
        date = http_response.headers.get("date")
        if date is not None and _SENT in context:
            self.dated(date, context[_SENT])


def asked() -> AskedAt:
    """Note that something is asked now."""
    return AskedAt(time.time(), time.monotonic())


AWS_TIME: Final = AwsTime()


class SystemClock:
    """Real time, as AWS has it."""

    def now(self) -> float:
        """Give the epoch time in seconds."""
        return AWS_TIME.now()

    def elapsed(self) -> float:
        """Give seconds since some moment in the past."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        time.sleep(seconds)
