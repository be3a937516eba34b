"""Why a program's aggregate differs: by its employees' rows, or by events that only its own row shows.

A program can have millions of events, so they are asked for only when its employees' rows do not say enough.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from migration.compare.diff.row_reasons import Links, legacy_reasons, pipeline_reasons
from migration.compare.reasons import Reason, merged
from migration.model.cause import Cause
from migration.model.fold import NOTHING, Fold, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from migration.compare.diff.two_sides import Reading, Sighting, Sums
    from migration.compare.miscounts import Pool


class ProgramEvents(Protocol):
    """The events of one program, looked up when they are needed."""

    def pool(self) -> Pool:
        """Give legacy's events by their points."""
        ...

    def young(self) -> Mapping[str, Fold]:
        """Give legacy's events that may not be counted yet."""
        ...

    def sightings(self) -> Sequence[Sighting]:
        """Give every activity; nothing where there are too many to search."""
        ...


@dataclass(slots=True)
class EmployeeSums:
    """What the employees' rows of one program add up to."""

    legacy: Fold = NOTHING
    pipeline: Fold = NOTHING
    links: Links = field(default_factory=lambda: Links([], [], []))

    def add(self, sums: Sums, links: Links) -> None:
        """Add an employee's row in the program."""
        self.legacy += sums.miscounted
        self.pipeline += sums.misfolded
        named = (_with_employee(reasons, str(sums.row.employee_id)) for reasons in links)
        self.links = Links(*(merged([*old, *new]) for old, new in zip(self.links, named, strict=True)))


def _with_employee(reasons: Iterable[Reason], employee: str) -> list[Reason]:
    """Name events as a program's row does: event ids are an employee's own."""
    return [replace(one, events=tuple(f"{employee} {event}" for event in one.events)) for one in reasons]


def explain_program(
    sums: Sums, parts: EmployeeSums, events: ProgramEvents, reading: Reading, suspects: Mapping[str, Fold]
) -> Links:
    """Explain a program's row, its employees' rows having been explained before."""

    def legacy_search(difference: Fold) -> list[Reason]:
        return legacy_reasons(difference, events.pool(), events.young(), suspects)

    def pipeline_search(difference: Fold) -> list[Reason]:
        return pipeline_reasons(difference, Row(None, sums.row.program_id), events.sightings(), reading)

    return Links(
        _legacy_link(sums.miscounted, parts, legacy_search),
        parts.links.storage,
        _pipeline_link(sums.misfolded, parts, pipeline_search),
    )


def _legacy_link(
    difference: Fold, parts: EmployeeSums, search: Callable[[Fold], list[Reason]]
) -> list[Reason]:
    """Explain by the employees' rows, and by what is left: points say little about so many events."""
    if difference in (NOTHING, parts.legacy):
        return parts.links.legacy if difference != NOTHING else []
    alone = search(difference)
    if all(one.cause is Cause.IN_FLIGHT for one in alone):
        return alone
    beyond = search(difference - parts.legacy)
    return alone if _unexplained(beyond) else merged([*parts.links.legacy, *beyond])


def _pipeline_link(
    difference: Fold, parts: EmployeeSums, search: Callable[[Fold], list[Reason]]
) -> list[Reason]:
    """Explain by fingerprints; where they find nothing, by the employees' rows and what is left.

    A program's row is read after its employees', so it can hold facts that theirs did not: the same
    difference is no more than a hint.
    """
    if difference in (NOTHING, parts.pipeline):
        return parts.links.pipeline if difference != NOTHING else []
    alone = search(difference)
    if not _unexplained(alone):
        return alone
    beyond = search(difference - parts.pipeline)
    return alone if _unexplained(beyond) else merged([*parts.links.pipeline, *beyond])


def _unexplained(reasons: Sequence[Reason]) -> bool:
    return any(one.cause is Cause.UNEXPLAINED for one in reasons)
