"""Doing many small things at once: a handful is begun together, and looked up from before the next."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HANDFUL: Final = 200  # writes between two looks at whether to go on
A = TypeVar("A")
B = TypeVar("B")


class InParallel(Protocol):
    """A map over several threads, or the builtin; results come in order."""

    def __call__(self, function: Callable[[A], B], items: Iterable[A], /) -> Iterator[B]:
        """Begin all calls, and give their results."""
        ...


def handfuls(items: Iterable[A]) -> Iterator[list[A]]:
    """Cut into lists of at most a handful."""
    iterator = iter(items)
    while handful := list(islice(iterator, HANDFUL)):
        yield handful
