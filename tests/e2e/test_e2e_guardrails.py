"""The vital guardrails on a deployed stack: quiet while all is well, and soon alarmed by each kind of fault.

The stack is made once. Activities come in at the entry, 20 a second; a look a second, as a run makes them.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from migration.aws.stack.lambda_prober import LambdaProber
from migration.aws.tables.control_plane_table import ControlPlaneTable
from migration.aws.transport.clock import SystemClock
from migration.cli.local.bringing_up import bring_up, shut_down
from migration.compare.ledger.settle import settle
from migration.guardrails.prober import Accepted
from migration.guardrails.pulsing import PulsingGuardrails
from migration.guardrails.registry import PROOFS
from migration.local.emulator import Fault, Faults
from migration.model.errors import CutoverError
from migration.model.guardrails import Outcome
from migration.model.journal import Entry, EntryKind
from migration.model.legacy.layout import LegacyPlan
from migration.model.moments import moment_text
from migration.model.stages import Stage
from migration.plan.plan import Plan
from migration.wiring.proofs import proof_guardrails
from migration.wiring.vital import vital_guardrails
from migration.wiring.workspace import RunningStack, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migration.model.guardrails import Guardrails, GuardrailVerdict

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PER_S = 20
CLIENTS = 4
THROTTLED = Fault(service="dynamodb", operation="TransactWriteItems", code="ThrottlingException", status=400)


class Guarded:
    """A stack in stage live, half of the traffic with the pipeline."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        outputs = stack.outputs
        assert outputs.pipeline is not None
        assert outputs.migration is not None
        self.pipeline = outputs.pipeline
        self.between = outputs.migration
        self.plane = ControlPlaneTable(stack.clients.dynamodb, self.between.control_table, "activities")
        self.faults = Faults(stack.emulator.endpoint)
        self.numbers = count()

    def move(self, stage: Stage, weight: int = 0) -> None:
        """Write the state, as a run would."""
        now = time.time()
        entry = Entry(f"{moment_text(now)}#test", EntryKind.DONE, "test", 0, "", "")
        state = replace(self.plane.state().moved(stage, weight, weight), since=moment_text(now))
        assert self.plane.move(state, entry, None)

    def guardrails(self) -> Guardrails:
        plan = Plan()
        return vital_guardrails(
            self.stack.clients,
            self.pipeline,
            self.between,
            migration=plan.migration,
            limits=plan.guardrails,
            clock=SystemClock(),
        )

    @contextmanager
    def traffic(self) -> Iterator[None]:
        """Send activities, and read boards, until the block ends."""
        ended = threading.Event()

        def send() -> None:
            while not ended.wait(CLIENTS / PER_S):
                number = next(self.numbers)
                self._post(number)
                if number % 4 == 0:
                    self._read()

        clients = [threading.Thread(target=send, daemon=True) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            yield
        finally:
            ended.set()
            for client in clients:
                client.join()

    def _post(self, number: int) -> None:
        body = {
            "event_id": f"ev-{time.monotonic_ns()}",
            "employee_id": f"emp-{number % 97}",
            "program_id": f"prog-{number % 5}",
            "activity_type": "task_completed",
            "points": 5,
            "occurred_at": (datetime.now(UTC) - timedelta(seconds=1)).isoformat(),
        }
        self._ask(f"{self.stack.outputs.entry.ingest_url}activities", json.dumps(body).encode())

    def _read(self) -> None:
        self._ask(f"{self.stack.outputs.entry.serve_url}leaderboard")

    @staticmethod
    def _ask(url: str, body: bytes | None = None) -> None:
        try:
            with urlopen(url, body, timeout=10) as answer:  # noqa: S310 - the stack's own address
                answer.read()
        except OSError:
            return  # what clients see is what the guardrails are about


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    workspace = Workspace(ROOT, tmp_path_factory.mktemp("guarded"))
    running, _ = bring_up(workspace, "expand", port=0)
    yield Guarded(running)
    shut_down(workspace)


def looked(guarded: Guarded, guardrails: Guardrails) -> dict[str, GuardrailVerdict]:
    return {one.name: one for one in guardrails.look(guarded.plane.state())}


def seconds_until(
    guarded: Guarded,
    guardrails: Guardrails,
    reached: Callable[[dict[str, GuardrailVerdict]], bool],
    patience_s: float,
) -> float:
    """Look every half a second until the verdicts are such."""
    began = time.monotonic()
    while True:
        verdicts = looked(guarded, guardrails)
        passed = time.monotonic() - began
        if reached(verdicts):
            return passed
        assert passed < patience_s, "\n".join(map(str, verdicts.values()))
        time.sleep(0.5)


def fails(guard: str) -> Callable[[dict[str, GuardrailVerdict]], bool]:
    return lambda verdicts: verdicts[guard].outcome is Outcome.FAIL


def all_pass(verdicts: dict[str, GuardrailVerdict]) -> bool:
    assert not [one for one in verdicts.values() if one.outcome in (Outcome.FAIL, Outcome.ERROR)], verdicts
    return all(one.outcome is Outcome.PASS for one in verdicts.values())


def test_a_quiet_migration_is_told_by_pulses_alone(guarded: Guarded) -> None:
    guarded.stack.clients.functions.invoke(FunctionName=guarded.pipeline.snapshot_function)
    guarded.move(Stage.LIVE, 5_000)
    entry = guarded.stack.outputs.entry
    probers = [
        LambdaProber(guarded.stack.clients.functions, name)
        for name in (entry.ingest_function, entry.serve_function)
    ]
    assert [prober.pulse() for prober in probers] == [Accepted(), Accepted()]
    seconds_until(guarded, PulsingGuardrails(guarded.guardrails(), probers), all_pass, 60)
    legacy = guarded.stack.legacy_tables(LegacyPlan())
    assert legacy is not None
    assert list(legacy.activities()) == [], "legacy never hears of a pulse"


def test_under_load_everything_passes_and_goes_on_passing(guarded: Guarded) -> None:
    guarded.move(Stage.LIVE, 5_000)
    guardrails = guarded.guardrails()
    with guarded.traffic():
        seconds_until(guarded, guardrails, all_pass, 60)
        for _ in range(10):
            all_pass(looked(guarded, guardrails))
            time.sleep(0.5)


def test_the_proofs_hold_once_everything_is_folded(guarded: Guarded, tmp_path: Path) -> None:
    stack = guarded.stack
    assert stack.pipeline_tables is not None
    assert stack.outputs.legacy is not None
    assert settle(stack.pipeline_tables, SystemClock(), timedelta(seconds=60)).settled
    for function in (stack.outputs.legacy.rebuild_function, guarded.pipeline.snapshot_function):
        stack.clients.functions.invoke(FunctionName=function)
    proofs = proof_guardrails(stack.clients, stack.outputs, Plan(), SystemClock(), tmp_path)
    verdicts = proofs.look(guarded.plane.state())
    assert [one.name for one in verdicts] == [one.name for one in PROOFS]
    assert {one.outcome for one in verdicts} == {Outcome.PASS}, verdicts


def test_an_aggregator_whose_every_transaction_is_throttled_is_seen_within_ten_seconds(
    guarded: Guarded,
) -> None:
    guardrails = guarded.guardrails()
    with guarded.traffic():
        seconds_until(guarded, guardrails, all_pass, 60)
        with guarded.faults.injected(THROTTLED):
            seconds_until(guarded, guardrails, fails("queue_age"), 10)
            seconds_until(guarded, guardrails, fails("facts_unfolded"), 10)


def test_a_pipeline_that_answers_errors_is_seen_within_seconds(guarded: Guarded) -> None:
    guarded.move(Stage.LIVE, 5_000)
    guardrails = guarded.guardrails()
    put = Fault(
        service="dynamodb",
        operation="PutItem",
        contains='"side": {"S": "pipeline"}',
        code="InternalServerError",
        status=500,
    )
    with guarded.traffic():
        seconds_until(guarded, guardrails, lambda found: not fails("error_rate")(found), 5)
        with guarded.faults.injected(put):
            seconds_until(guarded, guardrails, fails("error_rate"), 15)


def test_one_poisoned_message_is_seen_once_it_was_given_up(guarded: Guarded) -> None:
    guarded.stack.clients.sqs.send_message(QueueUrl=guarded.pipeline.dead_letter_queue_url, MessageBody="{}")
    verdict = looked(guarded, guarded.guardrails())["dead_letters"]
    assert verdict.outcome is Outcome.FAIL
    guarded.stack.clients.sqs.purge_queue(QueueUrl=guarded.pipeline.dead_letter_queue_url)


def test_a_look_is_cheap_enough_for_every_second(guarded: Guarded) -> None:
    guardrails = guarded.guardrails()
    looked(guarded, guardrails)
    began = time.perf_counter()
    for _ in range(5):
        looked(guarded, guardrails)
    assert (time.perf_counter() - began) / 5 < 0.5


def test_a_pulse_that_fails_is_told(guarded: Guarded) -> None:
    with pytest.raises(CutoverError, match="invoking no-such-function"):
        LambdaProber(guarded.stack.clients.functions, "no-such-function").pulse()
