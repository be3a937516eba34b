"""What changed between two sets of inputs, property by property, down to the leaf.

Texts that are JSON (policies, dashboards) are compared as JSON, so their layout is never a change. Pure.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from migration.local.deployer.values import Inputs, Value

_PART: Final = re.compile(r"\[\"([^\"]+)\"\]|\[(\d+|\*)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One property that differs. `None` is a property that is not there; secrets keep their mark."""

    path: str
    old: Value
    new: Value
    replaces: bool = False

    @property
    def property(self) -> str:
        """The top-level input this is a part of."""
        return re.split(r"[.\[]", self.path, maxsplit=1)[0]


def differences(old: Inputs, new: Inputs) -> tuple[PropertyChange, ...]:
    """List what differs, in the order of the new inputs, removed ones last."""
    names = [*new, *(name for name in old if name not in new)]
    return tuple(change for name in names for change in _compare(name, old.get(name), new.get(name)))


def keep_ignored(old: Inputs, new: Inputs, paths: Sequence[str]) -> Inputs:
    """Give the new inputs with the old values at these paths (`a.b`, `a[0]`, `a["x.y"]`, `*` for any)."""
    kept: dict[str, Value] = dict(new)
    for path in paths:
        kept = _kept(old, kept, [next(filter(None, found)) for found in _PART.findall(path)])
    return kept


def _compare(path: str, old: Value, new: Value) -> Iterator[PropertyChange]:
    before, after = _parsed(old, new)
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*after, *(key for key in before if key not in after)]:
            yield from _compare(f"{path}{_step(key)}", before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            yield from _compare(f"{path}[{index}]", _item(before, index), _item(after, index))
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield PropertyChange(path, old, new)


def _parsed(old: Value, new: Value) -> tuple[Value, Value]:
    """Read both as JSON if both are texts that hold an object or a list."""
    if isinstance(old, str) and isinstance(new, str) and old[:1] in "{[" and new[:1] in "{[" and old and new:
        try:
            return json.loads(old), json.loads(new)
        except ValueError:
            pass
    return old, new


def _step(key: str) -> str:
    return f".{key}" if re.fullmatch(r"[\w-]+", key) else f'["{key}"]'


def _item(items: list[Value], index: int) -> Value:
    return items[index] if index < len(items) else None


def _kept(old: Value, new: Value, parts: Sequence[str]) -> Value:
    """Copy `new` with what `old` has at the path; what `old` does not have there is taken out."""
    if not parts:
        return old
    part, rest = parts[0], parts[1:]
    if isinstance(new, list) and isinstance(old, list):
        chosen = range(min(len(new), len(old))) if part == "*" else [int(part)] if part.isdigit() else []
        return [
            _kept(old[at], item, rest) if at in chosen and at < len(old) else item
            for at, item in enumerate(new)
        ]
    if not isinstance(new, dict) or not isinstance(old, dict):
        return new
    names = {*old, *new} if part == "*" else {part}
    merged = {key: value for key, value in new.items() if key not in names}
    for name in names:
        value = _kept(old.get(name), new.get(name), rest)
        if value is not None:
            merged[name] = value
    return {key: merged[key] for key in [*new, *merged] if key in merged}
