"""The program deploys what docs/contracts.md promises: functions, environments, tables, names and outputs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migration.plan.outputs import StackOutputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from cutover_infra.policies.model import Declared
    from tests.infra.conftest import Deployed

CONTRACTS = (Path(__file__).resolve().parents[2] / "docs/contracts.md").read_text(encoding="utf-8")
COMMON = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}
LIGHT = {"ingest", "serve"}


def promised_functions() -> dict[str, tuple[str, set[str]]]:
    """Read each function's handler and variables from the contract's table."""
    rows = re.findall(r"^\| ([\w ]+) \| `([\w.]+\.handler)` \| (.*) \|$", CONTRACTS, re.MULTILINE)
    return {
        name.replace(" ", "-"): (handler, set(re.findall(r"`(\w+)`", variables)))
        for name, handler, variables in rows
    }


def promised_outputs(side: str) -> set[str]:
    block = re.search(rf"^{side} .*?\{{(.*?)\}}", CONTRACTS, re.MULTILINE | re.DOTALL)
    assert block
    return set(re.findall(r"\w+", block.group(1)))


def promised_keys() -> dict[str, list[str]]:
    """Read each table's key from the contract's table: what its second cell names outside parentheses."""
    section = CONTRACTS.split("## Tables")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| .* \|$", section, re.MULTILINE)
    return {name.replace("_", "-"): re.findall(r"`(\w+)`", re.sub(r"\(.*?\)", "", key)) for name, key in rows}


@pytest.fixture(scope="module")
def expanded(deploy: Callable[..., Deployed]) -> Deployed:
    return deploy("dev", "expand")


def functions(deployed: Deployed) -> dict[str, Declared]:
    prefix = f"cutover-{deployed.stack}-"
    return {str(each.get("name")).removeprefix(prefix): each for each in deployed.of_type("Function")}


def test_the_functions_are_the_contract_s(expanded: Deployed) -> None:
    promised = promised_functions()
    assert len(promised) == 11
    assert {name: each.get("handler") for name, each in functions(expanded).items()} == {
        name: handler for name, (handler, _) in promised.items()
    }


@pytest.mark.parametrize(("name", "variables"), [(k, v) for k, (_, v) in promised_functions().items()])
def test_each_function_gets_exactly_its_variables(name: str, variables: set[str], expanded: Deployed) -> None:
    environment = functions(expanded)[name].get("environment", "variables")
    assert set(environment) == variables | COMMON
    assert environment["POWERTOOLS_SERVICE_NAME"] == name
    assert environment["POWERTOOLS_METRICS_NAMESPACE"] == "Cutover"
    assert all(isinstance(value, str) and value for value in environment.values())


def test_variables_that_name_tables_name_the_right_ones(expanded: Deployed) -> None:
    for name, function in functions(expanded).items():
        for variable, value in function.get("environment", "variables").items():
            if variable.endswith("_TABLE"):
                thing = variable.removesuffix("_TABLE").lower().replace("_", "-")
                ours = name in PIPELINE or thing in {"facts", "snapshots", "control"}
                # Of the programs' rows, the worker reads the pipeline's, which tell how far the live lane is.
                ours |= (name, thing) == ("segment-worker", "program-progress")
                told = thing.startswith("legacy-") or (name == "comparator" and thing != "leaderboard")
                assert value == f"cutover-dev-{'' if ours or told else 'legacy-'}{thing}"


PIPELINE = {"ingest", "aggregate", "snapshot", "serve"}
ENTRY_BY_PHASE = re.findall(
    r"^\| `(\w+)` \| `([\w.]+\.handler)`.*? \| `([\w.]+\.handler)`.*? \|$", CONTRACTS, re.MULTILINE
)


def test_the_entry_runs_what_its_phase_says(deploy: Callable[..., Deployed]) -> None:
    assert [phase for phase, _, _ in ENTRY_BY_PHASE] == ["legacy", "expand", "contract"]
    for phase, ingest, serve in ENTRY_BY_PHASE:
        deployed = deploy("dev", phase)
        entry = {name: deployed.named("Function", f"entry-{name}") for name in ("ingest", "serve")}
        assert {name: each.get("handler") for name, each in entry.items()} == {
            "ingest": ingest,
            "serve": serve,
        }
        assert all(bool(each.get("layers")) is (phase != "contract") for each in entry.values())
        # A function's code and its configuration change one after the other; only the latter may.
        assert {each.get("code").path.name for each in entry.values()} == {"entry.zip"}


def test_the_door_names_the_handlers_of_the_sides(expanded: Deployed) -> None:
    for name in ("ingest", "serve"):
        variables = expanded.named("Function", f"entry-{name}").get("environment", "variables")
        assert variables["LEGACY_HANDLER"] == f"legacy.{name}.handler"
        assert variables["PIPELINE_HANDLER"] == f"pipeline.handlers.{name}.handler"
        assert (variables["MIGRATION"], variables["BAKED_CONTROL"]) == ("activities", '{"stage":"off"}')


@pytest.mark.parametrize("phase", ["legacy", "contract"])
def test_where_there_is_one_side_the_entry_gets_its_variables_alone(
    phase: str, deploy: Callable[..., Deployed]
) -> None:
    found = functions(deploy("dev", phase))
    promised = promised_functions()
    sides = {
        "legacy": (promised["mirror"][1] - {"LEGACY_SHAPE"}, {"LEADERBOARD_TABLE"}),
        "contract": (promised["ingest"][1], promised["serve"][1]),
    }
    for name, variables in zip(("ingest", "serve"), sides[phase], strict=True):
        assert set(found[f"entry-{name}"].get("environment", "variables")) == variables | COMMON


def test_the_powertools_layer_is_attached_where_it_is_imported(expanded: Deployed) -> None:
    layer = "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-arm64:27"
    for name, function in functions(expanded).items():
        assert function.get("layers") == (None if name in LIGHT else [layer])
        assert (function.get("runtime"), function.get("architectures")) == ("python3.13", ["arm64"])


def test_the_local_aws_gets_no_layer(deploy: Callable[..., Deployed]) -> None:
    assert not any(each.get("layers") for each in deploy("local", "expand").of_type("Function"))


def test_the_tables_are_the_contract_s(expanded: Deployed) -> None:
    made = {
        str(table.get("name")).removeprefix("cutover-dev-"): [
            key for key in (table.get("hashKey"), table.get("rangeKey")) if key
        ]
        for table in expanded.of_type("Table")
    }
    assert made == promised_keys()
    assert len(made) == 10


def test_tables_are_paid_by_request_and_declare_only_their_keys(expanded: Deployed) -> None:
    for table in expanded.of_type("Table"):
        indexes = table.get("globalSecondaryIndexes") or []
        keys = {key["attributeName"] for index in indexes for key in index["keySchemas"]}
        assert table.get("billingMode") == "PAY_PER_REQUEST"
        assert {each["name"] for each in table.get("attributes")} == keys | {
            key for key in (table.get("hashKey"), table.get("rangeKey")) if key
        }


def test_only_facts_are_followed_and_only_by_their_new_image(expanded: Deployed) -> None:
    streams = {t.name: t.get("streamViewType") for t in expanded.of_type("Table") if t.get("streamEnabled")}
    assert streams == {"facts": "NEW_IMAGE"}


def test_what_may_be_forgotten_expires(expanded: Deployed) -> None:
    tables = [table for table in expanded.of_type("Table") if table.get("ttl", "enabled")]
    expiring = {table.name: table.get("ttl", "attributeName") for table in tables}
    assert expiring == dict.fromkeys(("control", "dedup", "snapshots"), "expires_at")


def test_boards_are_read_from_an_index_in_the_order_of_their_scores(expanded: Deployed) -> None:
    table = expanded.named("Table", "employee-progress")
    (index,) = table.get("globalSecondaryIndexes")
    assert index["name"] == "by_score"
    assert index["keySchemas"] == [
        {"attributeName": "board", "keyType": "HASH"},
        {"attributeName": "score", "keyType": "RANGE"},
    ]
    assert (index["projectionType"], sorted(index["nonKeyAttributes"])) == ("INCLUDE", ["events", "points"])
    assert {"name": "score", "type": "N"} in table.get("attributes")


PARTS = {
    "legacy": {"entry", "legacy"},
    "expand": {"entry", "legacy", "pipeline", "migration", "bulk"},
    "contract": {"entry", "pipeline", "migration"},
}


def test_outputs_are_the_contract_s(deployed: Deployed) -> None:
    outputs = deployed.recording.outputs
    parts = {part for part in PARTS["expand"] if outputs.get(part) is not None}

    told = [outputs[key] for key in ("stack", "phase", "region")]
    assert told == [deployed.stack, deployed.phase, "eu-west-1"]
    assert parts == PARTS[deployed.phase]
    for part in parts:
        assert set(outputs[part]) == promised_outputs(part)
        left_out = {name for name, value in outputs[part].items() if not (isinstance(value, str) and value)}
        between = {name for name in outputs[part] if name.startswith(("mirror_", "watchdog_", "comparator_"))}
        gone = between if deployed.phase == "contract" else set()
        assert left_out == gone | ({"notice_topic"} & set(outputs[part]))
        assert all(value.endswith("/") for key, value in outputs[part].items() if key in URLS)


URLS = {"ingest_url", "serve_url"}


def test_the_toolkit_reads_them(deployed: Deployed) -> None:
    outputs = StackOutputs.model_validate(deployed.recording.outputs)
    assert outputs.entry.ingest_url == deployed.recording.outputs["entry"]["ingest_url"]
    assert (outputs.migration is None) is (deployed.phase == "legacy")
    if outputs.legacy:
        assert outputs.legacy.ingest_url == outputs.entry.ingest_url
        assert outputs.legacy.serve_function == outputs.entry.serve_function


def test_outputs_name_what_is_deployed(deployed: Deployed) -> None:
    named = {"function": "Function", "table": "Table", "pipe": "Pipe"}
    for part in PARTS[deployed.phase]:
        outputs: dict[str, Any] = deployed.recording.outputs[part]
        for key, value in outputs.items():
            kind = named.get(key.rsplit("_", 1)[-1])
            assert (
                kind is None
                or value is None
                or value in {each.get("name") for each in deployed.of_type(kind)}
            )


def test_physical_names_are_ours_and_legacy_s_say_so(deployed: Deployed) -> None:
    names = {
        resource.urn: str(resource.inputs.get("name") or resource.inputs.get("dashboardName"))
        for resource in deployed.recording.resources
        if resource.custom and resource.type != "aws:iam/rolePolicy:RolePolicy"
        if "name" in resource.inputs or "dashboardName" in resource.inputs
    }
    assert len(set(names.values())) > 20
    for urn, name in names.items():
        prefix = f"cutover-{deployed.stack}-"
        of_athena = prefix.replace("-", "_")  # whose names are words of SQL
        assert name.startswith((prefix, of_athena, f"/aws/lambda/{prefix}", f"/aws/apigateway/{prefix}"))
        assert ("-legacy" in name) == (":Legacy$" in urn)
