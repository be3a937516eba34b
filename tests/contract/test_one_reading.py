"""One reading for everything that is proved: each table is scanned once, and SQL lines up as Python does."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from migration.aws.bulk.side_store import passing_store
from migration.aws.transport.raw_dynamodb import RawDynamoDB
from migration.compare.both_sides import Part
from migration.compare.diff.diff import Question, explain, read_boards
from migration.compare.diff.two_sides import GLOBAL
from migration.compare.reading import read
from migration.compare.shadow.one_employee import line_up
from migration.compare.store import Begun
from migration.compare.verify.verify import Verification
from migration.guardrails.guardrail import GuardrailSet
from migration.guardrails.plan import GuardrailsPlan
from migration.guardrails.proofs import ProofLook
from migration.guardrails.registry import PROOFS
from migration.model.facts import Lane
from migration.model.guardrails import Outcome
from migration.model.stages import Control, Stage
from migration.model.state import State
from tests.diff_world import World, ago
from tests.doubles.clock import MemoryClock
from tests.doubles.comparing import MemoryComparedSides
from tests.dynamodb_http import dynamodb_over_http
from tests.verify_world import System, activities, real_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from migration.compare.both_sides import BothSides

QUESTION = Question("test", GLOBAL, (10,), 0.9)


def proofs_of(sides: BothSides, clock: MemoryClock) -> GuardrailSet[ProofLook]:
    @contextmanager
    def verification() -> Iterator[Verification]:
        with passing_store() as store:
            yield Verification(sides, store, clock)

    boards = read_boards(GLOBAL, sides, clock)
    explained = partial(explain, QUESTION)
    chosen = GuardrailsPlan().chosen(PROOFS)
    return GuardrailSet(
        chosen, lambda state: ProofLook(verification, lambda: boards, explained, state, clock)
    )


def test_a_look_at_the_proofs_scans_each_table_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """But the programs' rows: those are few, and sampled at several moments on purpose."""
    scans: Counter[str] = Counter()
    call = RawDynamoDB.call

    def counted(raw: RawDynamoDB, operation: str, parameters: dict[str, Any]) -> bytes:
        whole = operation == "Scan" and parameters["Segment"] == 0 and "ExclusiveStartKey" not in parameters
        scans[parameters["TableName"]] += whole
        return call(raw, operation, parameters)

    monkeypatch.setattr(RawDynamoDB, "call", counted)
    clock = MemoryClock()
    with dynamodb_over_http() as dynamodb:
        world = real_world(dynamodb.client, dynamodb.raw(clock), clock, "once")
        for number, one in enumerate(activities()):
            System(world).accept(one, Lane.HISTORY if number % 3 else Lane.LIVE)
        verdicts = proofs_of(world.source(), clock).look(State(Control(Stage.LIVE)))
    assert [one.name for one in verdicts] == [one.name for one in PROOFS]
    assert [one.outcome for one in verdicts] == [Outcome.PASS, Outcome.PASS, Outcome.INCONCLUSIVE]
    assert scans == {
        "once-facts": 1,
        "once-legacy-events": 1,
        "once-employee-progress": 1,
        "once-legacy-employee-progress": 1,
        "once-legacy-program-progress": 1,
        "once-program-progress": 3,
    }


def test_the_store_lines_up_as_one_employee_is_lined_up() -> None:
    world = World()
    ada, grace = world.add("ada", "v", 30), world.add("grace", "w", 20, "q", fact=False)
    world.add("ada", "x", 7, "q", lane="history")
    world.add("linus", "y", 9, at=ago(seconds=3), legacy=False)
    world.count(ada)
    world.fold(ada, -1)
    world.count(grace, -1)
    sides, names = world.sides(), {"ada", "grace", "linus"}
    del sides.received_at[ada.identity]
    with passing_store() as store:
        store.begin(Begun(ago()))
        read(sides, store, Part, lambda *_: None)
        store.fold()
        found = list(store.line_up().these_employees(names))
    expected = [line_up(one) for one in MemoryComparedSides(sides).employees(names)]
    by_row = [(sorted(sums, key=lambda one: one.row.program_id), seen) for sums, seen in found]
    assert by_row == expected
