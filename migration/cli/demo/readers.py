"""The demo's readers: clients that look at the leaderboard, each under a name of its own, all the while."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final

import urllib3

from migration.cutover.background import repeated

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY_S: Final = 0.2
PEOPLE: Final = 200
TIMEOUT_S: Final = 15.0
OK: Final = 200


@dataclass(slots=True)
class Readers:
    """What readers met.

    Attributes:
        url: of the leaderboard.
        read: answers that were a board.
        failed: those that were none, and requests without an answer.
    """

    url: str
    read: int = 0
    failed: int = 0
    _pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False), init=False)

    def look(self, person: int) -> None:
        """Have one person look once; who it is decides which side answers."""
        headers = {"User-Agent": f"reader-{person % PEOPLE}"}
        try:
            answer = self._pool.request("GET", self.url, headers=headers, timeout=TIMEOUT_S)
        except urllib3.exceptions.HTTPError:
            self.failed += 1
            return
        self.read += answer.status == OK
        self.failed += answer.status != OK


@contextmanager
def reading(serve_url: str) -> Iterator[Readers]:
    """Have people look at the leaderboard while the block runs."""
    readers, people = Readers(f"{serve_url}leaderboard"), count()
    with repeated("readers", lambda: readers.look(next(people)), EVERY_S):
        yield readers
