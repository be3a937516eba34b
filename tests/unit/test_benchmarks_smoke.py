"""Each benchmark runs, and its counts are what they must be. Times are never asserted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import snapshots, writes
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.dynamodb import MeteredDynamoDB
from benchmarks.population import fill_pipeline
from benchmarks.settings import Settings
from benchmarks.systems import messages, parse, running_pipeline
from benchmarks.workload import activities
from pipeline.domain.batch import chunks
from pipeline.domain.fold import Fold

if TYPE_CHECKING:
    from pipeline.domain.queued_fact import QueuedFact

pytestmark = pytest.mark.slow
TINY = Settings(
    activities=120, timed_activities=20, batch_sizes=(1, 10, 100), employees=(500, 1_200), rounds=1
)


def _queued(count: int) -> list[QueuedFact]:
    store = MeteredDynamoDB()
    with running_pipeline(store) as pipeline:
        pipeline.ingest(activities(count, TINY.seed))
    return [parse(message["body"]) for message in messages(store.tables["facts"].items.values())]


def test_writes_counts_calls_and_units_of_every_side() -> None:
    costs, purposes = writes.run(TINY)
    legacy, one_by_one, *batched = costs.records()
    assert (legacy["calls"], legacy["units"], legacy["units_of_index"]) == (3, 3, 0)
    # fact 1, dedup 2, two employee rows and a program row 2 each, newest folded fact 1
    assert (one_by_one["calls"], one_by_one["units_without_index"]) == (3, 10)
    units = [float(record["units"]) for record in (one_by_one, *batched)]
    assert units == sorted(units, reverse=True)
    assert len(set(units)) == 3
    for cost, purpose in zip(costs.records(), purposes.records(), strict=True):
        parts = [value for value in purpose.values() if not isinstance(value, str)]
        assert sum(parts) == pytest.approx(cost["units"])


def test_writes_prices_units() -> None:
    costs, _ = writes.run(Settings(activities=5, batch_sizes=(1,), write_price=2.0))
    assert costs.records()[0]["dollars_per_million"] == 6.0


def test_a_snapshot_reads_as_much_whatever_the_number_of_employees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.systems.BOARD_SIZE", 1)
    [report] = snapshots.run(TINY)
    few_legacy, few, many_legacy, many = report.records()
    assert few["items_read"] == many["items_read"]
    assert (few["calls"], few["read_units"]) == (many["calls"], many["read_units"])
    assert float(many_legacy["items_read"]) > 2 * float(few_legacy["items_read"])
    assert float(many_legacy["read_units"]) > 2 * float(few_legacy["read_units"])


def test_the_population_of_snapshots_is_what_folding_leaves() -> None:
    facts = _queued(90)
    folded, filled = MeteredDynamoDB(), MeteredDynamoDB()
    with running_pipeline(folded) as pipeline:
        for chunk in chunks(facts):
            pipeline.fold_tables().commit(chunk)
    folds: dict[str, dict[str, Fold]] = {}
    for fact in facts:
        programs = folds.setdefault(fact.employee_id, {})
        programs[fact.program_id] = programs.get(fact.program_id, Fold()) + fact.fold
    fill_pipeline(filled.tables, folds)
    del filled.tables["program_progress"].items["#freshness", "newest"]
    for table in ("employee_progress", "program_progress"):
        assert filled.tables[table].items == folded.tables[table].items


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.__main__.QUICK", TINY)


def test_results_come_as_json(small: None, capsys: pytest.CaptureFixture[str]) -> None:
    main(["writes", "--quick", "--output", "json", "--seed", "7"])
    document = json.loads(capsys.readouterr().out)
    assert document["schema_version"] == 1
    assert document["settings"]["seed"] == 7
    assert {"python", "cores", "boto3"} <= set(document["machine"])
    report, _ = document["reports"]
    assert report["name"] == "writes"
    assert report["rows"][0]["calls"] == 3


def test_results_come_as_a_table(small: None, capsys: pytest.CaptureFixture[str]) -> None:
    main(["writes", "--quick"])
    assert "one transaction per activity" in capsys.readouterr().out


def test_an_unknown_benchmark_is_refused() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["everything"])


def test_every_benchmark_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()
    assert [name for name in BENCHMARKS if f"`{name}`" not in text] == []
