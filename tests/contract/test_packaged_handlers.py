"""Each function from its own zip, with only what Lambda would give it, so that a missing module shows.

The local AWS runs handlers on this environment's interpreter and would hide it. Here the interpreter sees the
unpacked zip, the runtime's SDK, and the Powertools layer only where the program attaches it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migration.local.deployer.project import stack_config
from tests.doubles.recording import record

if TYPE_CHECKING:
    from tests.doubles.recording import RecordedResource

ROOT = Path(__file__).parents[2]
FUNCTION = "aws:lambda/function:Function"
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
LAYER = (
    "annotated_types",
    "aws_lambda_powertools",
    "jmespath",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
)
URL_EVENT = {"rawPath": "/nowhere", "requestContext": {"http": {"method": "GET"}}, "headers": {}}
PAGE_EVENT = {**URL_EVENT, "rawPath": "/"}
# Event and expected part of the answer, for handlers that can answer without any table.
OFFLINE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "legacy.ingest.handler": (URL_EVENT, {"statusCode": 404}),
    "legacy.serve.handler": (URL_EVENT, {"statusCode": 404}),
    "pipeline.handlers.ingest.handler": (URL_EVENT, {"statusCode": 404}),
    "pipeline.handlers.serve.handler": (PAGE_EVENT, {"statusCode": 200}),
    "pipeline.handlers.aggregate.handler": ({"Records": []}, {"batchItemFailures": []}),
    "migration.door.ingest.handler": (URL_EVENT, {"statusCode": 404}),
    "migration.door.serve.handler": (URL_EVENT, {"statusCode": 404}),
    "migration.functions.mirror.handler": ({"Records": []}, {"batchItemFailures": []}),
}
ALONE = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "PATH": os.defpath,
}
CALL = """
import importlib, json, sys
sys.path[:] = [*json.loads(sys.argv[1]), *sys.path]
module, _, name = sys.argv[2].rpartition(".")
handler = getattr(importlib.import_module(module), name)
event = json.loads(sys.argv[3])
print(json.dumps(None if event is None else handler(event, None)))
"""


@cache
def functions() -> dict[tuple[str, str], RecordedResource]:
    """Every function of the reference stack in any phase, by its handler and the zip that this is in."""
    found = {}
    for phase in ("legacy", "expand", "contract"):
        config = {**stack_config(ROOT, "cutover", "dev"), "cutover:phase": phase}
        for function in record(ROOT, "cutover", "dev", config).of_type(FUNCTION):
            found[function.inputs["handler"], Path(function.inputs["code"].path).stem] = function
    return found


def named(handler: str) -> tuple[str, str]:
    """The one zip that has the handler."""
    (key,) = [key for key in functions() if key[0] == handler]
    return key


def linked(folder: Path, modules: tuple[str, ...]) -> str:
    """A folder that holds nothing but these modules."""
    folder.mkdir()
    for module in modules:
        spec = importlib.util.find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        found = Path(spec.origin)
        source = found.parent if found.name == "__init__.py" else found
        (folder / source.name).symlink_to(source)
    return str(folder)


def call(key: tuple[str, str], event: dict[str, Any] | None, tmp_path: Path, **changes: str) -> Any:
    function = functions()[key]
    with zipfile.ZipFile(function.inputs["code"].path) as archive:
        archive.extractall(tmp_path / "task")
    paths = [str(tmp_path / "task"), linked(tmp_path / "runtime", RUNTIME)]
    if function.inputs.get("layers"):
        paths.append(linked(tmp_path / "layer", LAYER))
    environment = {name: str(value) for name, value in function.inputs["environment"]["variables"].items()}
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CALL, json.dumps(paths), key[0], json.dumps(event)],
        env={**environment, **ALONE, **changes},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_every_handler_is_in_its_zip_and_finds_what_it_imports(tmp_path: Path) -> None:
    assert set(OFFLINE) < {handler for handler, _ in functions()}
    for number, key in enumerate(sorted(functions())):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert call(key, None, folder) is None


@pytest.mark.slow
@pytest.mark.parametrize("handler", sorted(OFFLINE))
def test_a_packaged_handler_answers_without_any_table(handler: str, tmp_path: Path) -> None:
    event, expected = OFFLINE[handler]
    keys = [key for key in functions() if key[0] == handler]
    assert keys
    for key in keys:
        folder = tmp_path / key[1]
        folder.mkdir()
        answer = call(key, event, folder)
        assert {name: answer[name] for name in expected} == expected


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["off", "dualwrite", "rampdown"])
def test_the_packaged_door_finds_both_sides(stage: str, tmp_path: Path) -> None:
    """Without a control table to read, a door goes by what was baked in."""
    key = named("migration.door.ingest.handler")
    answer = call(key, URL_EVENT, tmp_path, BAKED_CONTROL=json.dumps({"stage": stage}))
    assert json.loads(answer["body"])["error"] == "not_found"


@pytest.mark.slow
def test_a_missing_dependency_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "LAYER", ("annotated_types",))
    with pytest.raises(AssertionError, match="No module named 'aws_lambda_powertools'"):
        call(named("pipeline.handlers.snapshot.handler"), None, tmp_path)
