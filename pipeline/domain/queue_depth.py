"""How many messages a queue holds, about: waiting, being worked on, or delayed. It asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def depth(attributes: Mapping[Any, str]) -> int:
    """Add up a queue's attributes, those that `COUNTS` names among them."""
    return sum(int(attributes[name]) for name in COUNTS)
