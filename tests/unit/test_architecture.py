"""The rooms and the one-way doors between them, and the traps of this layout."""

from __future__ import annotations

import ast
import functools
import inspect
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
MOST_FILES = 25  # of one folder

# What each room may import of the project beside itself; the toolkit's also `model` and `pipeline.domain`.
# A capability takes another's words and loops only where its arrow is here; none knows an adapter.
ALLOWED: dict[str, tuple[str, ...]] = {
    "legacy": (),
    "pipeline.domain": (),
    "pipeline": (),
    "migration.model": (),
    # What signs and sends in the door too, where every import is paid for by a client.
    "migration.aws.transport.clock": (),
    "migration.aws.transport.conflicts": (),
    "migration.aws.transport.deadline": (),
    "migration.aws.transport.kept_connections": ("migration.aws.transport.deadline",),
    "migration.aws.transport.signer": (),
    "migration.door": (
        "migration.aws.transport.clock",
        "migration.aws.transport.conflicts",
        "migration.aws.transport.deadline",
        "migration.aws.transport.kept_connections",
        "migration.aws.transport.signer",
        "pipeline.handlers.telemetry",
    ),
    "migration.load": (),
    "migration.compare": (),
    "migration.backfill": (),
    "migration.guardrails": ("migration.compare", "migration.door"),
    "migration.cutover": (),
    "migration.plan": ("migration.cutover", "migration.guardrails"),
    "migration.preflight": ("migration.cutover",),
    "migration.repair": ("migration.backfill", "migration.compare"),
    "migration.doctor": ("migration.cutover", "migration.preflight"),
    "migration.certificate": ("migration.backfill", "migration.compare", "migration.cutover"),
    "migration.report": ("migration.certificate", "migration.compare"),
    "migration.aws": (
        "migration.backfill",
        "migration.compare",
        "migration.cutover",
        "migration.doctor",
        "migration.door",
        "migration.guardrails",
        "migration.load",
        "migration.plan",
        "migration.preflight",
        "migration.repair",
    ),
    "migration.local": ("migration.aws",),
    "migration.wiring": ("migration",),
    "migration.functions": ("migration", "pipeline.stores"),
    "migration.cli": ("migration",),
    "migration": (),
}
ABOVE = ("migration.wiring", "migration.functions", "migration.cli")  # these put the others together
CAPABILITIES = (
    "migration.backfill",
    "migration.certificate",
    "migration.compare",
    "migration.cutover",
    "migration.doctor",
    "migration.guardrails",
    "migration.load",
    "migration.model",
    "migration.plan",
    "migration.preflight",
    "migration.repair",
    "pipeline.domain",
)
# The files of a capability that may act, through the ports that they are given. All others are pure.
ACTING = {
    f"migration.{name}"
    for name in (
        "backfill.attention",
        "backfill.backfill",
        "backfill.copying",
        "backfill.copying_elsewhere",
        "backfill.exported_fold",
        "backfill.in_parallel",
        "backfill.one_machine",
        "backfill.pacer",
        "backfill.segment_worker",
        "compare.boards.diffs",
        "compare.diff.diff",
        "compare.ledger.check",
        "compare.ledger.settle",
        "compare.reading",
        "compare.shadow.comparing",
        "compare.verify.confirm",
        "compare.verify.verify",
        "cutover.background",
        "cutover.following",
        "cutover.lease",
        "cutover.mover",
        "cutover.run",
        "cutover.watchdog",
        "doctor.reading",
        "doctor.repair_state",
        "guardrails.pulsing",
        "load.load",
        "plan.plan",
        "repair.reconcile",
        "repair.repair",
    )
}
OUTSIDE = (
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "logging",
    "requests",
    "rich",
    "subprocess",
    "typer",
    "urllib3",
)
ACTS = (*OUTSIDE, "concurrent", "duckdb", "os", "secrets", "socket", "tempfile", "threading", "time", "uuid")


def modules(*rooms: str) -> Iterator[tuple[str, Path]]:
    for room in rooms:
        for path in sorted((ROOT / room.replace(".", "/")).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def imports(path: Path, *, for_types: bool = True) -> set[str]:
    """Name every module that a file imports, also inside functions; `for_types`: and what only types need."""
    return needed(parsed(path), for_types=for_types)


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@functools.cache
def needed(tree: ast.AST, *, for_types: bool = True) -> set[str]:
    """Name what is imported anywhere below."""
    skipped = {
        inner
        for node in ast.walk(tree)
        if not for_types and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    found = set()
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def within(name: str, rooms: tuple[str, ...]) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def allowed(room: str) -> tuple[str, ...]:
    words = ("migration.model", "pipeline.domain") if room.startswith("migration.") else ()
    return (room, *ALLOWED[room], *words)


def test_imports_go_one_way() -> None:
    trespassing = {}
    for module, path in modules(*ROOMS):
        room = max((room for room in ALLOWED if within(module, (room,))), key=len)
        may = allowed(room) if room != "pipeline" else ("pipeline",)
        ours = {name for name in imports(path) if within(name, ROOMS)}
        if strange := {name for name in ours if not within(name, may)}:
            trespassing[module] = strange
    assert not trespassing


def test_the_rooms_that_put_others_together_are_nobodys_to_import() -> None:
    rooms = [room for room in ALLOWED if room.startswith("migration.") and room not in ABOVE]
    assert not {
        module: names
        for module, path in modules(*rooms)
        if (names := {name for name in imports(path) if within(name, ABOVE)})
    }
    for module, path in modules("migration.wiring", "migration.functions"):
        assert not {name for name in imports(path) if within(name, ("migration.cli",))}, module


def test_the_drawing_of_the_rooms_has_no_circle() -> None:
    arrows = {room: set(may) for room, may in ALLOWED.items() if room not in (*ABOVE, "migration")}
    while leaves := {room for room, may in arrows.items() if not may & arrows.keys()}:
        arrows = {room: may for room, may in arrows.items() if room not in leaves}
    assert not arrows


def test_only_listed_files_act() -> None:
    assert not ACTING - {module for module, _ in modules(*CAPABILITIES)}, "a listed file is not there"
    acting = {}
    for module, path in modules(*CAPABILITIES):
        forbidden = OUTSIDE if module in ACTING else (*ACTS, *ACTING)
        needs = {name for name in imports(path, for_types=False) if within(name, tuple(forbidden))}
        if needs:
            acting[module] = needs
    assert not acting


def folders() -> Iterator[Path]:
    for path in [ROOT / "migration", *sorted((ROOT / "migration").rglob("*"))]:
        if path.is_dir() and path.name != "__pycache__":
            yield path


def test_no_folder_of_the_toolkit_is_crowded() -> None:
    crowded = {folder: len([*folder.glob("*.*")]) for folder in folders()}
    assert not {folder: count for folder, count in crowded.items() if count > MOST_FILES}


def test_a_public_class_name_means_one_thing_in_the_toolkit() -> None:
    homes: dict[str, list[str]] = {}
    for module, path in modules("migration"):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)
    assert not {name: found for name, found in homes.items() if len(found) > 1}


def test_every_room_says_what_it_is() -> None:
    silent = [f for f in folders() if [*f.glob("*.py")] and not ast.get_docstring(parsed(f / "__init__.py"))]
    assert silent == []


def test_the_import_rule_would_notice() -> None:
    assert within("migration.model.fold", ("migration.model",))
    assert not within("migration.modelling", ("migration.model",))
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


@pytest.mark.parametrize(("name", "command"), [*commands()], ids=str)
def test_a_commands_room_is_its_capabilitys(name: str, command: object) -> None:
    """`migration.cli.ROOM.…`: a capability's, or one of the two that no capability has."""
    module = inspect.unwrap(command.callback).__module__  # type: ignore[attr-defined]
    _, _, room, *inside = module.split(".")
    assert f"migration.{room}" in (*CAPABILITIES, "migration.demo", "migration.local"), name
    assert inside, f"{name} lies beside what all commands share"


def test_no_test_stops_time_for_the_whole_process() -> None:
    patched = ".time" + ".sleep"
    found = [path for path in (ROOT / "tests").rglob("*.py") if patched + '"' in path.read_text()]
    assert found == [], "tests/waiting.py hurries a module, and nothing else"
