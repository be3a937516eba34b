"""The values that flow between a Pulumi program and AWS: plain JSON, plus secrets, unknowns and archives.

Decides how each is told apart, compared and masked. A secret's text never shows in a repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from migration.local.deployer.archives import Archive, Asset

Value = Any  # None, bool, int, float, str, Secret, Unknown, Archive, Asset, and lists and dicts of those
Inputs = Mapping[str, Value]

MASK: Final = "[secret]"


@dataclass(frozen=True, slots=True)
class Secret:
    """A value that is used, and stored, but never shown."""

    value: Value = field(repr=False)


class Unknown:
    """What a preview cannot know yet, such as the ARN of a queue that is not made yet."""

    def __repr__(self) -> str:
        """Say so where it is shown."""
        return "[known after deployment]"


UNKNOWN: Final = Unknown()


def reveal(value: Value) -> Value:
    """Take the secret marks off, at any depth: what AWS is sent."""
    if isinstance(value, Secret):
        return reveal(value.value)
    if isinstance(value, dict):
        return {key: reveal(item) for key, item in value.items()}
    return [reveal(item) for item in value] if isinstance(value, list) else value


def mask(value: Value) -> Value:
    """Replace secrets, at any depth, by a text that says there is one: what people are shown."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, dict):
        return {key: mask(item) for key, item in value.items()}
    return [mask(item) for item in value] if isinstance(value, list) else value


def secrets_in(value: Value) -> set[str]:
    """Collect the texts of all secrets, at any depth, so that messages can be cleaned of them."""
    if isinstance(value, Secret):
        return _texts(reveal(value.value))
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for part in parts for text in secrets_in(part)}


def _texts(value: Value) -> set[str]:
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return {text for part in parts for text in _texts(part)}
    return {value} if isinstance(value, str) and value else set()


def holds(value: Value, kind: type[Secret | Unknown]) -> bool:
    """Tell whether a secret, or an unknown, is anywhere inside."""
    if isinstance(value, Secret) and kind is not Secret:
        return holds(value.value, kind)
    if isinstance(value, kind):
        return True
    if isinstance(value, dict):
        return any(holds(item, kind) for item in value.values())
    return isinstance(value, list) and any(holds(item, kind) for item in value)


__all__ = [
    "MASK",
    "UNKNOWN",
    "Archive",
    "Asset",
    "Inputs",
    "Secret",
    "Unknown",
    "Value",
    "holds",
    "mask",
    "reveal",
    "secrets_in",
]
