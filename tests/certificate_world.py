"""A whole cutover as its journal, its ledger and its comparisons tell it, from a seed."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from migration.certificate.certificate import Certificate, LedgerTotals, shadow_sums
from migration.certificate.clients import read_clients
from migration.certificate.cost import Counts, cost_lines
from migration.certificate.course import read_course
from migration.compare.shadow.report import ShadowReport
from migration.cutover.action import Action
from migration.cutover.moves import control_words
from migration.model.acknowledgements import answer_entry, send_entry
from migration.model.answers import Answer, SendOutcome
from migration.model.guardrails import GuardrailVerdict, verdict_detail
from migration.model.guardrails import Outcome as Came
from migration.model.journal import Entry, EntryKind, control_detail
from migration.model.side import Side
from migration.model.stages import Control, Stage
from pipeline.domain.activity import format_time
from tests.shadow_world import comparisons

BEGAN = datetime(2026, 3, 1, 19, 30, tzinfo=UTC)
PLAN = "3fa9c01d77be"
HOSTILE = "</script><script>window.hacked = true</script>"


class Journal:
    """Entries one after the other, each a little later."""

    def __init__(self) -> None:
        self.now = BEGAN
        self.control = Control()
        self.entries: list[Entry] = []

    def write(self, kind: EntryKind, step: str, text: str, **detail: Any) -> None:
        name = f"{format_time(self.now)}#{len(self.entries):04x}"
        self.entries.append(Entry(name, kind, "ana@desk:4711", self.control.epoch, step, text, detail))
        self.now += timedelta(milliseconds=140)

    def move(self, step: str, stage: Stage, weight: int = 0, cause: str = "", settled_s: float = 1.4) -> None:
        was = self.control
        self.control = Control(stage, weight, weight, was.epoch + 1)
        detail = {
            "was": control_detail(was),
            "to": control_detail(self.control),
            "rollback": bool(cause),
            "cause": cause,
            "plan": PLAN,
        }
        self.write(EntryKind.DONE, step, f"{control_words(was)} to {control_words(self.control)}", **detail)
        self.now += timedelta(seconds=settled_s)
        self.write(EntryKind.CONFIRMED, step, "every door routes by it", seconds=settled_s)

    def look(self, minutes: float, **outcomes: Came) -> None:
        """Let time pass, in which every guardrail is looked at."""
        self.now += timedelta(minutes=minutes)
        seen = self.now.timestamp()
        verdicts = [
            GuardrailVerdict(name, outcomes.get(name, Came.PASS), why, seen, dry=name == "latency")
            for name, why in {
                "error_rate": "0 of 1,204 failed; the bound at 0.1 % needs 5",
                "queue_age": "the oldest message is 1.2 s old, at most 60 s",
                "dead_letters": "0 messages, at most 0",
                "latency": "p99 84 ms beside legacy's 91 ms",
                "folds": "2,263 facts = 2,263 folded, fingerprints equal",
            }.items()
        ]
        self.write(EntryKind.OBSERVED, "guardrails", "looked", verdicts=verdict_detail(verdicts))


def journal(*, complete: bool = True, hostile: bool = False) -> list[Entry]:
    told = Journal()
    told.look(0)
    told.move("dualwrite", Stage.DUALWRITE)
    told.look(55)
    told.write(EntryKind.REPAIRED, "reconcile", "12 activities that the forward mirror missed were put again")
    told.move("shadow", Stage.SHADOW)
    for _ in range(8):
        told.look(60)
    told.move(Action.DRILL, Stage.LIVE, 100)
    told.look(2)
    told.move(
        Action.DRILL_BACK, Stage.SHADOW, cause="the rollback drill takes back what it gave", settled_s=1.3
    )
    for path in ("reads", "writes"):
        text = f"{path} were given to the pipeline and taken back; both sides are equal"
        told.write(EntryKind.DRILLED, Action.DRILL, text, path=path, ok=True, seconds=1.3)
    if complete:
        _go_live(told, HOSTILE if hostile else "error_rate: 9 of 1,180 failed; the bound at 0.1 % needs 5")
    return told.entries


def _go_live(told: Journal, cause: str) -> None:
    for percent in (1, 5, 25):
        told.move(f"live {percent} %", Stage.LIVE, percent * 100)
        told.look(6)
    told.look(1, error_rate=Came.FAIL)
    told.move("rollback", Stage.SHADOW, cause=cause, settled_s=1.7)
    told.look(14)
    for percent in (1, 5, 25, 50, 100):
        told.move(f"live {percent} %", Stage.LIVE, percent * 100)
        told.look(8)
    told.move("rampdown", Stage.RAMPDOWN)
    told.look(45)
    told.move("complete", Stage.COMPLETE)


def ledger_lines(seed: int = 3, count: int = 4_000, lost: int = 0) -> list[str]:
    """A load over the whole cutover; while it was rolled back, one send took three tries."""
    chance = random.Random(seed)
    lines, at = [], BEGAN.timestamp()
    for number in range(count):
        at += chance.expovariate(1 / 9)
        body = json.dumps({"employee_id": f"e-{number % 90}", "event_id": f"v-{number}"}).encode()
        took = chance.lognormvariate(-3.3, 0.4) + (1.1 if number == count // 2 else 0)
        roll = chance.random()
        outcome = (
            SendOutcome.REJECTED
            if roll < 0.03
            else SendOutcome.CONFLICT
            if roll < 0.035
            else SendOutcome.ACKNOWLEDGED
        )
        outcome = SendOutcome.UNKNOWN if number < lost else outcome
        answer = Answer(outcome, 202, error="")
        tries = ["503", "503", "202"] if number == count // 2 else ["202"]
        name = f"r-{number}"
        lines += [
            json.dumps(send_entry(name, Side.LEGACY, body, at)),
            json.dumps(answer_entry(name, answer, tries, at + took, 1000 * took)),
        ]
    return lines


def certificate(*, complete: bool = True, hostile: bool = False, proven: bool = True) -> Certificate:
    entries = journal(complete=complete, hostile=hostile)
    course = read_course(entries)
    compared = comparisons()
    checked = {
        "legacy": LedgerTotals(
            clean=False, acknowledged=3_861, stored=3_861, folded=4_005, findings={"doubled": 144}
        ),
        "pipeline": LedgerTotals(clean=True, acknowledged=3_861, stored=3_861, folded=3_861, findings={}),
    }
    counts = Counts(3_861, len(compared), 1210.5 * len(compared), 1.1 * len(compared), course.entries)
    return Certificate(
        migration=HOSTILE if hostile else "activities",
        stack="staging",
        stage=Stage.COMPLETE if complete else Stage.SHADOW,
        plan=PLAN,
        issued_at=format_time(datetime.fromisoformat(entries[-1].at) + timedelta(minutes=4)),
        course=course,
        clients=read_clients(ledger_lines()) if proven else None,
        ledger=checked if proven else {},
        shadow=shadow_sums(ShadowReport("staging", "activities", compared)),
        cost=cost_lines(counts),
    )
