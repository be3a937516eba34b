"""The acknowledgement ledger as a file of JSON lines: appended to, and handed to the system line by line.

A killed process loses no line, because nothing is held back in a buffer. The format and what it proves are
in `migration/model/acknowledgements.py`.
"""

from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any, Self

from migration.model.acknowledgements import HEADER, Ledger, answer_entry, is_header, read_ledger, send_entry
from migration.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from migration.model.answers import Answer
    from migration.model.side import Side


CLOSED = -1  # no file: the system refuses to write to it


class LedgerFile:
    """Appends to a ledger; `run` sets the sends of this process apart from those of others."""

    def __init__(self, path: Path, run: str) -> None:
        self._run = run
        self._count = 0
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_what_is_no_ledger(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if path.stat().st_size == 0:
            self._write(HEADER)
        elif not _ends_a_line(path):
            os.write(self._file, b"\n")

    def __enter__(self) -> Self:
        """Use it for the length of a block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file; every line is in it already. What comes later is refused, not misdirected."""
        with self._lock:
            os.close(self._file)
            self._file = CLOSED

    def sending(self, side: Side, body: bytes, at: float) -> str:
        """Take down that a body is about to be sent (epoch seconds); returns the name of this send."""
        with self._lock:
            self._count += 1
            send = f"{self._run}-{self._count}"
        self._write(send_entry(send, side, body, at))
        return send

    def answered(self, send: str, answer: Answer, tries: Sequence[str], at: float, latency_ms: float) -> None:
        """Take down how a send ended, and what each try on the way met."""
        self._write(answer_entry(send, answer, tries, at, latency_ms))

    def _write(self, entry: Mapping[str, Any]) -> None:
        with self._lock:
            os.write(self._file, json.dumps(entry, separators=(",", ":")).encode() + b"\n")


def load_ledger(path: Path) -> Ledger:
    """Read a ledger file.

    Raises:
        UsageError: when there is none, or it is something else.
    """
    return read_ledger(ledger_lines(path))


def ledger_lines(path: Path) -> Iterator[str]:
    """Read a ledger file line by line, without its first.

    Raises:
        UsageError: when there is none, or it is something else.
    """
    if not path.is_file():
        raise UsageError(
            f"there is no acknowledgement ledger at {path}",
            hint="a load writes one; or name another with --ledger",
            next_command="cutover local load --rate 50 --duration 10",
        )
    _refuse_what_is_no_ledger(path)
    with path.open(encoding="utf-8", errors="replace") as lines:
        next(lines, None)
        yield from lines


def _refuse_what_is_no_ledger(path: Path) -> None:
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        if not is_header(next(lines, "")):
            raise UsageError(
                f"{path} is not an acknowledgement ledger, or one of another version; it was left as it is",
                hint="name another file with --ledger",
            )


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() == b"\n"
