"""Both sets as they are looked at: in which stages, what a look remembers, and how soon a fault is seen."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import wait
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from migration.compare.verify.verification import Difference, Keys, VerifyReport
from migration.door.counts import Role, Witness
from migration.guardrails.guardrail import GuardrailSet
from migration.guardrails.mirrors import RECONCILED
from migration.guardrails.plan import GuardrailsPlan
from migration.guardrails.proofs import ProofLook
from migration.guardrails.pulsing import PulsingGuardrails
from migration.guardrails.registry import PROOFS, VITAL
from migration.guardrails.vital import VitalLook
from migration.model.cause import Cause
from migration.model.errors import RemoteError
from migration.model.guardrails import Outcome, worst
from migration.model.journal import Entry, EntryKind
from migration.model.live_lane import LiveState
from migration.model.stages import Control, Stage
from migration.model.state import State
from tests.doubles.clock import MemoryClock
from tests.doubles.vitals import MemoryProber, MemoryVitals
from tests.guarding_world import EPOCH, NOW, answers, door

if TYPE_CHECKING:
    from migration.model.guardrails import GuardrailVerdict


class Watch:
    """A healthy stack in stage live, a look a second."""

    def __init__(self, stage: Stage = Stage.LIVE, **changes: Any) -> None:
        changes = {"lag_s": 5.0, **changes}
        self.clock = MemoryClock(NOW)
        self.stack = MemoryVitals(board_at=NOW - 30)
        self.plane = self.stack.plane
        self.folded(queued=0)
        self.state = State(Control(stage, epoch=EPOCH))
        chosen = GuardrailsPlan(**changes).chosen(VITAL)
        self.set = GuardrailSet(chosen, lambda state: VitalLook(self.stack, state, self.clock))

    def folded(self, queued: int) -> None:
        """A fact of this moment was folded, and so many messages wait."""
        self.stack.live = LiveState(queued, self.clock.now())

    def store(self, number: int) -> None:
        """A door stores a fact and tells it."""
        fact = Witness("emp-1", f"ev-{number}", self.clock.now())
        self.stack.facts[fact.identity] = fact.at
        self.stack.doors = [door(answers(9), answers(9), at=self.clock.now(), witness=fact)]

    def look(self) -> dict[str, GuardrailVerdict]:
        return {one.name: one for one in self.set.look(self.state)}

    def until(self, guard: str, outcome: Outcome, seconds: int, each: Any = lambda _second: None) -> int:
        """Look every second until a guardrail comes to this; gives the second."""
        for second in range(seconds):
            each(second)
            if self.look()[guard].outcome is outcome:
                return second
            self.clock.sleep(1)
        raise AssertionError(self.look()[guard])


@pytest.mark.parametrize("stage", list(Stage))
def test_a_stage_is_asked_what_means_something_in_it(stage: Stage) -> None:
    looked = Watch(stage).look()
    assert list(looked) == [one.name for one in VITAL if stage in one.stages]


def test_off_asks_nothing_and_what_is_off_in_the_plan_is_not_asked() -> None:
    assert Watch(Stage.OFF).look() == {}
    assert "latency" not in Watch(off=("latency",)).look()


def test_a_throttled_aggregator_is_seen_within_seconds() -> None:
    """Every transaction fails, 20 activities a second pour in: messages pile up, nothing newer is folded."""
    watch = Watch()

    def pour(second: int) -> None:
        watch.store(second)
        watch.stack.live = replace(watch.stack.live, queued=20 * (second + 1))

    assert watch.until("queue_age", Outcome.FAIL, 10, pour) <= 6
    assert watch.until("facts_unfolded", Outcome.FAIL, 10, pour) <= 6
    verdict = watch.look()["facts_unfolded"]
    assert "ev-0 of emp-1" in verdict.why


def test_an_aggregator_that_fails_some_facts_is_seen_though_the_newest_moves_on() -> None:
    watch = Watch()

    def pour(second: int) -> None:
        watch.store(second)
        watch.folded(queued=3)
        if second % 3:
            watch.stack.folded.add(f"emp-1\nev-{second}")

    assert watch.until("facts_unfolded", Outcome.FAIL, 12, pour) <= 10
    assert watch.look()["queue_age"].outcome is Outcome.PASS


def test_a_first_activity_after_a_quiet_hour_is_no_stall() -> None:
    watch = Watch()
    watch.clock.sleep(60)
    watch.stack.live = replace(watch.stack.live, queued=1)
    assert watch.look()["queue_age"].outcome is Outcome.PASS


def test_a_backlog_that_gets_shorter_is_no_stall() -> None:
    watch = Watch()
    for queued in range(100, 0, -5):
        watch.stack.live = replace(watch.stack.live, queued=queued)
        assert watch.look()["queue_age"].outcome is Outcome.PASS
        watch.clock.sleep(1)


def test_facts_that_are_folded_in_time_pass_and_are_counted() -> None:
    watch = Watch()
    for second in range(9):
        watch.store(second)
        watch.stack.folded.add(f"emp-1\nev-{second}")
        verdict = watch.look()["facts_unfolded"]
        watch.clock.sleep(1)
    assert verdict.outcome is Outcome.PASS
    assert verdict.why == "all 4 sampled facts older than 5 s are folded; 5 are younger"


def test_a_fact_that_is_folded_late_is_forgiven_once_it_is() -> None:
    watch = Watch()
    watch.store(1)
    watch.look()
    watch.clock.sleep(6)
    assert watch.look()["facts_unfolded"].outcome is Outcome.FAIL
    watch.stack.folded.add("emp-1\nev-1")
    assert watch.look()["facts_unfolded"].outcome is Outcome.PASS


def test_one_message_that_was_given_up_is_a_failure_and_the_plan_may_allow_some() -> None:
    watch = Watch()
    watch.stack.letters["not folded"] = 1
    verdict = watch.look()["dead_letters"]
    assert verdict.outcome is Outcome.FAIL
    assert verdict.why == ("1 messages were given up (not captured 0, not folded 1); the limit is 0")
    allowing = Watch(dead_letters=1)
    allowing.stack.letters["not folded"] = 1
    assert allowing.look()["dead_letters"].outcome is Outcome.PASS


def test_a_stopped_pipe_shows_by_the_pulses_that_do_not_come() -> None:
    watch = Watch()
    watch.clock.sleep(151)
    looked = watch.look()
    assert looked["pulse_age"].outcome is Outcome.FAIL
    assert looked["queue_age"].outcome is Outcome.PASS, "the queue is empty, and tells nothing"
    watch.stack.live = LiveState()
    assert watch.look()["pulse_age"].outcome is Outcome.INCONCLUSIVE


def test_a_dead_reverse_mirror_is_seen_by_a_queue_that_never_gets_shorter() -> None:
    watch = Watch()

    def pour(second: int) -> None:
        watch.stack.mirror_messages += 5

    assert 30 < watch.until("mirror_lag", Outcome.FAIL, 40, pour) <= 32
    watch.stack.mirror_messages = 1
    assert watch.look()["mirror_lag"].outcome is Outcome.PASS


def reconciled(before: float) -> Entry:
    return Entry(
        "2026-03-01T09:31:00.000Z#abcd",
        EntryKind.REPAIRED,
        "ana",
        EPOCH,
        "reconcile",
        "",
        {RECONCILED: before},
    )


def test_missed_mirrors_hold_the_next_step_until_they_are_reconciled_and_too_many_fail() -> None:
    watch = Watch(Stage.DUALWRITE)
    missed = {"MirrorMissed": 2, "MirrorSkipped": 1, "MirrorStored": 40}
    watch.stack.doors = [door(mirrored=missed, missed_at=NOW - 5)]
    verdict = watch.look()["mirror_misses"]
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.why.startswith("3 of 43 forward mirrors were missed and not reconciled ever")
    watch.plane.append(reconciled(NOW - 1))
    assert watch.look()["mirror_misses"].outcome is Outcome.PASS
    watch.stack.doors = [door(mirrored={"MirrorMissed": 101}, missed_at=NOW)]
    assert watch.look()["mirror_misses"].outcome is Outcome.FAIL


def test_mirrors_of_what_legacy_refused_hold_until_they_are_settled_and_never_fail() -> None:
    watch = Watch(Stage.DUALWRITE)
    counted = {"MirrorContradicted": 500, "MirrorStored": 40, "MirrorMissed": 99}
    watch.stack.doors = [door(mirrored=counted, missed_at=NOW - 50, contradicted_at=NOW - 5)]
    watch.plane.append(reconciled(NOW - 30))
    verdict = watch.look()["mirror_misses"]
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.why.startswith("0 of 639 forward mirrors were missed")
    assert "500 mirrored what legacy refused" in verdict.why
    assert "cutover repair --apply" in verdict.why
    watch.stack.doors = [door(mirrored=counted, missed_at=NOW - 50, contradicted_at=NOW - 40)]
    assert watch.look()["mirror_misses"].outcome is Outcome.PASS


def test_a_board_that_is_not_made_any_more() -> None:
    watch = Watch()
    watch.stack.board_at = NOW - 181
    assert watch.look()["snapshot_age"].outcome is Outcome.FAIL
    watch.stack.board_at = None
    assert watch.look()["snapshot_age"].outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("others", "outcome"),
    [
        ([], Outcome.PASS),
        ([{"epoch": EPOCH + 1}], Outcome.FAIL),  # for 59 s: the state was set back
        ([{"epoch": EPOCH + 1, "since": NOW - 2}], Outcome.INCONCLUSIVE),  # it was just moved on
        ([{"epoch": EPOCH - 1, "at": NOW - 9}], Outcome.PASS),  # idle since before the move
        ([{"epoch": EPOCH - 1, "at": NOW - 1}], Outcome.FAIL),  # still at it
        ([{"epoch": EPOCH - 1, "at": NOW - 300}], Outcome.PASS),  # long gone
    ],
)
def test_the_door_is_settled_when_every_instance_routes_by_the_new_epoch(
    others: list[dict[str, Any]], outcome: Outcome
) -> None:
    watch = Watch()
    watch.stack.doors = [
        door(since=NOW - 8, at=NOW - 1),
        *(door(instance=str(number), **one) for number, one in enumerate(others)),
    ]
    assert watch.look()["door_settled"].outcome is outcome


def test_a_door_that_nobody_has_used_since_the_move_is_not_settled() -> None:
    watch = Watch()
    watch.stack.doors = [door(epoch=EPOCH - 1)]
    assert watch.look()["door_settled"].outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("apart", [0.0, 600.0, -600.0])
def test_doors_that_go_on_by_the_old_epoch_are_late_by_their_own_clocks(apart: float) -> None:
    """None has moved, and the operator's clock is anything."""
    watch = Watch()
    outcomes = []
    for second in range(9):
        at = NOW + apart + second
        watch.stack.doors = [door(instance=f"i{n}", epoch=EPOCH - 1, since=NOW, at=at) for n in range(20)]
        outcomes.append(watch.look()["door_settled"].outcome)
        watch.clock.sleep(1)
    assert outcomes == [Outcome.INCONCLUSIVE] * 7 + [Outcome.FAIL] * 2, "never settled"


def test_a_request_that_was_on_its_way_when_the_state_was_written_is_not_late() -> None:
    watch = Watch()
    watch.stack.doors = [door(epoch=EPOCH - 1, at=NOW - 3_000)]
    watch.look()
    watch.stack.doors = [door(epoch=EPOCH - 1, at=NOW - 1)]
    assert [watch.look()["door_settled"].outcome for _ in range(9)] == [Outcome.INCONCLUSIVE] * 9


@pytest.mark.parametrize("apart", [0.0, 600.0, -600.0])
def test_an_operator_whose_clock_is_wrong_sees_late_doors_all_the_same(apart: float) -> None:
    watch = Watch()
    watch.clock.sleep(apart)
    watch.stack.doors = [door(since=NOW - 8), door(instance="b", epoch=EPOCH - 1, at=NOW - 1)]
    assert watch.look()["door_settled"].outcome is Outcome.FAIL


def test_nothing_seen_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()
    watch.stack.has_mirror = False
    monkeypatch.setattr(MemoryVitals, "dead", lambda _: {})
    looked = watch.look()
    for name in ("door_settled", "mirror_misses", "mirror_lag", "mirror_dead_letters", "dead_letters"):
        assert looked[name].outcome is Outcome.INCONCLUSIVE, name
    watch.stack.doors = [door(role=Role.SERVE)]
    assert watch.look()["mirror_misses"].outcome is Outcome.INCONCLUSIVE, "no door that mirrors"
    watch.stack.doors, watch.stack.has_mirror = [door()], True
    looked = watch.look()
    for name in ("door_settled", "mirror_misses", "mirror_lag", "mirror_dead_letters"):
        assert looked[name].outcome is Outcome.PASS, f"{name}: it is seen, and there is nothing"


def test_trouble_of_the_reverse_mirror_alone_does_not_roll_back() -> None:
    watch = Watch()
    watch.stack.letters["not mirrored back"] = 1
    looked = watch.look()
    assert (looked["mirror_dead_letters"].outcome, looked["dead_letters"].outcome) == (
        Outcome.FAIL,
        Outcome.PASS,
    )
    assert {name for name, one in looked.items() if not one.rolls_back} >= {
        "mirror_lag",
        "mirror_dead_letters",
    }


def test_a_source_that_fails_is_an_error_of_its_guardrails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch()

    def broken(_stack: MemoryVitals) -> float:
        raise RemoteError("AWS failed while reading", hint="try again")

    monkeypatch.setattr(MemoryVitals, "snapshot_at", broken)
    looked = watch.look()
    assert looked["snapshot_age"].outcome is Outcome.ERROR
    assert looked["snapshot_age"].why == "AWS failed while reading"
    assert [guard for guard, one in looked.items() if one.outcome is Outcome.ERROR] == ["snapshot_age"]


def test_errors_of_the_pipeline_are_seen_within_seconds_of_the_first() -> None:
    watch = Watch()
    served = 0

    def pour(second: int) -> None:
        nonlocal served
        served += 5  # a quarter of 20 a second
        watch.stack.doors = [door(answers(15 * (second + 1)), answers(served, served // 2))]

    assert watch.until("error_rate", Outcome.FAIL, 10, pour) <= 4


def test_every_role_is_watched() -> None:
    watch = Watch()
    watch.stack.doors = [door(answers(200), answers(200, 100), role=Role.SERVE)]
    assert worst(watch.look().values()) is Outcome.FAIL


def report(*kinds: Cause, **changes: Any) -> VerifyReport:
    found = [Difference(kind, "emp-1", "ev-1", "prog-1", "") for kind in kinds]
    fields: dict[str, Any] = {
        "as_of": NOW,
        "finished_at": NOW + 3,
        "sums": [],
        "keys": [Keys("employee", 9, 0)],
    }
    return VerifyReport(differences=found, **{**fields, **changes})


def never(*_: object) -> Any:
    raise AssertionError("nobody asked for a board")


def prove(stage: Stage, found: VerifyReport) -> dict[str, Outcome]:
    def boards() -> Any:
        raise RemoteError("no board", hint="")

    verification: Any = SimpleNamespace(run=lambda: found, store=None)
    chosen, clock = GuardrailsPlan().chosen(PROOFS), MemoryClock(NOW)
    proofs = GuardrailSet(
        chosen,
        lambda state: ProofLook(lambda: nullcontext(verification), boards, never, state, clock),
    )
    return {one.name: one.outcome for one in proofs.look(State(Control(stage, epoch=EPOCH)))}


@pytest.mark.parametrize(
    ("stage", "found", "equality", "unexplained"),
    [
        (Stage.LIVE, report(), Outcome.PASS, Outcome.PASS),
        (Stage.LIVE, report(Cause.IN_FLIGHT, Cause.LEGACY_DOUBLE_COUNT), Outcome.PASS, Outcome.PASS),
        (Stage.LIVE, report(Cause.LOST), Outcome.FAIL, Outcome.PASS),
        (Stage.LIVE, report(keys=[]), Outcome.INCONCLUSIVE, Outcome.PASS),
        (Stage.SHADOW, report(keys=[]), Outcome.PASS, Outcome.PASS),
        (Stage.LIVE, report(Cause.UNEXPLAINED), Outcome.PASS, Outcome.FAIL),
        (Stage.LIVE, report(skipped=2), Outcome.PASS, Outcome.FAIL),
        (Stage.LIVE, report(undecided=["emp-1"]), Outcome.INCONCLUSIVE, Outcome.PASS),
        (Stage.DUALWRITE, report(Cause.MIRROR_MISSED), Outcome.INCONCLUSIVE, Outcome.PASS),
        (Stage.SHADOW, report(Cause.MIRROR_MISSED), Outcome.FAIL, Outcome.PASS),
        (Stage.DUALWRITE, report(Cause.MIRROR_MISSED, Cause.DOUBLED), Outcome.FAIL, Outcome.PASS),
    ],
)
def test_a_verification_as_guardrails(
    stage: Stage, found: VerifyReport, equality: Outcome, unexplained: Outcome
) -> None:
    verdicts = prove(stage, found)
    assert (verdicts["fold_equality"], verdicts["unexplained"]) == (equality, unexplained)


def test_a_proof_that_could_not_be_made_is_an_error() -> None:
    assert prove(Stage.LIVE, report())["rank_agreement"] is Outcome.ERROR
    assert "rank_agreement" not in prove(Stage.DUALWRITE, report())
    assert prove(Stage.OFF, report()) == {}


def test_a_verification_serves_both_of_its_guardrails_also_when_it_could_not_be_made() -> None:
    made = []

    def verify() -> Any:
        made.append(1)
        raise RemoteError("AWS failed while reading", hint="try again")

    broken: Any = SimpleNamespace(run=verify, store=None)
    state = State(Control(Stage.DUALWRITE, epoch=EPOCH))
    look = ProofLook(lambda: nullcontext(broken), never, never, state, MemoryClock(NOW))
    verdicts = GuardrailSet(GuardrailsPlan().chosen(PROOFS), lambda _: look).look(look.state)
    assert [(one.outcome, one.why) for one in verdicts] == [(Outcome.ERROR, "AWS failed while reading")] * 2
    assert made == [1]


def test_the_watchdogs_set_needs_nothing_heavy() -> None:
    """It runs in a small function, which has boto3 and pydantic."""
    code = (
        "import sys, migration.wiring.vital, migration.guardrails.plan\n"
        "print([name for name in ('duckdb', 'typer', 'rich', 'msgspec', 'pulumi') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_pulses_are_sent_only_while_silence_is_all_that_is_seen() -> None:
    watch = Watch()
    prober, others = MemoryProber(), MemoryProber()
    pulsing = PulsingGuardrails(watch.set, [prober, others])

    def look() -> None:
        pulsing.look(watch.state)
        wait([*pulsing._under_way], timeout=5)

    look()
    assert (prober.pulses, others.pulses) == (1, 1)
    for second in range(12):
        watch.store(second)
        watch.stack.folded.add(f"emp-1\nev-{second}")
        watch.stack.doors = [
            replace(one, since=NOW, sides=door(answers(999), answers(999)).sides) for one in watch.stack.doors
        ]
        watch.clock.sleep(1)
        watch.look()
    before = prober.pulses
    look()
    assert prober.pulses == before, "clients tell enough"


def test_a_door_that_cannot_be_asked_breaks_no_look() -> None:
    class Deaf:
        def pulse(self) -> Any:
            raise RemoteError("AWS failed while invoking", hint="try again")

    watch = Watch()
    pulsing = PulsingGuardrails(watch.set, [Deaf()])
    assert pulsing.look(watch.state)
    wait([*pulsing._under_way], timeout=5)
    assert [one.exception() for one in pulsing._under_way] == [None]
