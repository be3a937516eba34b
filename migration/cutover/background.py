"""Long work beside a loop that must keep looking; its error is raised where its result is read."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class BackgroundWork(Protocol[T_co]):
    """Work that was begun."""

    @property
    def done(self) -> bool:
        """Whether it ended, well or not."""
        ...

    def result(self) -> T_co:
        """Give what it came to, or raise what it raised."""
        ...


class Begin(Protocol):
    """Begins work; the caller goes on at once, or when it is done."""

    def __call__(self, work: Callable[[], T], /) -> BackgroundWork[T]:
        """Begin."""
        ...


@dataclass(slots=True)
class _Threaded(Generic[T]):
    work: Callable[[], T]
    results: list[T] = field(default_factory=list)
    error: BaseException | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def done(self) -> bool:
        return self.ended.is_set()

    def result(self) -> T:
        self.ended.wait()
        if self.error is not None:
            raise self.error
        return self.results[0]

    def run(self) -> None:
        try:
            self.results.append(self.work())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever asks for the result
            self.error = error
        finally:
            self.ended.set()


def in_thread(work: Callable[[], T]) -> BackgroundWork[T]:
    """Begin work in a thread that dies with the process; whatever is done here can be done again."""
    job = _Threaded(work)
    threading.Thread(target=job.run, name="background", daemon=True).start()
    return job


@dataclass(frozen=True, slots=True)
class _Done(Generic[T]):
    value: T
    done: bool = True

    def result(self) -> T:
        return self.value


def at_once(work: Callable[[], T]) -> BackgroundWork[T]:
    """Do the work before going on."""
    return _Done(work())


@contextmanager
def repeated(name: str, act: Callable[[], object], every_s: float) -> Iterator[None]:
    """Do something again and again in a thread while the block runs."""
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(every_s):
            act()

    worker = threading.Thread(target=work, name=name, daemon=True)
    worker.start()
    try:
        yield
    finally:
        stopped.set()
        worker.join()
