"""Delivery of a pipe from a DynamoDB stream to a queue.

ministack 1.5.33 delivers to SNS and Step Functions only, and looks once a second. AWS sends batches of at
most 10 in the order of the stream and moves on only past what was taken, so delivery is at least once. What
the target refuses is sent again, after growing pauses, until the retries or the record's age are used up.
Filled by a thread that sleeps until a stream has a new record.

                position                                   end of the flight
    stream  --------|--[ filtered out | sent | refused | sent ]--|------------

The position moves when nothing of the flight is left to send.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ministack.services import dynamodb, pipes

from migration.local.emulator.gaps import pipe_api, pipe_stream, pipe_template, seam
from migration.local.emulator.gaps.pipe_dead_letters import bury
from migration.local.emulator.wire import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from migration.local.emulator.fault_rules import Rules
    from migration.local.emulator.faults import Fault
    from migration.local.emulator.gaps.pipe_stream import Flight, Pipe, Record

_log: Final = logging.getLogger(__name__)
_FLIGHT: Final = "_flight"
# A record waits at most this long for company, so that a stream of writes is sent in batches and not one by
# one.
_GATHER_S: Final = 0.02
_IDLE_S: Final = 1.0
_FIRST_PAUSE_S: Final = 0.05
_LONGEST_PAUSE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Courier:
    """Sends what streams hold. `rules` may refuse a delivery, or carry it out and call it failed."""

    rules: Rules
    news: threading.Event

    def run(self) -> None:
        """Deliver for as long as the server lives."""
        poll = seam.original(pipes, "_poll_once")
        while True:
            self.news.wait(_IDLE_S)
            time.sleep(_GATHER_S)
            self.news.clear()
            try:
                poll()
            except Exception:  # noqa: BLE001 - the loop outlives whatever ministack raises
                _log.exception("a pass over the pipes failed; the next one starts where it stood")

    def deliver(self, pipe: Pipe) -> None:
        """Send until the stream holds no more, or the target refuses."""
        while pipe["CurrentState"] == "RUNNING" and (flight := pipe.get(_FLIGHT) or pipe_stream.read(pipe)):
            pipe[_FLIGHT] = flight
            if not self._lands(pipe, flight):
                self.news.set()
                return
            pipe_stream.move_on(pipe, flight)
            del pipe[_FLIGHT]

    def _lands(self, pipe: Pipe, flight: Flight) -> bool:
        """Send what is left of a flight; tell whether the stream may move on."""
        if time.time() < flight.not_before:
            return False
        _bury_expired(pipe, flight)
        if flight.left:
            flight.left = self._send(pipe, flight.left)
        if not flight.left:
            return True
        flight.attempts += 1
        if 0 <= pipe_api.stream_parameters(pipe).get("MaximumRetryAttempts", -1) < flight.attempts:
            bury(pipe, flight.left, "RetryAttemptsExhausted")
            return True
        pause_s = min(_FIRST_PAUSE_S * 2 ** (flight.attempts - 1), _LONGEST_PAUSE_S)
        flight.not_before = time.time() + pause_s
        return False

    def _send(self, pipe: Pipe, records: list[Record]) -> list[Record]:
        """Send one batch; return the records that have to be sent again."""
        bodies = [pipe_template.render(pipe, record) for record in records]
        fault = self._fault(pipe, bodies)
        if fault and fault.kind in ("error", "drop"):
            return records
        refused = seam.send_to_arn(pipe["Target"], bodies)
        if fault and fault.kind == "after":
            return records
        return [record for number, record in enumerate(records) if number in refused]

    def _fault(self, pipe: Pipe, bodies: list[str]) -> Fault | None:
        if not self.rules.concerns("pipes"):
            return None
        delivery = {"Name": pipe["Name"], "Bodies": bodies}
        fault = self.rules.decide(Call("pipes", "Deliver", json.dumps(delivery).encode(), xml=False))
        if fault:
            time.sleep(fault.latency_ms / 1000)
        return fault


def fill(rules: Rules) -> None:
    """Fill the gap."""
    courier = _Courier(rules, threading.Event())
    seam.replace(pipes, "_poll_pipe", partial(_taking_over, courier))
    seam.replace(pipes, "_poll_loop", lambda _: courier.run)
    for owner, name in ((dynamodb, "_emit_stream_event"), (pipes, "_ensure_poller"), (pipes, "_set_state")):
        seam.replace(owner, name, partial(_waking, courier.news))


def _taking_over(
    courier: _Courier, poll: Callable[[Any, Pipe, str], None]
) -> Callable[[Any, Pipe, str], None]:
    def poll_pipe(streams: Any, pipe: Pipe, account_id: str) -> None:  # noqa: ANN401 - ministack is untyped
        if pipe_api.is_delivered_here(pipe):
            courier.deliver(pipe)
        else:
            poll(streams, pipe, account_id)

    return poll_pipe


def _waking(news: threading.Event, happen: Callable[..., Any]) -> Callable[..., Any]:
    """Wake the courier when there is something new: a record, a pipe, or a pipe that was started."""

    def happen_and_wake(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - ministack is untyped
        outcome = happen(*args, **options)
        news.set()
        return outcome

    return happen_and_wake


def _bury_expired(pipe: Pipe, flight: Flight) -> None:
    """Give up what is older than the pipe allows, sent before or not."""
    age_s = pipe_api.stream_parameters(pipe).get("MaximumRecordAgeInSeconds", -1)
    if age_s < 0:
        return
    oldest = time.time() - age_s
    expired = [record for record in flight.left if record["dynamodb"]["ApproximateCreationDateTime"] < oldest]
    flight.left = [record for record in flight.left if record not in expired]
    bury(pipe, expired, "RecordAgeExceeded")
