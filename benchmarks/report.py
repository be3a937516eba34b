"""How results look: a table a person reads, or JSON with the facts of the machine that made them."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console

    from benchmarks.settings import Settings

SCHEMA_VERSION: Final = 1
Cell = str | int | float
_PACKAGES: Final = ("boto3", "aws-lambda-powertools", "pydantic")


@dataclass(frozen=True, slots=True)
class Report:
    """One table of results; the first column names the side."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    def records(self) -> list[dict[str, Cell]]:
        """Give each row as a mapping from column to value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def machine() -> dict[str, str | int | None]:
    """Describe where the figures come from."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        **{name.replace("-", "_"): version(name) for name in _PACKAGES},
    }


def to_json(reports: Iterable[Report], settings: Settings) -> str:
    """Write reports as one JSON document."""
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "machine": machine(),
        "settings": asdict(settings),
        "reports": [
            {"name": report.name, "title": report.title, "rows": report.records(), "notes": report.notes}
            for report in reports
        ],
    }
    return json.dumps(document, indent=2)


def print_tables(reports: Sequence[Report], console: Console) -> None:
    """Print reports for people."""
    for report in reports:
        table = Table(title=report.title, title_justify="left", caption_justify="left")
        table.caption = "\n".join(report.notes)
        for number, column in enumerate(report.columns):
            table.add_column(
                column.replace("_", " "), justify="right" if number else "left", no_wrap=not number
            )
        for row in report.rows:
            table.add_row(*map(_shown, row))
        console.print(table, "")
    console.print(" · ".join(f"{name} {value}" for name, value in machine().items()), style="dim")


def _shown(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.2f}"


def _cpu_model() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"
