"""Which side answers a request, and which side hears of it too.

    stage       writes go to        mirror                  reads come from
    off         legacy              -                       legacy
    dualwrite   legacy              forward                 legacy
    shadow      legacy              forward                 legacy
    live        by write weight     forward or reverse      by read weight
    rampdown    pipeline            reverse                 pipeline
    complete    pipeline            -                       pipeline

The reverse mirror is not routed: it follows every fact that the pipeline accepted (`side` = pipeline).

In stage `live` a door decides by its client's bucket. One that is *pinned* to a side does not: an alias
with weights, before it, has decided already. In every other stage the stage decides, pinned or not.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from migration.model.side import Side
from migration.model.stages import FULL_WEIGHT, Control, Stage


@dataclass(frozen=True, slots=True)
class WriteRoute:
    """Who decides about an activity, and whether the front door mirrors it forward."""

    authority: Side
    forward: bool


_FIXED: Final = {
    Stage.OFF: WriteRoute(Side.LEGACY, forward=False),
    Stage.DUALWRITE: WriteRoute(Side.LEGACY, forward=True),
    Stage.SHADOW: WriteRoute(Side.LEGACY, forward=True),
    Stage.RAMPDOWN: WriteRoute(Side.PIPELINE, forward=False),
    Stage.COMPLETE: WriteRoute(Side.PIPELINE, forward=False),
}


def bucket(key: str) -> int:
    """Place a key among 10,000 buckets: the first 8 hexadecimal digits of its SHA-256, modulo 10,000.

    Stable everywhere and always, so a client stays on its side, and a growing weight only ever adds clients.
    """
    return int(hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16) % FULL_WEIGHT


@dataclass(frozen=True, slots=True)
class Shares:
    """How many of 10,000 writes and reads go to the pipeline."""

    writes: int
    reads: int


def shares_of(control: Control) -> Shares:
    """Say what a state comes to, for a switch that knows weights alone."""
    if control.stage is Stage.LIVE:
        return Shares(control.write_weight, control.read_weight)
    share = FULL_WEIGHT if _FIXED[control.stage].authority is Side.PIPELINE else 0
    return Shares(share, share)


def route_write(control: Control, employee_id: str, pinned: Side | None = None) -> WriteRoute:
    """Decide where an employee's activity goes."""
    if control.stage is not Stage.LIVE:
        return _FIXED[control.stage]
    side = pinned or _side(employee_id, control.write_weight)
    return WriteRoute(side, forward=side is Side.LEGACY)


def route_read(control: Control, client: str, pinned: Side | None = None) -> Side:
    """Decide where a client's board comes from."""
    if control.stage is not Stage.LIVE:
        return _FIXED[control.stage].authority
    return pinned or _side(client, control.read_weight)


def _side(key: str, weight: int) -> Side:
    return Side.PIPELINE if bucket(key) < weight else Side.LEGACY
