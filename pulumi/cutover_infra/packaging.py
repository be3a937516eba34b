"""The zips that functions run from: the same bytes on every machine, so only changed code is ever deployed.

Decides what goes in. It never runs or imports the code, nor needs it finished: what is there is packed.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pulumi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT: Final = Path(__file__).resolve().parents[2]
BUILD: Final = ROOT / ".cutover" / "build"
SUFFIXES: Final = frozenset({".py", ".html", ".css", ".js", ".svg"})
# Single files of the toolkit's core: the door is not deployed anew for a change in what it does not use.
ENTRY: Final = (
    "legacy",
    "pipeline",
    "migration/__init__.py",
    "migration/core/__init__.py",
    "migration/core/breaker.py",
    "migration/core/guarding/__init__.py",
    "migration/core/guarding/door_counts.py",
    "migration/core/guarding/door_item.py",
    "migration/core/guarding/share.py",
    "migration/core/routing.py",
    "migration/core/stages.py",
    "migration/door",
)
MIRROR: Final = (
    "pipeline/__init__.py",
    "pipeline/domain",
    "migration/__init__.py",
    "migration/adapters/__init__.py",
    "migration/adapters/aws.py",
    "migration/core/__init__.py",
    "migration/core/errors.py",
    "migration/core/legacy_shape.py",
    "migration/mirror/__init__.py",
    "migration/mirror/handler.py",
    "migration/mirror/legacy_tables.py",
    "migration/mirror/message.py",
)
# What a comparison takes of the toolkit, and both sides' serving. No DuckDB: its join is for everybody.
COMPARATOR: Final = (
    "legacy",
    "pipeline",
    "migration/__init__.py",
    *(
        f"migration/adapters/{name}.py"
        for name in (
            "__init__",
            "aws",
            "clock",
            "compared_sides",
            "comparison_table",
            "control_plane_table",
            "metered",
            "stored_boards",
        )
    ),
    "migration/comparator",
    "migration/core",
    "migration/engine/__init__.py",
    "migration/engine/board_diffs.py",
    "migration/engine/comparing.py",
)
WATCHDOG: Final = (
    "migration/__init__.py",
    "migration/adapters/__init__.py",
    "migration/adapters/aws.py",
    "migration/adapters/clock.py",
    "migration/adapters/control_plane_table.py",
    "migration/adapters/door_counts_table.py",
    "migration/adapters/dynamodb.py",
    "migration/adapters/hooks.py",
    "migration/adapters/live_queue.py",
    "migration/adapters/metered.py",
    "migration/adapters/notices.py",
    "migration/adapters/queue_depth.py",
    "migration/adapters/stack_vitals.py",
    "migration/core/__init__.py",
    "migration/core/check_facts.py",
    "migration/core/check_folds.py",
    "migration/core/check_pipeline.py",
    "migration/core/errors.py",
    "migration/core/explain.py",
    "migration/core/facts.py",
    "migration/core/fold_findings.py",
    "migration/core/guarding/__init__.py",
    "migration/core/guarding/cohorts.py",
    "migration/core/guarding/door_counts.py",
    "migration/core/guarding/door_item.py",
    "migration/core/guarding/folding.py",
    "migration/core/guarding/limits.py",
    "migration/core/guarding/mirrors.py",
    "migration/core/guarding/rates.py",
    "migration/core/guarding/sampling.py",
    "migration/core/guarding/sequential.py",
    "migration/core/guarding/settling.py",
    "migration/core/guarding/share.py",
    "migration/core/guarding/standing.py",
    "migration/core/guardrails.py",
    "migration/core/journal.py",
    "migration/core/ledger.py",
    "migration/core/moments.py",
    "migration/core/moves.py",
    "migration/core/notices.py",
    "migration/core/routing.py",
    "migration/core/stages.py",
    "migration/core/state.py",
    "migration/core/transitions.py",
    "migration/core/verdict.py",
    "migration/core/watching.py",
    "migration/engine/__init__.py",
    "migration/engine/mover.py",
    "migration/engine/vital_guardrails.py",
    "migration/engine/watchdog.py",
    "migration/guarding/__init__.py",
    "migration/guarding/vital.py",
    "migration/plan/__init__.py",
    "migration/plan/guardrails.py",
    "migration/plan/hooks.py",
    "migration/plan/outputs.py",
    "migration/plan/part.py",
    "migration/ports/__init__.py",
    "migration/ports/hooks.py",
    "migration/ports/live_lane.py",
    "migration/ports/vital_evidence.py",
    "migration/watchdog",
    "pipeline/__init__.py",
    "pipeline/domain/__init__.py",
    "pipeline/domain/activity.py",
)
_WORKER: Final[Mapping[str, str]] = {
    "pipeline": "__init__",
    "pipeline/domain": "__init__ activity fact",
    "migration": "__init__",
    "migration/adapters": "__init__ aws checkpoint_table clock fact_puts kept_connections legacy_pages "
    "live_queue metered queue_depth raw_dynamodb",
    "migration/core": "__init__ alias_weights backfill course errors estimate facts guardrails ledger "
    "mapping moments pacing routing stages",
    "migration/core/guarding": "__init__ limits",
    "migration/engine": "__init__ attention copying in_parallel pacing segment_worker",
    "migration/plan": "__init__ guardrails hooks part plan traffic",
    "migration/ports": "__init__ legacy_events live_lane",
    "migration/worker": "__init__ handler",
}
WORKER: Final = tuple(f"{folder}/{name}.py" for folder, names in _WORKER.items() for name in names.split())
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
