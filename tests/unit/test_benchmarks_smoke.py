"""Each benchmark runs, and its counts are what they must be. Times are never asserted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import contention, writes
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.settings import Settings

pytestmark = pytest.mark.slow
TINY = Settings(activities=120, timed_activities=20, batch_sizes=(1, 10, 100), rounds=1)


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


def test_contention_refuses_legacys_clients_only_beside_transactions() -> None:
    [report] = contention.run(TINY)
    none, before, now = report.records()
    assert (none["refused"], now["refused"]) == (0, 0)
    assert int(before["refused"]) > 0
