"""What a Lambda alias must look like to give the pipeline its share, and which share one gives it.

    share       version     additional weights
    0           legacy      -
    1 … 9,999   legacy      pipeline: share / 10,000
    10,000      pipeline    -

An alias that names any version but these two says nothing of shares, and is somebody else's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from migration.model.stages import FULL_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping

UNSTAMPED: Final = -1


@dataclass(frozen=True, slots=True)
class Versions:
    """The two versions of one function that are a migration's sides."""

    legacy: str
    pipeline: str


@dataclass(frozen=True, slots=True)
class AliasWeights:
    """How an alias routes.

    Attributes:
        version: that it names.
        additional: the share of requests, 0 to 1, that another version gets; Lambda takes one at most.
    """

    version: str
    additional: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Say it."""
        others = "".join(
            f", {weight:.2%} of requests to version {at}" for at, weight in self.additional.items()
        )
        return f"version {self.version}{others}"


def weights_of(share: int, versions: Versions) -> AliasWeights:
    """Give the pipeline a share of 10,000."""
    if share == FULL_WEIGHT:
        return AliasWeights(versions.pipeline)
    weight = {versions.pipeline: share / FULL_WEIGHT} if share else {}
    return AliasWeights(versions.legacy, weight)


def share_of(weights: AliasWeights, versions: Versions) -> int | None:
    """Say which share of 10,000 the pipeline has; None when a third version has any."""
    rest = 1.0 - sum(weights.additional.values())
    by_version = {weights.version: rest, **weights.additional}
    if not {at for at, weight in by_version.items() if weight > 0} <= {versions.legacy, versions.pipeline}:
        return None
    return round(by_version.get(versions.pipeline, 0.0) * FULL_WEIGHT)


def stamp(migration: str, epoch: int) -> str:
    """Write in an alias's description by which state it routes: then no two states leave it alike."""
    return f"cutover {migration}, epoch {epoch}"


def stamped(description: str, migration: str) -> int:
    """Read the epoch in a description; `UNSTAMPED` when this migration wrote none."""
    found = re.fullmatch(rf"cutover {re.escape(migration)}, epoch (\d+)", description)
    return int(found[1]) if found else UNSTAMPED
