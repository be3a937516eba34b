"""`python -m benchmarks [NAME …] [--quick] [--output table|json]`: measure, and print what was measured."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.console import Console

from benchmarks import backfill, contention, diff, door, scan, writes
from benchmarks.report import Report, print_tables, to_json
from benchmarks.settings import FULL, QUICK, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PRINTED_WIDTH: Final = 130
BENCHMARKS: Final[Mapping[str, Callable[[Settings], list[Report]]]] = {
    "backfill": backfill.run,
    "writes": writes.run,
    "diff": diff.run,
    "door": door.run,
    "scan": scan.run,
    "contention": contention.run,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks that were named, or all."""
    options = _parser().parse_args(arguments)
    settings = _settings(options)
    reports: list[Report] = []
    for name in options.names or BENCHMARKS:
        print(f"measuring {name}", file=sys.stderr)
        reports += BENCHMARKS[name](settings)
    if options.output == "json":
        print(to_json(reports, settings))
    else:
        print_tables(reports, Console(width=None if sys.stdout.isatty() else PRINTED_WIDTH))


def _settings(options: argparse.Namespace) -> Settings:
    chosen = {
        "seed": options.seed,
        "facts": options.count,
        "write_price": options.write_price,
    }
    return replace(
        QUICK if options.quick else FULL,
        **{name: value for name, value in chosen.items() if value is not None},
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME", help=", ".join(BENCHMARKS)
    )
    parser.add_argument("--quick", action="store_true", help="smaller and fewer, for a first look")
    parser.add_argument("--output", choices=("table", "json"), default="table")
    parser.add_argument("--seed", type=int, help="makes the activities")
    parser.add_argument("--count", type=int, help="facts that are backfilled")
    parser.add_argument("--write-price", type=float, help="dollars per million write request units")
    return parser


if __name__ == "__main__":
    main()
