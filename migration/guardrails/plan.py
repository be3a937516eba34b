"""The part `[guardrails]` of the plan file: each guardrail's limits, and which are dry or off.

The keys, their defaults and bounds are what the guardrails declare; docs/guardrails.md tells what each means.
A function gets the same part as JSON in its environment.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, Self, TypeVar

from pydantic import Field, GetPydanticSchema, create_model, model_validator

from migration.guardrails.guardrail import limits_of
from migration.guardrails.registry import PROOFS, VITAL
from migration.model.part import PlanPart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migration.guardrails.guardrail import Guardrail

_Kind = TypeVar("_Kind", bound="Guardrail[Any]")
_Part = TypeVar("_Part", bound=PlanPart)
_ALL: Final[tuple[type[Guardrail[Any]], ...]] = (*VITAL, *PROOFS)
_ENUM: Any = StrEnum  # mypy takes a call of it for the look-up of a member
GUARD: Final[type[StrEnum]] = _ENUM("Guard", [(one.name, one.name) for one in _ALL])
GUARD.__doc__ = "A guardrail, as the plan file names it."
_Name = Annotated[str, GetPydanticSchema(lambda _, schema_of: schema_of(GUARD)), Field(strict=False)]
_Names = Annotated[tuple[_Name, ...], Field(strict=False)]


def _with_limits(part: type[_Part]) -> type[_Part]:
    """Add the limits of every guardrail; one that several share is one key."""
    limits = {one.name: one for kind in _ALL for one in limits_of(kind)}
    keys: dict[str, Any] = {
        name: (type(one.default), Field(one.default, **one.metadata)) for name, one in limits.items()
    }
    return create_model(
        part.__name__, __base__=part, __module__=part.__module__, __doc__=part.__doc__, **keys
    )


@_with_limits
class GuardrailsPlan(PlanPart):
    """What must hold while traffic moves."""

    dry: Annotated[_Names, Field(description="Guardrails that are shown, and count as passed")] = ()
    off: Annotated[_Names, Field(description="Guardrails that are not looked at")] = ()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for kind in _ALL:
            self._limited(kind)
        return self

    def chosen(self, kinds: Iterable[type[_Kind]]) -> list[_Kind]:
        """Make those guardrails that are looked at, each with its limits; they have seen nothing yet."""
        return [self._limited(kind) for kind in kinds if kind.name not in self.off]

    def _limited(self, kind: type[_Kind]) -> _Kind:
        limits = {one.name: getattr(self, one.name) for one in limits_of(kind)}
        return kind(dry=kind.name in self.dry, **limits)
