"""The zips that functions run from: the same bytes on every machine, so only changed code is ever deployed.

Decides what goes in. It never runs or imports the code, nor needs it finished: what is there is packed.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import os
import tempfile
import zipfile
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pulumi

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
BUILD: Final = ROOT / ".cutover" / "build"
SUFFIXES: Final = frozenset({".py", ".html", ".css", ".js", ".svg"})
# A function's zip holds what its handlers import, so that it is not deployed anew for what it does not use.
OURS: Final = ("legacy", "migration", "pipeline")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_UNIX: Final = 3
_READABLE: Final = 0o100644


@dataclass(frozen=True)
class Package:
    """A zip on disk, and the hash that Lambda gives it."""

    path: Path
    code_sha256: str

    @property
    def archive(self) -> pulumi.FileArchive:
        """The zip as an input of a function."""
        return pulumi.FileArchive(str(self.path))


@cache
def imported_by(*modules: str, root: Path = ROOT) -> tuple[str, ...]:
    """List the files of ours that modules need to be loaded, their packages' among them.

    Follows every import at the top of a file, but not those for types only, nor those inside functions.

    Raises:
        ValueError: when a module is none of ours.
    """
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        file = _file_of(module, root)
        if file is None:
            raise ValueError(f"{module} is no module of {', '.join(OURS)}")
        if file in found:
            continue
        found.add(file)
        waiting += [module.rpartition(".")[0]] if "." in module else []
        waiting += [name for name in _imports(root / file) if _file_of(name, root)]
    return tuple(sorted(found))


def _file_of(module: str, root: Path) -> str | None:
    path = module.replace(".", "/")
    if path.split("/")[0] not in OURS:
        return None
    return next((f for f in (f"{path}.py", f"{path}/__init__.py") if (root / f).is_file()), None)


@cache
def _imports(file: Path) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.Import):
            names += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


ENTRY: Final = ("legacy", "pipeline", *imported_by("migration.door.ingest", "migration.door.serve"))
MIRROR: Final = imported_by("migration.functions.mirror")
# Both sides' serving run inside the comparator. No DuckDB: its join is for everybody.
COMPARATOR: Final = ("legacy", "pipeline", *imported_by("migration.functions.comparator"))
WATCHDOG: Final = imported_by("migration.functions.watchdog")
WORKER: Final = imported_by("migration.functions.worker")


def package(name: str, parts: Sequence[str], root: Path = ROOT, build: Path = BUILD) -> Package:
    """Zip folders and files into the build folder.

    Args:
        name: the zip's.
        parts: which folders and files, from the root; the zip keeps that, as handlers are named
            `pipeline.handlers.…`.
        root: where they are.
        build: where the zip goes; made if missing.
    """
    paths = [path for part in parts for path in sources(root / part)]
    content = zipped({path.relative_to(root).as_posix(): path.read_bytes() for path in paths})
    target = build / f"{name}.zip"
    if not target.exists() or target.read_bytes() != content:
        _write(target, content)
    return Package(target, base64.b64encode(hashlib.sha256(content).digest()).decode())


def sources(part: Path) -> list[Path]:
    """List what functions need of a folder, or the one file: code and page, no tests, nothing compiled."""
    if part.is_file():
        return [part]
    return sorted(path for path in part.rglob("*") if path.is_file() and _belongs(path.relative_to(part)))


def zipped(files: dict[str, bytes]) -> bytes:
    """Zip files by name: sorted, with one time and one mode, and stored, as deflate differs between zlibs."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_STORED
            entry.create_system = _UNIX
            entry.external_attr = _READABLE << 16
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def _belongs(path: Path) -> bool:
    hidden = any(part.startswith(".") or part in {"__pycache__", "tests"} for part in path.parts)
    test = path.name.startswith("test_") or path.name == "conftest.py"
    return path.suffix in SUFFIXES and not hidden and not test


def _write(target: Path, content: bytes) -> None:
    """Replace a file in one step, since another process may be reading or writing the same one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name)
    with os.fdopen(handle, "wb") as temporary:
        temporary.write(content)
    Path(name).replace(target)
