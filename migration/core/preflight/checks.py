"""Every check of preflight, in the order in which a person would mend what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.core.guardrails import Outcome
from migration.core.preflight.check import Check
from migration.core.preflight.horizons import check_horizons
from migration.core.preflight.operator import check_operator
from migration.core.preflight.queues import check_queues
from migration.core.preflight.sides import check_sides
from migration.core.preflight.streams import check_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migration.core.preflight.check import Finding
    from migration.core.preflight.deployed import Deployed

AREAS: Final[Sequence[Callable[[Deployed], Iterator[Finding]]]] = (
    check_operator,
    check_sides,
    check_streams,
    check_queues,
    check_horizons,
)


def preflight(deployed: Deployed) -> list[Check]:
    """Judge a stack; a check that cannot be made says so, and none hides another."""
    return [
        Check(one.verdict(deployed.read_at), one.remedy if one.outcome is not Outcome.PASS else "")
        for area in AREAS
        for one in area(deployed)
    ]
