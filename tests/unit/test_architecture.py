"""The rooms and the one-way doors between them, and the traps of this layout."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
import pytest
import typer

from migration.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ROOMS = ("legacy", "pipeline", "migration")

# What each room may import of the project; the innermost room that a file is in decides.
ALLOWED = {
    "legacy": ("legacy",),
    "pipeline": ("pipeline",),
    "pipeline.domain": ("pipeline.domain",),
    "migration.model": ("migration.model", "migration.core", "pipeline.domain"),
    "migration.core": ("migration.core", "migration.model", "pipeline.domain"),
    "migration.ports": ("migration.ports", "migration.core", "migration.model", "pipeline.domain"),
    "migration.plan": ("migration.plan", "migration.core", "migration.model", "pipeline.domain"),
    "migration.adapters": (
        "migration.adapters",
        "migration.aws",
        "migration.ports",
        "migration.core",
        "migration.model",
        "migration.plan",
        "pipeline.domain",
    ),
    "migration.engine": (
        "migration.engine",
        "migration.ports",
        "migration.core",
        "migration.model",
        "migration.plan",
        "pipeline.domain",
    ),
    "migration": ("migration", "pipeline.domain"),
}
PURE = ("pipeline.domain", "migration.core", "migration.model", "migration.ports")
IMPURE = (
    "boto3",
    "botocore",
    "urllib3",
    "requests",
    "subprocess",
    "logging",
    "rich",
    "typer",
    "aws_lambda_powertools",
)


def modules(*rooms: str) -> Iterator[tuple[str, Path]]:
    for room in rooms:
        for path in sorted((ROOT / room.replace(".", "/")).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def imports(path: Path) -> set[str]:
    """Name every module that a file imports, also inside functions and for types only."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def test_imports_go_one_way() -> None:
    trespassing = {}
    for module, path in modules(*ROOMS):
        room = max((room for room in ALLOWED if within(module, (room,))), key=len)
        ours = {name for name in imports(path) if within(name, ROOMS)}
        if strange := {name for name in ours if not within(name, ALLOWED[room])}:
            trespassing[module] = strange
    assert not trespassing


def test_core_and_domain_touch_nothing_outside() -> None:
    impure = {module: imports(path) for module, path in modules(*PURE)}
    assert not {
        module: found
        for module, names in impure.items()
        if (found := {n for n in names if within(n, IMPURE)})
    }


def test_the_import_rule_would_notice() -> None:
    assert within("migration.model.fold", ("migration.core",))
    assert not within("migration.corexyz", ("migration.core",))
    assert "migration.model.errors.UsageError" in imports(ROOT / "migration" / "cli" / "agreeing.py")


def test_every_boto3_client_of_the_toolkit_is_made_in_one_place() -> None:
    made = {
        module
        for module, path in modules("migration")
        if within("boto3", tuple(name.split(".")[0] for name in imports(path))) and ".local." not in module
    }
    assert made == {"migration.aws.transport.clients"}


def test_the_pulumi_folder_does_not_shadow_the_sdk() -> None:
    assert not (ROOT / "pulumi" / "__init__.py").exists()
    assert pulumi.__file__ is not None
    assert "site-packages" in pulumi.__file__


def commands(group: object = None, prefix: str = "cutover") -> Iterator[tuple[str, object]]:
    known = group or typer.main.get_command(app)
    for name, command in getattr(known, "commands", {}).items():
        if hasattr(command, "commands"):
            if getattr(command, "invoke_without_command", False):
                yield f"{prefix} {name}", command
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


@pytest.mark.parametrize(("name", "command"), [*commands()], ids=str)
def test_every_command_teaches_itself_and_is_documented(name: str, command: object) -> None:
    text = getattr(command, "help", None) or ""
    assert text, "no help"
    assert f"    {name}" in text, "no example"
    for option in getattr(command, "params", []):
        assert getattr(option, "help", None), f"{option.name} has no help"
    documents = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md"))
    assert name in documents, "not in docs/"


def test_no_test_stops_time_for_the_whole_process() -> None:
    patched = ".time" + ".sleep"
    found = [path for path in (ROOT / "tests").rglob("*.py") if patched + '"' in path.read_text()]
    assert found == [], "tests/waiting.py hurries a module, and nothing else"
