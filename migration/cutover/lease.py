"""Holding the lease: one process at a time moves a migration forward, and a dead one is replaced.

A holder renews long before the end. Whoever finds the lease over takes it; whoever finds its holder dead on
this very machine need not wait for the end. Neither can act twice: every move names the lease's token, and
only the newest holds (fencing).
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from migration.model.errors import ConflictError, RemoteError
from migration.model.state import Lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from migration.model.clock import Clock
    from migration.model.control_plane import ControlPlane

TTL_S: Final = 15.0
RENEW_EVERY_S: Final = 3.0
POLL_S: Final = 0.5


@dataclass(slots=True)
class LeaseKeeper:
    """One process's claim.

    Attributes:
        plane: where the lease is.
        clock: the time.
        holder: this process, `user@machine:process`.
        is_gone: whether a lease's holder is proven to be dead; a process of another machine never is.
        process: tells this process from every other.
    """

    plane: ControlPlane
    clock: Clock
    holder: str
    is_gone: Callable[[Lease], bool] = lambda _lease: False
    process: str = ""
    _lease: Lease | None = field(default=None, init=False)
    _renewed_at: float = field(default=float("-inf"), init=False)

    @contextmanager
    def held(
        self, patience_s: float = 0.0, on_wait: Callable[[Lease], None] = lambda _: None
    ) -> Iterator[None]:
        """Hold the lease while the block runs; wait for it as long as the patience lasts.

        `on_wait` hears of each holder that is waited for, once.

        Raises:
            ConflictError: when another process holds it.
        """
        deadline, told = self.clock.elapsed() + patience_s, ""
        while (other := self._take()) is not None:
            if self.clock.elapsed() >= deadline:
                raise _held_by(other, self.clock.now())
            if other.holder != told:
                on_wait(other)
                told = other.holder
            self.clock.sleep(POLL_S)
        try:
            yield
        finally:
            self._release()

    def keep(self) -> Lease:
        """Renew the lease when it is time to; returns it.

        Raises:
            ConflictError: when another process took it meanwhile.
        """
        if self._lease is None:
            raise ConflictError("the lease is not held", hint="start again", next_command="cutover status")
        if self.clock.elapsed() - self._renewed_at < RENEW_EVERY_S:
            return self._lease
        renewed = replace(self._lease, expires_at=self.clock.now() + TTL_S)
        if not self.plane.renew_lease(renewed):
            raise ConflictError(
                "another process took the lease; this one has stopped and changed nothing since",
                hint="see who moves the migration now",
                next_command="cutover status",
            )
        self._lease, self._renewed_at = renewed, self.clock.elapsed()
        return renewed

    def _take(self) -> Lease | None:
        """Take the lease; gives the one that is in the way, if one is."""
        there, now = self.plane.lease(), self.clock.now()
        if there is not None and not there.is_over(now) and not self.is_gone(there):
            return there
        mine = Lease(self.holder, there.token + 1 if there else 1, now + TTL_S, self.process)
        if not self.plane.take_lease(mine, there):
            return self.plane.lease() or mine
        self._lease, self._renewed_at = mine, self.clock.elapsed()
        return None

    def _release(self) -> None:
        if self._lease is not None:
            with suppress(RemoteError):  # it ends by itself soon
                self.plane.renew_lease(replace(self._lease, expires_at=0.0))
            self._lease = None


def _held_by(lease: Lease, now: float) -> ConflictError:
    return ConflictError(
        f"{lease.holder} moves the migration, for another {max(0.0, lease.expires_at - now):.0f} s at least",
        hint="wait for it, or stop that process; rolling back needs no lease",
        next_command="cutover status",
    )
