"""`cutover local fault` arms, lists and takes away what the fault layer does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from migration.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Callable

    from typer.testing import Result

    from migration.local.emulator import Emulator, Faults
    from tests.contract.emulator_aws import Clients

pytestmark = pytest.mark.slow


@pytest.fixture
def fault(emulator: Emulator, faults: Faults, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    assert faults.armed() == []
    monkeypatch.setenv("CUTOVER_HOME", str(emulator.home))
    return lambda *arguments: CliRunner().invoke(app, ["local", "fault", *arguments])


def test_a_fault_is_armed_listed_with_what_it_met_and_taken_away(
    fault: Callable[..., Result], aws: Clients
) -> None:
    assert fault().stdout == "No fault is armed.\n"
    table = aws.table()
    armed = fault("error", "--operation", "PutItem", "--contains", table, "--code", "ThrottlingException")
    assert armed.exit_code == 0, armed.output
    assert "--clear" in armed.stderr
    with pytest.raises(aws.dynamodb.exceptions.ClientError, match="ThrottlingException"):
        aws.put(table, "a")
    [listed] = json.loads(fault("--output", "json").stdout)["faults"]
    assert {name: listed[name] for name in ("met", "refused", "operation", "contains")} == {
        "met": 1,
        "refused": 1,
        "operation": "PutItem",
        "contains": table,
    }
    assert f"PutItem {table}" in fault().stdout
    assert fault("--clear").exit_code == 0
    aws.put(table, "a")


def test_contention_is_one_word_and_a_time(fault: Callable[..., Result], faults: Faults) -> None:
    assert fault("hold", "--ms", "20", "--share", "0.5").exit_code == 0
    [armed] = faults.armed()
    assert (armed.fault.kind, armed.fault.latency_ms, armed.fault.probability) == ("hold", 20, 0.5)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["hold"], "hold needs --ms"),
        (["vanish", "--service", "sqs"], "vanish is of service dynamodb only"),
        (["error", "--share", "2"], "--share: Input should be less than or equal to 1"),
    ],
)
def test_what_is_no_fault_is_refused_and_says_why(
    fault: Callable[..., Result], faults: Faults, arguments: list[str], why: str
) -> None:
    refused = fault(*arguments)
    assert refused.exit_code == 2
    assert why in refused.stderr
    assert faults.armed() == []
