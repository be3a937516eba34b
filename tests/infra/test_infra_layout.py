"""The layout that keeps `import pulumi` the SDK, and the lists that must not fall behind the program."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws
import pytest

from cutover_infra.policies.running import TAGGABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.conftest import Deployed

ROOT = Path(__file__).resolve().parents[2]


def test_the_program_s_folder_never_shadows_the_sdk() -> None:
    assert not (ROOT / "pulumi/__init__.py").exists()
    assert not (ROOT / "tests/pulumi").exists()
    assert "site-packages" in str(pulumi.__file__)


def test_pulumi_is_pointed_at_the_folder() -> None:
    lines = (ROOT / "Pulumi.yaml").read_text().splitlines()
    assert {"name: cutover", "main: pulumi/"} <= set(lines)


@pytest.mark.slow
def test_the_package_is_found_as_the_cli_runs_it() -> None:
    """The CLI runs the folder with only itself on the path; the repository's root is not."""
    code = "import sys; sys.path[:0] = ['.']; import cutover_infra.legacy, cutover_infra.policies.crossguard"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "pulumi", env={}, check=True)


def test_the_program_imports_neither_the_systems_nor_of_the_toolkit_more_than_its_words() -> None:
    """What is deployed is packed, not run; but a setting is checked by the words of who reads it."""
    for path in (ROOT / "pulumi").rglob("*.py"):
        for line in path.read_text().splitlines():
            ours = line.startswith(("from legacy", "from pipeline", "from migration", "import legacy"))
            assert not ours or line.startswith("from migration.model."), f"{path}: {line}"


def takes_tags(token: str) -> bool:
    """Ask the SDK whether a type such as `aws:sqs/queue:Queue` takes tags."""
    module, kind = token.split(":")[1].split("/", maxsplit=1)[0], token.rsplit(":", 1)[-1]
    resource = getattr(getattr(aws, {"lambda": "lambda_"}.get(module, module)), kind)
    return "tags" in inspect.signature(resource._internal_init).parameters


def test_the_policies_know_every_type_that_takes_tags(deploy: Callable[..., Deployed]) -> None:
    used = {
        each.type
        for deployed in (
            deploy("prod", "expand", auth="api_key"),
            deploy("local", "expand", alarm_email="ops@example.com"),
        )
        for each in deployed.resources
        if each.type.startswith("aws:")
    }
    assert {token for token in used if takes_tags(token)} == TAGGABLE


def test_cost_can_be_told_apart_by_component(deploy: Callable[..., Deployed]) -> None:
    tags = [each.get("tags") for each in deploy("prod", "expand").resources if each.type in TAGGABLE]
    assert {each["component"] for each in tags} == {
        "api-account",
        "comparator",
        "comparator-observability",
        "control",
        "entry",
        "entry-front",
        "entry-observability",
        "legacy",
        "legacy-observability",
        "migration-observability",
        "mirror",
        "watchdog",
        "ingest",
        "facts",
        "capture",
        "aggregate",
        "bulk",
        "bulk-observability",
        "snapshot",
        "serve",
        "pipeline-front",
        "pipeline-observability",
    }
    assert {(each["project"], each["stack"]) for each in tags} == {("cutover", "prod")}
