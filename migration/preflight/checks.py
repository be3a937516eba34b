"""Every check of preflight, in the order in which a person would mend what they find."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from migration.model.guardrails import Outcome
from migration.preflight.check import Check
from migration.preflight.horizons import check_horizons
from migration.preflight.operator import check_operator
from migration.preflight.queues import check_queues
from migration.preflight.sides import check_sides
from migration.preflight.streams import check_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from migration.preflight.check import CheckResult
    from migration.preflight.deployed import Deployed

AREAS: Final[Sequence[Callable[[Deployed], Iterator[CheckResult]]]] = (
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
