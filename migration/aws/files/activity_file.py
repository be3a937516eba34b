"""A file of request bodies, one a line, sent as they are: what is wrong with one is for the sides to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migration.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GENERATE = "cutover local generate --count 2000 --out activities.jsonl"


@dataclass(frozen=True, slots=True)
class ActivityFile:
    """The lines of a file, without their line breaks; blank ones are left out.

    Raises:
        UsageError: when the file cannot be read.
    """

    path: Path

    def __post_init__(self) -> None:
        try:
            with self.path.open("rb") as file:
                file.read(1)
        except OSError as error:
            raise UsageError(
                f"{self.path} cannot be read: {error.strerror}",
                hint="name a file with one activity a line, as JSON; or make one",
                next_command=GENERATE,
            ) from error

    def __iter__(self) -> Iterator[bytes]:
        """Read the file once more from its start."""
        with self.path.open("rb") as file:
            for line in file:
                body = line.rstrip(b"\r\n")
                if body.strip():
                    yield body

    def __len__(self) -> int:
        """Count the lines."""
        return sum(1 for _ in self)
