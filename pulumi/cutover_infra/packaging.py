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
    "migration/adapters/__init__.py",
    "migration/aws/transport/kept_connections.py",
    "migration/aws/__init__.py",
    "migration/aws/transport/__init__.py",
    "migration/aws/transport/signer.py",
    "migration/core/__init__.py",
    "migration/door/breaker.py",
    "migration/core/guarding/__init__.py",
    "migration/door/counts.py",
    "migration/door/count_item.py",
    "migration/model/share.py",
    "migration/model/routing.py",
    "migration/model/stages.py",
    "migration/door",
)
MIRROR: Final = (
    "pipeline/__init__.py",
    "pipeline/domain",
    "migration/__init__.py",
    "migration/adapters/__init__.py",
    "migration/aws/transport/clients.py",
    "migration/core/__init__.py",
    "migration/model/errors.py",
    "migration/mirror/__init__.py",
    "migration/functions/mirror.py",
    "migration/aws/tables/legacy_folds.py",
    "migration/aws/tables/mirrored_fact.py",
    "migration/model/__init__.py",
    "migration/model/layout.py",
    "migration/model/part.py",
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
    "migration/compare/boards/diffs.py",
    "migration/compare/shadow/comparing.py",
    "migration/model/__init__.py",
    "migration/model/layout.py",
    "migration/model/part.py",
)
WATCHDOG: Final = (
    "migration/__init__.py",
    "migration/adapters/__init__.py",
    "migration/aws/transport/clients.py",
    "migration/aws/transport/clock.py",
    "migration/aws/tables/control_plane_table.py",
    "migration/aws/tables/door_counts_table.py",
    "migration/aws/tables/side_tables.py",
    "migration/aws/transport/hooks.py",
    "migration/aws/stack/live_queue.py",
    "migration/aws/transport/metered.py",
    "migration/aws/stack/notices.py",
    "migration/aws/stack/queue_depth.py",
    "migration/aws/stack/stack_vitals.py",
    "migration/core/__init__.py",
    "migration/compare/ledger/stored.py",
    "migration/compare/folds.py",
    "migration/compare/ledger/pipeline.py",
    "migration/model/errors.py",
    "migration/compare/explain.py",
    "migration/model/facts.py",
    "migration/compare/ledger/findings.py",
    "migration/core/guarding/__init__.py",
    "migration/guardrails/cohorts.py",
    "migration/door/counts.py",
    "migration/door/count_item.py",
    "migration/guardrails/folding.py",
    "migration/guardrails/limits.py",
    "migration/guardrails/mirrors.py",
    "migration/guardrails/rates.py",
    "migration/guardrails/sampling.py",
    "migration/guardrails/sequential.py",
    "migration/guardrails/settling.py",
    "migration/model/share.py",
    "migration/guardrails/standing.py",
    "migration/model/guardrails.py",
    "migration/model/journal.py",
    "migration/model/fold.py",
    "migration/model/moments.py",
    "migration/cutover/moves.py",
    "migration/cutover/notice.py",
    "migration/model/routing.py",
    "migration/model/stages.py",
    "migration/model/state.py",
    "migration/model/transitions.py",
    "migration/compare/ledger/verdict.py",
    "migration/cutover/watching.py",
    "migration/engine/__init__.py",
    "migration/cutover/mover.py",
    "migration/guardrails/vital_guardrails.py",
    "migration/cutover/watchdog.py",
    "migration/guarding/__init__.py",
    "migration/wiring/vital.py",
    "migration/model/__init__.py",
    "migration/model/part.py",
    "migration/plan/__init__.py",
    "migration/plan/guardrails.py",
    "migration/plan/hooks.py",
    "migration/plan/outputs.py",
    "migration/ports/__init__.py",
    "migration/cutover/hooks.py",
    "migration/model/live_lane.py",
    "migration/guardrails/evidence.py",
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
    "migration/aws": "__init__",
    "migration/aws/transport": "__init__ signer",
    "migration/core": "__init__ backfill errors estimate facts ledger mapping moments pacing routing stages",
    "migration/engine": "__init__ attention copying in_parallel pacing segment_worker",
    "migration/model": "__init__ layout part",
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
