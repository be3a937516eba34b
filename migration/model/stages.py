"""The stages of a migration and the control item that every front door reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

FULL_WEIGHT: Final = 10_000  # hundredths of a percent


class Stage(StrEnum):
    """Where a migration stands; the table of what each stage does is in `routing`."""

    OFF = "off"
    DUALWRITE = "dualwrite"
    SHADOW = "shadow"
    LIVE = "live"
    RAMPDOWN = "rampdown"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Control:
    """The state that routes traffic; one item, written only as a whole and only one epoch up.

    Attributes:
        stage: where the migration stands.
        write_weight: in stage `live`, how many of 10,000 employees write to the pipeline.
        read_weight: in stage `live`, how many of 10,000 clients read from the pipeline.
        epoch: counts the writes of this item; a writer names the epoch that it read.
    """

    stage: Stage = Stage.OFF
    write_weight: int = 0
    read_weight: int = 0
    epoch: int = 0

    def __post_init__(self) -> None:
        """Refuse weights outside 0 … 10,000."""
        for name, weight in (("write_weight", self.write_weight), ("read_weight", self.read_weight)):
            if not 0 <= weight <= FULL_WEIGHT:
                raise ValueError(f"{name} is {weight}, not from 0 to {FULL_WEIGHT}")


def read_control(item: Mapping[str, Any]) -> Control:
    """Read a control item, as DynamoDB writes it in JSON.

    Raises:
        KeyError, ValueError: when it is not one.
    """
    return Control(
        Stage(item["stage"]["S"]),
        int(item["write_weight"]["N"]),
        int(item["read_weight"]["N"]),
        int(item["epoch"]["N"]),
    )
