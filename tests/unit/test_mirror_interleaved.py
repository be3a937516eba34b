"""Mirrors that add the same facts to legacy's tables at once, stop anywhere, and write late: each adds once.

Judged by a count of its own of which fact was added to which row, and by the totals.
"""

from __future__ import annotations

from collections import Counter, deque
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.conditions import Attr
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from migration.aws.tables.legacy_folds import LegacyFolds
from migration.aws.tables.legacy_rows import LegacyRows, mark_of
from migration.aws.tables.mirrored_fact import mirrored
from migration.model.fold import Activity, Fold, Row
from migration.model.legacy.layout import LegacyPlan
from tests.memory_dynamodb import LegacyTable, MemoryDynamoDB, failed
from tests.steered import Process, process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from migration.aws.tables.mirrored_fact import MirroredFact

AT = "2026-03-01T09:30:00.000Z"
FACTS = [
    mirrored(Activity(employee, event, "p-1", "task_completed", points, AT), AT)
    for employee, event, points in (("e-1", "ev-1", 1), ("e-1", "ev-2", 10), ("e-2", "ev-3", 100))
]
ROWS = (Row(None, "p-1"), Row("e-1", "p-1"), Row("e-2", "p-1"))
DONE, UNANSWERED, LATE, TWICE, REFUSED = range(5)  # how a call ends
LAST = 14  # a mirror makes fewer calls for one fact


@dataclass
class Tables:
    """One account, and what its mirrors' writes did."""

    memory: MemoryDynamoDB = field(default_factory=MemoryDynamoDB)
    added: Counter[tuple[Row, str]] = field(default_factory=Counter)
    late: deque[Callable[[], object]] = field(default_factory=deque)
    taken: Counter[str] = field(default_factory=Counter)

    def mirror(self, facts: Iterable[MirroredFact], fates: Iterable[int] = ()) -> Process:
        return Process(partial(self._mirror, list(facts), deque(fates)))

    def _mirror(self, facts: list[MirroredFact], fates: deque[int], _: Process) -> None:
        rows = LegacyRows(
            Calls(self, fates),  # type: ignore[arg-type] # what the mirror calls of a client
            "events",
            "programs",
            "employees",
            LegacyPlan().written(),
        )
        LegacyFolds(rows, wait=lambda _: None, has_time=lambda: True).fold(facts)

    def client(self, fact: MirroredFact) -> Process:
        """Legacy's own code takes an activity: the event, the program, the employee."""
        return Process(partial(self._client, fact))

    def _client(self, fact: MirroredFact, here: Process) -> None:
        one, tables = fact.activity, LegacyTable("", self.memory.legacy)
        key = {"program_id": one.program_id}
        names = Activity.__dataclass_fields__
        here.spend()
        tables.put_item(
            {name: getattr(one, name) for name in names},
            Attr("event_id").not_exists() | Attr("points").eq(one.points),
        )
        self.taken[fact.identity] += 1
        for row in (key, {"employee_id": one.employee_id, **key}):
            here.spend()
            tables.update_item(row, "ADD points :points, events :one", {":points": one.points, ":one": 1})

    def apply(self, name: str, parameters: dict[str, Any]) -> Any:
        answer = getattr(self.memory, name)(**parameters)
        for mark in parameters.get("ExpressionAttributeValues", {}).get(":marks", {}).get("SS", ()):
            if "ADD" in parameters["UpdateExpression"]:
                key = {part: value["S"] for part, value in parameters["Key"].items()}
                self.added[Row(key.get("employee_id"), key["program_id"]), mark] += 1
        return answer

    def settle(self, facts: Iterable[MirroredFact]) -> None:
        """Let what is late arrive, deliver everything again, twice, and judge."""
        while self.late:
            self.late.popleft()()
        for _ in range(2):
            self.mirror(facts).finish()
        self.judge(facts)

    def judge(self, facts: Iterable[MirroredFact]) -> None:
        legacy = self.memory.legacy
        due: dict[Row, Fold] = dict.fromkeys(ROWS, Fold())
        for fact in facts:
            one, mark = fact.activity, mark_of(fact.identity)
            rows = Row(None, one.program_id), Row(one.employee_id, one.program_id)
            ours = [self.added[row, mark] for row in rows]
            assert ours == [1, 1] or (ours == [0, 0] and self.taken[fact.identity]), ours
            assert one.identity in legacy.events
            for row in rows:
                times = ours[0] + self.taken[fact.identity]
                due[row] += Fold(one.points * times, times)
        assert {row: legacy.totals[row] for row in ROWS} == due
        assert not legacy.adding
        assert not any(legacy.marks.values())


@dataclass
class Calls:
    """A mirror's client, each call of which ends as it is fated."""

    tables: Tables
    fates: deque[int]

    def __getattr__(self, name: str) -> Any:
        def call(**parameters: Any) -> Any:
            process().spend()
            fate = self.fates.popleft() if self.fates else DONE
            apply = partial(self.tables.apply, name, parameters)
            if fate == REFUSED:
                raise failed(name, "TransactionConflictException")
            if fate == LATE:
                self.tables.late.append(partial(_quietly, apply))
            elif fate == TWICE:
                _quietly(apply)
                process().spend()
                self.tables.late.append(partial(_quietly, apply))
                return apply()
            else:
                answer = apply()
                if fate == DONE:
                    return answer
            raise ReadTimeoutError(endpoint_url="memory")

        return call


def _quietly(call: Callable[[], object]) -> None:
    with suppress(ClientError):
        call()


@pytest.mark.parametrize("first", range(LAST))
def test_two_mirrors_with_the_same_fact_wherever_one_interrupts_the_other(first: int) -> None:
    for second, killed in product(range(LAST), (True, False)):
        tables = Tables()
        one, other = tables.mirror(FACTS[:1]), tables.mirror(FACTS[:1])
        one.step(first)
        other.step(second)
        if killed:
            one.kill()
        one.finish()
        other.finish()
        tables.settle(FACTS[:1])


@pytest.mark.parametrize("first", range(LAST))
def test_a_client_of_legacys_takes_the_same_fact_wherever_it_interrupts(first: int) -> None:
    for calls, killed in product(range(1, 4), (True, False)):
        tables = Tables()
        mirror, client = tables.mirror(FACTS[:1]), tables.client(FACTS[0])
        mirror.step(first)
        client.step(calls)
        if killed:
            mirror.kill()
        mirror.finish()
        client.finish()
        tables.settle(FACTS[:1])


def test_what_legacy_took_itself_is_left_to_it() -> None:
    tables = Tables()
    tables.client(FACTS[0]).finish()
    tables.settle(FACTS[:1])
    assert not tables.added


@pytest.mark.parametrize("fate", [UNANSWERED, LATE, TWICE, REFUSED])
@pytest.mark.parametrize("arrives", ["before it is tried again", "at the end"])
def test_any_one_call_that_goes_wrong(fate: int, arrives: str) -> None:
    for place in range(2 * LAST):
        tables = Tables()
        mirror = tables.mirror(FACTS, [DONE] * place + [fate])
        mirror.step(place + 2)
        if tables.late and arrives == "before it is tried again":
            tables.late.popleft()()
        mirror.finish()
        tables.settle(FACTS)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), max_size=14),
    st.lists(
        st.lists(st.sampled_from([DONE, DONE, DONE, UNANSWERED, LATE, TWICE, REFUSED])),
        min_size=3,
        max_size=3,
    ),
    st.sets(st.integers(0, 2)),
    st.booleans(),
)
@settings(max_examples=80)
def test_any_interleaving(
    turns: list[tuple[int, int]], fates: list[list[int]], killed: set[int], client: bool
) -> None:
    tables = Tables()
    orders = (FACTS, FACTS[::-1], FACTS[1:])
    running = [tables.mirror(facts, each) for facts, each in zip(orders, fates, strict=True)]
    if client:
        running.append(tables.client(FACTS[1]))
    for who, steps in turns:
        if who < len(running):
            running[who].step(steps)
        elif tables.late:
            tables.late.popleft()()
    for number, one in enumerate(running):
        if number in killed:
            one.kill()
        one.finish()
    tables.settle(FACTS)
