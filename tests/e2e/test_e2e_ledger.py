"""A deployed stack, loaded over HTTP and judged by its ledger: clean, and then spoilt in DynamoDB by hand.

Every act of spoiling is undone after the check has named it, so that all stories share one stack.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from migration.cli.main import app
from migration.model.fold import TOTAL, Activity, fold_of
from migration.wiring.workspace import RunningStack, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from typer.testing import Result

    from migration.plan.outputs import PipelineOutputs

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


@dataclass
class Cutover:
    """The command line on a stack of its own, and that stack's pipeline from behind."""

    home: Path

    def run(self, *arguments: str | Path) -> Result:
        environment = {"CUTOVER_HOME": str(self.home)}
        return CliRunner().invoke(app, [str(one) for one in arguments], env=environment)

    def ok(self, *arguments: str | Path) -> dict[str, Any]:
        """Run a command that must succeed and answers JSON."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        fields: dict[str, Any] = json.loads(result.stdout)
        return fields

    def load(self, file: Path) -> dict[str, Mapping[str, Any]]:
        fields = self.ok("local", "load", "--file", file, "--concurrency", "4", "--output", "json")
        return {report["side"]: report for report in fields["loads"]}

    def check(self) -> tuple[int, dict[str, Any]]:
        result = self.run("ledger", "check", "--wait", "60", "--output", "json")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code in (0, 1), result.output
        pipeline: dict[str, Any] = json.loads(result.stdout)["sides"]["pipeline"]
        return result.exit_code, pipeline

    def only_finding(self) -> dict[str, Any]:
        # Not waiting: a fact that was taken out or put in by hand never settles.
        result = self.run("ledger", "check", "--wait", "0", "--output", "json")
        assert result.exit_code == 1, result.output
        [finding] = json.loads(result.stdout)["sides"]["pipeline"]["findings"]
        return dict(finding)

    @property
    def stack(self) -> RunningStack:
        return Workspace(ROOT, self.home).stack()

    @property
    def pipeline(self) -> PipelineOutputs:
        outputs = self.stack.outputs.pipeline
        assert outputs is not None
        return outputs


@pytest.fixture(scope="module")
def cutover(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cutover]:
    """A stack with 150 generated lines sent to both sides."""
    folder = tmp_path_factory.mktemp("ledger")
    running = Cutover(folder / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        try:
            assert running.run("local", "up").exit_code == 0
            file = folder / "activities.jsonl"
            running.run("local", "generate", "--count", "150", "--seed", "7", "--out", file)
            assert {report["sent"] for report in running.load(file).values()} == {150}
            yield running
        finally:
            running.run("local", "down")


def test_what_was_acknowledged_is_stored_and_folded_once_on_the_pipeline(cutover: Cutover) -> None:
    code, pipeline = cutover.check()
    assert code == 0, pipeline["findings"]
    assert pipeline["acknowledged"] == pipeline["facts"] == pipeline["folded"]["events"] > 100
    assert pipeline["acknowledgements"] > pipeline["acknowledged"]
    assert pipeline["expected"] == pipeline["folded"]
    assert pipeline["rejected"] > 0


def test_status_counts_what_is_folded(cutover: Cutover) -> None:
    _, pipeline = cutover.check()
    status = cutover.ok("local", "status", "--output", "json")
    assert (status["state"], status["phase"]) == ("up", "expand")
    assert (status["facts"], status["folded"]) == (pipeline["facts"], pipeline["facts"])
    assert (status["queued"], status["given_up"]) == (0, 0)


def test_bringing_up_again_changes_nothing_and_keeps_the_data(cutover: Cutover) -> None:
    _, before = cutover.check()
    again = cutover.run("local", "up")
    assert again.exit_code == 0
    assert "unchanged" in again.stderr
    assert "created" not in again.stderr
    assert cutover.check() == (0, before)


@contextmanager
def changed_fact(cutover: Cutover, one: Activity, **changes: str) -> Iterator[None]:
    """Change attributes of a fact, or take it out when there are none; put it back afterwards."""
    client, table = cutover.stack.clients.dynamodb, cutover.pipeline.facts_table
    key: Any = {"employee_id": {"S": one.employee_id}, "event_id": {"S": one.event_id}}
    item: Any = client.get_item(TableName=table, Key=key)["Item"]
    if changes:
        values = {name: {"N" if name == "points" else "S": value} for name, value in changes.items()}
        client.put_item(TableName=table, Item={**item, **values})
    else:
        client.delete_item(TableName=table, Key=key)
    yield
    client.put_item(TableName=table, Item=item)


@contextmanager
def folded(cutover: Cutover, one: Activity, times: int) -> Iterator[None]:
    """Add an event to its folds so many times, or take it out of them; undo it afterwards."""
    _add(cutover, one, times)
    yield
    _add(cutover, one, -times)


def _add(cutover: Cutover, one: Activity, times: int) -> None:
    client, fold = cutover.stack.clients.dynamodb, fold_of(one) * times
    rows: list[tuple[str, Any]] = [
        (cutover.pipeline.employee_progress_table, {"employee_id": one.employee_id, "program_id": program})
        for program in (one.program_id, TOTAL)
    ]
    rows.append((cutover.pipeline.program_progress_table, {"program_id": one.program_id, "shard": "00"}))
    for table, key in rows:
        client.update_item(
            TableName=table,
            Key={name: {"S": value} for name, value in key.items()},
            UpdateExpression="ADD points :p, events :e, fingerprint :f",
            ExpressionAttributeValues={
                ":p": {"N": str(fold.points)},
                ":e": {"N": str(fold.events)},
                ":f": {"N": str(fold.fingerprint)},
            },
        )


@pytest.mark.parametrize(
    ("spoil", "kind", "place", "detail"),
    [
        (changed_fact, "lost", "facts", "folded all the same"),
        (
            lambda cutover, one: changed_fact(cutover, one, points="9999"),
            "altered",
            "facts",
            "stored as 9999",
        ),
        (
            lambda cutover, one: changed_fact(cutover, one, activity_type="nap"),
            "altered",
            "facts",
            "activity_type",
        ),
        (lambda cutover, one: folded(cutover, one, -1), "lost", "folds", "stored, but not folded"),
        (lambda cutover, one: folded(cutover, one, 1), "doubled", "folds", "folded twice"),
        (lambda cutover, one: folded(cutover, one, 4), "doubled", "folds", "folded 5 times"),
    ],
)
def test_what_is_spoilt_by_hand_is_named(
    cutover: Cutover, spoil: Callable[..., Any], kind: str, place: str, detail: str
) -> None:
    tables = cutover.stack.pipeline_tables
    assert tables is not None
    one = sorted((fact for fact in tables.activities() if not fact.reserved), key=str)[40]
    with spoil(cutover, one):
        finding = cutover.only_finding()
    assert (finding["kind"], finding["place"]) == (kind, place)
    assert (finding["employee_id"], finding["event_id"]) == one.identity
    assert detail in finding["detail"]
    assert cutover.check()[0] == 0


def test_a_fact_that_nobody_was_answered_for_is_named(cutover: Cutover, tmp_path: Path) -> None:
    stranger = {
        "event_id": "ev-stranger",
        "employee_id": "emp-stranger",
        "program_id": "prog-onboarding",
        "activity_type": "task_completed",
        "points": 5,
        "occurred_at": "2026-03-01T09:30:00Z",
    }
    file, elsewhere = tmp_path / "one.jsonl", tmp_path / "elsewhere.jsonl"
    file.write_text(json.dumps(stranger))
    sent = cutover.run("local", "load", "--file", file, "--to", "pipeline", "--ledger", elsewhere)
    assert sent.exit_code == 0, sent.output
    finding = cutover.run("ledger", "check", "--wait", "60", "--output", "json")
    [found] = json.loads(finding.stdout)["sides"]["pipeline"]["findings"]
    assert (found["kind"], found["employee_id"], found["event_id"]) == (
        "extra",
        "emp-stranger",
        "ev-stranger",
    )
    cutover.load(file)  # answered for now, on the ledger that is checked
    assert cutover.check()[0] == 0


UNNAMED = (
    b'{"employee_id":"emp-crlf","program_id":"p","activity_type":"task_completed",'
    b'"occurred_at":"2026-03-01T09:30:00Z","points":%d}'
)
MARKUP = (
    b'{"event_id":"[bold]","employee_id":"<b>&amp;","program_id":"1e5","activity_type":"task_completed",'
    b'"points":1,"occurred_at":"2026-03-01T09:30:00Z"}'
)
HOSTILE = {
    "empty": (b"", 0, 0),
    "only blank lines": (b"\n\r\n  \n\n", 0, 0),
    "all bad": (b'{}\n[]\nnull\n"text"\n{"points":1e999}\nnot json\n' + b"[" * 5_000, 7, 0),
    "not UTF-8": (b"\xff\xfe\x00\n\x80{}\n", 2, 0),
    "a huge line": (b'{"note":"' + b"x" * 2_000_000 + b'"}\n', 1, 0),
    "CRLF and no line break at the end": (UNNAMED % 1 + b"\r\n\r\n" + UNNAMED % 2, 2, 2),
    "ids that look like markup": (MARKUP, 1, 1),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_answered_line_by_line_and_the_ledger_stays_clean(
    name: str, cutover: Cutover, tmp_path: Path
) -> None:
    content, sent, acknowledged = HOSTILE[name]
    file = tmp_path / "hostile.jsonl"
    file.write_bytes(content)
    for side, report in cutover.load(file).items():
        assert (report["sent"], report["acknowledged"]) == (sent, acknowledged), (side, report)
        assert report["rejected"] == sent - acknowledged
    code, pipeline = cutover.check()
    assert code == 0, pipeline["findings"]
