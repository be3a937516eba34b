"""What a cold start imports: each handler in a fresh interpreter, and the client of its first request.

The interpreter's own start is not counted. Bytecode and the file cache are warm, so this is the least that
an import costs; on AWS it is slower, by how much depends on the function's memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from benchmarks.report import Report
from benchmarks.timing import interleave

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.report import Cell
    from benchmarks.settings import Settings
    from benchmarks.timing import Timing

_ROOT: Final = Path(__file__).parent.parent
_PIPELINE_CLIENT: Final = "from pipeline.stores.clients import dynamodb; dynamodb()"
_LEGACY_CLIENT: Final = "from legacy.tables import dynamodb; dynamodb()"
_POWERTOOLS: Final = "from aws_lambda_powertools import Logger, Metrics; Logger(); Metrics()"
_CHILD: Final = """
import sys, time
before, wall, cpu = len(sys.modules), time.perf_counter(), time.process_time()
{imports}
imported, wall, cpu = time.process_time(), time.perf_counter() - wall, time.process_time() - cpu
names = sorted(sys.modules)
{client}
connected = time.process_time()
import json
print(json.dumps([cpu * 1e3, wall * 1e3, (connected - imported) * 1e3, len(names) - before, names]))
"""


@dataclass(frozen=True, slots=True)
class Side:
    """What is imported, and how the first request makes its client; both are statements."""

    name: str
    imports: str
    client: str = "pass"


@dataclass(frozen=True, slots=True)
class ColdStart:
    """One fresh interpreter, in milliseconds; `names` are all modules there are after the imports."""

    cpu_ms: float
    wall_ms: float
    client_ms: float
    modules: int
    names: frozenset[str]


BOTO3: Final = Side("boto3 alone (the floor)", "import boto3", "boto3.client('dynamodb')")
INGEST: Final = Side("pipeline ingest", "import pipeline.handlers.ingest", _PIPELINE_CLIENT)
INGEST_WITH_POWERTOOLS: Final = Side(
    "pipeline ingest + Powertools Logger, Metrics",
    f"import pipeline.handlers.ingest; {_POWERTOOLS}",
    _PIPELINE_CLIENT,
)
LEGACY_INGEST: Final = Side("legacy ingest", "import legacy.ingest", _LEGACY_CLIENT)
SIDES: Final = (
    BOTO3,
    INGEST,
    INGEST_WITH_POWERTOOLS,
    LEGACY_INGEST,
    Side("pipeline serve", "import pipeline.handlers.serve", _PIPELINE_CLIENT),
    Side("legacy serve", "import legacy.serve", _LEGACY_CLIENT),
    Side("pipeline snapshot", "import pipeline.handlers.snapshot", _PIPELINE_CLIENT),
    Side("legacy rebuild", "import legacy.rebuild", _LEGACY_CLIENT),
    Side("pipeline aggregate", "import pipeline.handlers.aggregate", _PIPELINE_CLIENT),
    Side(
        "botocore alone, without boto3",
        "import botocore.session",
        "botocore.session.get_session().create_client('dynamodb')",
    ),
)


def run(settings: Settings) -> list[Report]:
    """Start every side once a round, in turn."""
    starts: dict[str, list[ColdStart]] = {side.name: [] for side in SIDES}
    timings = interleave({side.name: _starter(side, starts[side.name]) for side in SIDES}, settings.rounds)
    return [
        Report(
            "imports",
            "Cold import of each handler",
            ("side", "cpu_ms", "low", "high", "ratio", "wall_ms", "modules", "first_client_cpu_ms"),
            tuple(_row(name, timing, starts[name]) for name, timing in timings.items()),
            (
                f"CPU time of {settings.rounds} fresh interpreters: median, lowest, highest.",
                "Ratios are against boto3 alone, round by round.",
                "The client is made by the first request, after the import.",
            ),
        )
    ]


def start(side: Side) -> ColdStart:
    """Import a side in a fresh interpreter and make its client."""
    child = subprocess.run(  # noqa: S603 - our own code, in our own interpreter
        [sys.executable, "-c", _CHILD.format(imports=side.imports, client=side.client)],
        cwd=_ROOT,
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    cpu_ms, wall_ms, client_ms, modules, names = json.loads(child.stdout)
    return ColdStart(cpu_ms, wall_ms, client_ms, modules, frozenset(names))


def _starter(side: Side, starts: list[ColdStart]) -> Callable[[], float]:
    def measure() -> float:
        starts.append(start(side))
        return starts[-1].cpu_ms

    return measure


def _row(name: str, timing: Timing, starts: list[ColdStart]) -> tuple[Cell, ...]:
    return (
        name,
        timing.median,
        timing.low,
        timing.high,
        timing.ratio,
        median(start.wall_ms for start in starts),
        starts[0].modules,
        median(start.client_ms for start in starts),
    )
