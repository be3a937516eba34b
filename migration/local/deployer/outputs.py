"""A stack's outputs: used as a plain mapping, shown with secrets masked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from migration.local.deployer.values import mask, reveal

if TYPE_CHECKING:
    from migration.local.deployer.values import Inputs


class Outputs(Mapping[str, Any]):
    """What `pulumi stack output --json --show-secrets` would print. An export of None is not an output."""

    def __init__(self, exports: Inputs) -> None:
        self._exports = dict(exports)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - JSON of any shape
        return reveal(self._exports[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._exports)

    def __len__(self) -> int:
        return len(self._exports)

    def __repr__(self) -> str:
        return f"Outputs({self.masked()!r})"

    def masked(self) -> dict[str, Any]:
        """Give the outputs for people to see."""
        masked: dict[str, Any] = mask(self._exports)
        return masked
