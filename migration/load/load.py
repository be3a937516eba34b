"""The open-loop load: every activity is sent at the time fixed for it, however slow the answers are.

    due      |    |    |    |    |          fixed in advance
    sent     |    |      |  |     |         late only when all connections are busy
    answer     |----latency----|            counted from `due`, so that waiting is not left out

Latency is measured from the due time (no coordinated omission); without a due time, from the moment a
connection is free. It never decides what is sent, and never gives a send up before its tries are used.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migration.load.report import Tally
from migration.load.sending import NoReply
from migration.model.answers import Answer, SendOutcome, pause_s, read_answer, wants_retry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from migration.load.acknowledging import AcknowledgementLedger
    from migration.load.report import LoadReport
    from migration.load.sending import Sender
    from migration.model.clock import Clock
    from migration.model.side import Side

MOST_TRIES: Final = 5
STEP_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class DueBody:
    """A body, and when it is due, in seconds after the start; None for as soon as a connection is free."""

    body: bytes
    due_s: float | None = None


@dataclass(slots=True)
class Load:
    """One load of one side.

    Attributes:
        side: who is asked.
        sender: how.
        ledger: where every send and answer is taken down.
        clock: the time.
        concurrency: sends in flight at most.
        on_answer: called after each send that ended.
        ramp: begin with one send in flight, and let one more in with each worker's first answer; so functions
            start cold one after the other. Leave it off when sends have due times.
    """

    side: Side
    sender: Sender
    ledger: AcknowledgementLedger
    clock: Clock
    concurrency: int
    on_answer: Callable[[], None] = lambda: None
    ramp: bool = False
    _tally: Tally = field(default_factory=Tally)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _started: float = 0.0
    _ended: float = 0.0

    def workers(self, arrivals: Iterable[DueBody], run: _Run) -> list[Callable[[], None]]:
        """Give the functions that, run in threads, send everything in the order given."""
        self._started = self._ended = self.clock.elapsed()
        waiting = iter(arrivals)
        gate = threading.Semaphore(1 if self.ramp else self.concurrency)
        return [lambda: self._work(waiting, gate, run)] * self.concurrency

    def report(self) -> LoadReport:
        """Sum up."""
        return self._tally.report(self.side, self._ended - self._started)

    def _work(self, waiting: Iterator[DueBody], gate: threading.Semaphore, run: _Run) -> None:
        with gate:
            sending = self._send_next(waiting, run)
        while sending:
            sending = self._send_next(waiting, run)

    def _send_next(self, waiting: Iterator[DueBody], run: _Run) -> bool:
        """Send the next one when it is due; False when there is none, or the run was stopped."""
        arrival = self._next(waiting)
        if arrival is None:
            return False
        due = self.clock.elapsed() if arrival.due_s is None else self._started + arrival.due_s
        while (left := due - self.clock.elapsed()) > 0 and not run.stopped.is_set():
            self.clock.sleep(min(left, STEP_S))
        if run.stopped.is_set():
            return False
        self._send(arrival.body, due, run)
        return True

    def _next(self, waiting: Iterator[DueBody]) -> DueBody | None:
        with self._lock:
            return next(waiting, None)

    def _send(self, body: bytes, due: float, run: _Run) -> None:
        name = self.ledger.sending(self.side, body, self.clock.now())
        answer, tries = self._try(body, run)
        ended = self.clock.elapsed()
        latency_ms = (ended - due) * 1000
        self.ledger.answered(name, answer, tries, self.clock.now(), latency_ms)
        with self._lock:
            self._tally.add(answer, len(tries), latency_ms)
            self._ended = max(self._ended, ended)
        self.on_answer()

    def _try(self, body: bytes, run: _Run) -> tuple[Answer, list[str]]:
        """Send the same body until an answer decides or the tries are used, as a real client does."""
        tries: list[str] = []
        while True:
            reply = self.sender.send(body)
            if isinstance(reply, NoReply):
                tries.append(reply.reason)
                answer, retry_after_s = Answer(SendOutcome.UNKNOWN, error=reply.reason), None
            else:
                tries.append(str(reply.status))
                answer, retry_after_s = read_answer(reply.status, reply.body), reply.retry_after_s
                if not wants_retry(reply.status):
                    return answer, tries
            if len(tries) == MOST_TRIES or run.stopped.is_set():
                return answer, tries
            self.clock.sleep(pause_s(len(tries), retry_after_s))


class _Run:
    """The threads of one run; not waited for when it is broken off, since an open send is an unknown one."""

    def __init__(self) -> None:
        self.stopped = threading.Event()
        self._failure: BaseException | None = None

    def run(self, workers: Sequence[Callable[[], None]]) -> None:
        """Run workers in threads to their end; raise what the first one that failed raised."""
        threads = [threading.Thread(target=self._guarded, args=[work], daemon=True) for work in workers]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(STEP_S)  # in steps: an interrupt may reach another thread than this one
        finally:
            self.stopped.set()
        if self._failure is not None:
            raise self._failure

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised again by `run`
            self._failure = self._failure or error
            self.stopped.set()


def run_together(loads: Sequence[tuple[Load, Iterable[DueBody]]]) -> list[LoadReport]:
    """Run loads side by side; when one fails, or the person interrupts, no other send leaves."""
    run = _Run()
    run.run([worker for load, arrivals in loads for worker in load.workers(arrivals, run)])
    return [load.report() for load, _ in loads]
