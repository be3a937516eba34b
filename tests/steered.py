"""Code that runs only while the test lets it, half a call at a time, and can be killed at any of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from migration.model.errors import CutoverError
from tests.backfill_world import Budget, CrashError, Fate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PATIENCE = 1_000  # half calls; a process that is paused would go on for ever
_running = threading.local()


class Process(Budget):
    """One process: an invocation of a function, or a command. It stops before and after each of its calls."""

    def __init__(self, work: Callable[[Process], object], fates: Iterable[Fate] = ()) -> None:
        super().__init__(None, iter(fates))
        self.over = False
        self.unharmed = True
        """Whether all its calls were made, but for those that somebody's transaction was in the way of."""
        self.killed = False
        self.error: BaseException | None = None
        self.refusal: CutoverError | None = None
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()
        self._stopped.acquire()

    def fate(self) -> Fate:
        """Tell how the next call ends."""
        fate = super().fate()
        self.unharmed &= fate in (Fate.DONE, Fate.BEHIND, Fate.HELD)
        return fate

    def spend(self) -> None:
        """Stop here until the test goes on, or kills."""
        self._stopped.release()
        self._go.acquire()
        if self.killed:
            raise CrashError

    def step(self, calls: int) -> None:
        """Let it make so many half calls."""
        for _ in range(calls):
            if self.over:
                return
            self._go.release()
            self._stopped.acquire()

    def step_up_to(self, call: str) -> None:
        """Let it go on until it is about to make a call of that name, if it ever is."""
        self.step(1)
        for _ in range(PATIENCE):
            if self.about_to == call:
                return
            self.step(1)

    def finish(self) -> None:
        """Let it run to its end."""
        while not self.over:
            self.step(1)

    def kill(self) -> None:
        """End it where it stands."""
        self.killed = not self.over
        self.finish()
        self._thread.join()

    def _run(self, work: Callable[[Process], object]) -> None:
        _running.process = self
        try:
            work(self)
        except CrashError:
            pass  # killed: the command can be given again
        except CutoverError as refusal:
            self.refusal = refusal
        except BaseException as error:  # noqa: BLE001 - raised where the test runs
            self.error = error
        self.over = True
        self._stopped.release()


def process() -> Process:
    """Return the process whose code this is."""
    found: Process = _running.process
    return found
