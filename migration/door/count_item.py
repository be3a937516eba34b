"""A door instance's counts as its item in the control table holds them: the one place that knows the layout.

    migration   <migration>#door     a partition of its own: the door may write nothing else of the table
    record      the instance

Counts that are 0 are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from migration.door.counts import BUCKETS, MOMENTS, NOTHING, Answers, DoorCounts, Role, Witness
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Mapping

Item = dict[str, Any]
_PULSES: Final = "pulses"


def door_partition(migration: str) -> str:
    """Name the partition of a migration's doors."""
    return f"{migration}#door"


def item_of(counts: DoorCounts, migration: str, expires_at: float) -> Item:
    """Lay counts out as DynamoDB takes them."""
    item: Item = {
        "migration": {"S": door_partition(migration)},
        "record": {"S": counts.instance},
        "role": {"S": counts.role.value},
        "epoch": _number(counts.epoch),
        "since": _number(round(counts.since, 3)),
        "at": _number(round(counts.at, 3)),
        "expires_at": _number(int(expires_at)),
        **{side.value: _answers(one) for side, one in counts.sides.items() if one != NOTHING},
    }
    if counts.pulses != NOTHING:
        item[_PULSES] = _answers(counts.pulses)
    if counts.mirrored:
        item["mirrored"] = _numbers(counts.mirrored)
    if counts.baked:
        item["baked"] = _number(counts.baked)
    for name in MOMENTS:
        moment = getattr(counts, name)
        if moment is not None:
            item[name] = _number(round(moment, 3))
    if counts.witness is not None:
        item["witness"] = {
            "M": {
                "employee_id": {"S": counts.witness.employee_id},
                "event_id": {"S": counts.witness.event_id},
                "at": _number(round(counts.witness.at, 3)),
            }
        }
    return item


def counts_of(item: Mapping[str, Any]) -> DoorCounts:
    """Read them back.

    Raises:
        KeyError, ValueError: when it is not one.
    """
    witness = item["witness"]["M"] if "witness" in item else None
    return DoorCounts(
        instance=item["record"]["S"],
        role=Role(item["role"]["S"]),
        epoch=int(item["epoch"]["N"]),
        since=float(item["since"]["N"]),
        at=float(item["at"]["N"]),
        sides={side: _read_answers(item[side.value]) for side in Side if side.value in item},
        pulses=_read_answers(item[_PULSES]) if _PULSES in item else NOTHING,
        mirrored=_read_numbers(item["mirrored"]) if "mirrored" in item else {},
        baked=int(item["baked"]["N"]) if "baked" in item else 0,
        **{name: float(item[name]["N"]) for name in MOMENTS if name in item},
        witness=witness
        and Witness(witness["employee_id"]["S"], witness["event_id"]["S"], float(witness["at"]["N"])),
    )


def _answers(one: Answers) -> Item:
    times = {str(bucket): count for bucket, count in enumerate(one.times) if count}
    fields = {"requests": _number(one.requests), "errors": _number(one.errors), "times": _numbers(times)}
    return {"M": fields}


def _read_answers(attribute: Item) -> Answers:
    fields = attribute["M"]
    times = [0] * BUCKETS
    for bucket, count in _read_numbers(fields["times"]).items():
        times[int(bucket)] = count
    return Answers(int(fields["requests"]["N"]), int(fields["errors"]["N"]), tuple(times))


def _numbers(values: Mapping[str, int]) -> Item:
    return {"M": {name: _number(count) for name, count in values.items()}}


def _read_numbers(attribute: Item) -> dict[str, int]:
    return {name: int(count["N"]) for name, count in attribute["M"].items()}


def _number(value: float) -> Item:
    return {"N": repr(value)}
