"""Where clients come in, as what switches the traffic has it: what is called, what answers, what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migration.model.side import Side


@dataclass(frozen=True, slots=True)
class Need:
    """Actions on one thing that the commands call."""

    service: str
    thing: str
    actions: tuple[str, ...]
    kind: str = ""

    def arn(self, partition: str, region: str, account: str) -> str:
        """Name the thing for IAM, which knows no alias, but its function."""
        name = self.thing.partition(":")[0]
        return f"arn:{partition}:{self.service}:{region}:{account}:{self.kind}{name}"


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where writes, or reads, come in.

    Attributes:
        called: the function, or alias, that clients' requests meet, and pulses too.
        doors: what answers there, and the side that each is pinned to; None for a door that chooses.
        needs: what switching takes.
    """

    called: str
    doors: tuple[tuple[str, Side | None], ...]
    needs: tuple[Need, ...] = ()
