"""The parts of the Pulumi SDK that the deployer uses and nobody promised: an upgrade must be seen here."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc
from pulumi.runtime.proto import resource_pb2

from migration.local.deployer import sdk
from migration.local.deployer.archives import Archive, Asset
from migration.local.deployer.program import Program, run
from migration.local.deployer.registration import Registered, Registration
from migration.local.deployer.values import UNKNOWN, Secret
from migration.local.deployer.wire import decode, encode

ROOT = Path(__file__).parents[2]
REQUEST_FIELDS = {
    "type",
    "name",
    "parent",
    "custom",
    "object",
    "protect",
    "dependencies",
    "provider",
    "deleteBeforeReplace",
    "deleteBeforeReplaceDefined",
    "ignoreChanges",
    "replaceOnChanges",
    "retainOnDelete",
    "aliasURNs",
    "importId",
    "remote",
    "additionalSecretOutputs",
}


def test_pulumi_is_the_sdk_and_not_our_folder() -> None:
    assert "site-packages" in str(pulumi.__file__)
    assert not (ROOT / "pulumi" / "__init__.py").exists()


def test_only_one_file_looks_inside_the_sdk() -> None:
    outside = [
        file.name
        for file in (ROOT / "migration" / "local" / "deployer").rglob("*.py")
        if file.name != "sdk.py" and "pulumi.runtime" in file.read_text(encoding="utf-8")
    ]

    assert outside == []


def test_the_request_has_the_fields_that_are_read() -> None:
    fields = {field.name for field in resource_pb2.RegisterResourceRequest.DESCRIPTOR.fields}

    assert fields >= REQUEST_FIELDS


def test_a_program_runs_through_the_seam_with_all_kinds_of_values(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(
        "import pulumi\n"
        "class R(pulumi.CustomResource):\n"
        "    def __init__(self, name, props):\n"
        "        super().__init__('t:i:R', name, {**props, 'late': None})\n"
        "a = R('a', {'secret': pulumi.Output.secret('s'), 'whole': 2, 'part': 2.5, 'no': False,\n"
        "    'text': pulumi.StringAsset('x'), 'zip': pulumi.AssetArchive({'f': pulumi.StringAsset('y')})})\n"
        "R('b', {'late_of_a': a.late})\n"
        "pulumi.export('late', a.late)\n"
    )
    host = Remembering()

    run(Program(tmp_path, tmp_path, "p", "s", {}), host, dry_run=True)

    first, second = host.seen
    assert {**first.inputs, "text": None, "zip": None} == {
        "no": False,
        "part": 2.5,
        "secret": Secret("s"),
        "text": None,
        "whole": 2,
        "zip": None,
    }
    assert type(first.inputs["whole"]) is int
    assert first.inputs["text"] == Asset(text="x")
    assert first.inputs["zip"] == Archive(assets={"f": Asset(text="y")})
    assert second.inputs == {"late_of_a": UNKNOWN}
    assert host.exported == {"late": UNKNOWN}


def test_the_sdk_reads_what_is_written_for_it() -> None:
    struct = encode({"secret": Secret("s"), "list": [1, {"a": None}], "code": Archive(digest="d")})

    read = rpc.deserialize_properties(struct)

    assert rpc.is_rpc_secret(read["secret"])
    assert rpc.unwrap_rpc_secret(read["secret"]) == "s"
    assert read["list"] == [1, {}]
    assert "code" not in read


def test_what_is_written_can_be_read_again(tmp_path: Path) -> None:
    values = {"a": Secret({"b": [Secret("c"), 1, 2.5, True, None]}), "u": UNKNOWN}

    assert decode(encode(values), tmp_path) == values


def test_things_that_cannot_be_done_are_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text(
        "import pulumi\npulumi.CustomResource('t:i:R', 'a', {}, pulumi.ResourceOptions(import_='x'))\n"
    )

    with pytest.raises(ValueError, match="import_ is not possible locally"):
        run(Program(tmp_path, tmp_path, "p", "s", {}), Remembering(), dry_run=False)


def test_logs_of_a_program_go_to_python_logging(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "__main__.py").write_text("import pulumi\npulumi.log.warn('look out')\n")

    run(Program(tmp_path, tmp_path, "p", "s", {}), Remembering(), dry_run=False)

    assert "look out" in caplog.text


def test_the_entry_points_take_what_is_passed() -> None:
    settings = inspect.signature(sdk.Settings).parameters

    assert {"project", "stack", "monitor", "engine", "dry_run", "organization", "root_directory"} <= {
        *settings
    }
    assert inspect.iscoroutinefunction(sdk.run_in_stack)
    assert isinstance(sdk.engine(print), SimpleNamespace)


class Remembering:
    """A host that only remembers."""

    def __init__(self) -> None:
        self.seen: list[Registration] = []
        self.exported: Any = None

    def register(self, registration: Registration) -> Registered:
        self.seen.append(registration)
        return Registered()

    def read(self, _token: str, physical_id: str) -> Registered:
        return Registered(physical_id)

    def invoke(self, _token: str, _arguments: Any) -> dict[str, object]:
        return {}

    def export(self, outputs: Any) -> None:
        self.exported = outputs
