"""The load: when it sends, what it measures, what it retries, and what its ledger proves after a crash."""

from __future__ import annotations

import json
import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from migration.load.load import MOST_TRIES, DueBody, Load, run_together
from migration.load.sending import NoReply, Reply
from migration.model.fold import Identity
from migration.model.side import Side
from tests.doubles.clock import MemoryClock
from tests.doubles.sending import MemoryLedger, MemorySender

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migration.load.report import LoadReport


def body(number: int) -> bytes:
    return json.dumps(
        {
            "event_id": f"ev-{number}",
            "employee_id": "emp-1",
            "program_id": "prog-1",
            "activity_type": "task_completed",
            "points": 10,
            "occurred_at": "2026-03-01T09:30:00Z",
        }
    ).encode()


def accepted(sent: bytes) -> Reply:
    fields = json.loads(sent)
    ids = {"status": "accepted", "employee_id": fields["employee_id"], "event_id": fields["event_id"]}
    return Reply(202, json.dumps(ids).encode())


class Slow:
    """A side that takes its time by the clock of the test."""

    def __init__(self, clock: MemoryClock, seconds: float) -> None:
        self.clock = clock
        self.seconds = seconds
        self.sent_at: list[float] = []

    def __call__(self, sent: bytes) -> Reply:
        self.sent_at.append(self.clock.now())
        self.clock.sleep(self.seconds)
        return accepted(sent)


def load(
    answer: Callable[[bytes], Reply | NoReply],
    arrivals: list[DueBody],
    clock: MemoryClock | None = None,
    ledger: MemoryLedger | None = None,
) -> LoadReport:
    clock = clock or MemoryClock()
    one = Load(Side.PIPELINE, MemorySender(answer), ledger or MemoryLedger(), clock, concurrency=1)
    return run_together([(one, arrivals)])[0]


def test_activities_leave_when_they_are_due() -> None:
    clock = MemoryClock(at=100.0)
    side = Slow(clock, 0.1)
    report = load(side, [DueBody(body(number), number * 1.0) for number in range(3)], clock)
    assert side.sent_at == [100.0, 101.0, 102.0]
    assert report.latency is not None
    assert report.latency.max_ms == pytest.approx(100)


def test_waiting_for_a_connection_counts_as_latency() -> None:
    clock = MemoryClock(at=100.0)
    report = load(Slow(clock, 3.0), [DueBody(body(number), number * 1.0) for number in range(3)], clock)
    assert report.latency is not None
    assert report.latency.max_ms == pytest.approx(7_000)  # due at 2 s, sent at 6 s, answered at 9 s
    assert report.latency.p50_ms == pytest.approx(5_000)


def test_without_due_times_latency_is_the_time_to_the_answer() -> None:
    clock = MemoryClock()
    report = load(Slow(clock, 3.0), [DueBody(body(number)) for number in range(3)], clock)
    assert report.latency is not None
    assert report.latency.max_ms == pytest.approx(3_000)
    assert report.rate == pytest.approx(1 / 3)


def test_outcomes_are_counted_with_their_reasons() -> None:
    problems = [{"field": "points", "problem": "must be more"}, {"field": "bonus", "problem": "is unknown"}]
    answers = {
        b"ok": Reply(202, b'{"status":"accepted","employee_id":"e","event_id":"i"}'),
        b"bad": Reply(400, json.dumps({"error": "invalid_activity", "problems": problems}).encode()),
        b"large": Reply(413, b'{"error":"too_large"}'),
        b"other": Reply(409, b'{"error":"conflict"}'),
        b"page": Reply(404, b"<html>"),
        b"mute": Reply(202, b""),
    }
    report = load(lambda sent: answers[sent], [DueBody(sent) for sent in answers])
    assert (report.sent, report.acknowledged, report.rejected, report.conflicts, report.unknown) == (
        6,
        1,
        3,
        1,
        1,
    )
    assert report.rejected_because == {
        "points must be more": 1,
        "bonus is unknown": 1,
        "too_large": 1,
        "status 404": 1,
    }
    assert report.unknown_because == {"accepted, without saying what": 1}


def test_failures_are_sent_again_unchanged_until_an_answer_decides() -> None:
    clock = MemoryClock(at=0.0)
    tries: list[tuple[float, bytes]] = []
    replies: list[Reply | NoReply] = [
        NoReply("timeout"),
        Reply(503, b"", retry_after_s=2.0),
        Reply(429, b""),
        accepted(body(1)),
    ]

    def answer(sent: bytes) -> Reply | NoReply:
        tries.append((clock.now(), sent))
        return replies[len(tries) - 1]

    ledger = MemoryLedger()
    report = load(answer, [DueBody(body(1))], clock, ledger)
    assert [at for at, _ in tries] == pytest.approx([0.0, 0.2, 2.2, 3.0])
    assert {sent for _, sent in tries} == {body(1)}
    assert (report.acknowledged, report.retried) == (1, 1)
    assert json.loads(ledger.lines[-1])["tries"] == ["timeout", "503", "429", "202"]
    assert ledger.read().sides[Side.PIPELINE].acknowledged[Identity("emp-1", "ev-1")][0].tries == 4


def test_what_never_gets_an_answer_is_unknown_and_not_rejected() -> None:
    calls: list[bytes] = []

    def answer(sent: bytes) -> NoReply:
        calls.append(sent)
        return NoReply("connection refused")

    ledger = MemoryLedger()
    report = load(answer, [DueBody(body(1))], ledger=ledger)
    assert len(calls) == MOST_TRIES
    assert report.unknown_because == {"connection refused": 1}
    assert [one.event_id for one in ledger.read().sides[Side.PIPELINE].unknown] == ["ev-1"]


def test_a_send_is_in_the_ledger_before_it_leaves() -> None:
    ledger = MemoryLedger()

    def killed(_sent: bytes) -> Reply:
        raise MemoryError

    with pytest.raises(MemoryError):
        load(killed, [DueBody(body(1))], ledger=ledger)
    side = ledger.read().sides[Side.PIPELINE]
    assert (side.sent, side.unknown_sends, len(side.acknowledged)) == (1, 1, 0)


def test_no_more_sends_are_in_flight_than_connections() -> None:
    lock, barrier = threading.Lock(), threading.Barrier(4)
    flying, most = 0, 0

    def answer(sent: bytes) -> Reply:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        barrier.wait(timeout=10)  # only four together get past
        with lock:
            flying -= 1
        return accepted(sent)

    four = Load(Side.PIPELINE, MemorySender(answer), MemoryLedger(), MemoryClock(), concurrency=4)
    [report] = run_together([(four, [DueBody(body(number)) for number in range(40)])])
    assert (report.sent, most) == (40, 4)


def test_a_load_that_fails_stops_its_companion() -> None:
    clock, ledger = MemoryClock(), MemoryLedger()
    begun = threading.Event()

    def fails(_sent: bytes) -> Reply:
        begun.wait(10)
        raise OSError("disk full")

    def answers(sent: bytes) -> Reply | NoReply:
        begun.set()
        return accepted(sent)

    def endless() -> Iterator[DueBody]:
        while True:
            yield DueBody(body(1))

    failing = Load(Side.LEGACY, MemorySender(fails), ledger, clock, concurrency=1)
    endless_one = Load(Side.PIPELINE, MemorySender(answers), MemoryLedger(), clock, concurrency=1)
    with pytest.raises(OSError, match="disk full"):
        run_together([(failing, [DueBody(body(1))]), (endless_one, endless())])


def test_a_ramp_lets_nobody_in_before_the_first_answer_and_everybody_in_later() -> None:
    second, all_four = threading.Event(), threading.Barrier(4)
    workers: list[int] = []

    def answer(sent: bytes) -> Reply:
        worker = threading.get_ident()
        if worker in workers:
            all_four.wait(timeout=10)  # only four together get past
            return accepted(sent)
        workers.append(worker)
        if len(workers) > 1:
            second.set()
        else:
            assert not second.wait(timeout=0.2), "a second send left before the first was answered"
        return accepted(sent)

    four = Load(Side.PIPELINE, MemorySender(answer), MemoryLedger(), MemoryClock(), concurrency=4, ramp=True)
    [report] = run_together([(four, [DueBody(body(number)) for number in range(4 + 4 * 5)])])
    assert (report.sent, len(workers)) == (24, 4)


def test_an_interrupted_load_leaves_at_once_and_its_open_send_is_unknown() -> None:
    ledger, answered = MemoryLedger(), threading.Event()

    def never(_sent: bytes) -> NoReply:
        os.kill(os.getpid(), signal.SIGINT)
        answered.wait(60)
        return NoReply("timeout")

    one = Load(Side.PIPELINE, MemorySender(never), ledger, MemoryClock(), concurrency=1)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may start tests without it
    try:
        with pytest.raises(KeyboardInterrupt):
            run_together([(one, [DueBody(body(1))])])
    finally:
        signal.signal(signal.SIGINT, before)
        answered.set()
    assert ledger.read().sides[Side.PIPELINE].unknown_sends == 1
