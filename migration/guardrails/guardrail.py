"""What a guardrail is: a class that says once what it is called, where it means something and what limits it.

    class ────► the plan file's keys, their defaults and bounds
      │
      └─ one object a set, with the plan's limits ──► look after look, it assesses the evidence

The object may remember from look to look; what it judges by is in its file and nowhere else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeVar

from migration.model.errors import CutoverError
from migration.model.guardrails import GuardrailVerdict, Outcome
from migration.model.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from migration.model.state import State

# What is not looked at in a stage says nothing there: a mirror that is not running has no lag.
FOLDING: Final = frozenset(Stage) - {Stage.OFF}
MIRRORING: Final = FOLDING - {Stage.COMPLETE}
SERVING: Final = frozenset({Stage.LIVE, Stage.RAMPDOWN, Stage.COMPLETE})

_Value = TypeVar("_Value", int, float)


class Looking(Protocol):
    """One look: everything that its guardrails judge by, read when the first of them asks."""

    @property
    def now(self) -> float:
        """When its evidence is read, epoch seconds."""
        ...


_Look_contra = TypeVar("_Look_contra", bound=Looking, contravariant=True)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the evidence comes to.

    Attributes:
        outcome: pass, fail or inconclusive.
        why: the arithmetic, in words.
        at: when the evidence was read, where that was not now; epoch seconds.
    """

    outcome: Outcome
    why: str
    at: float | None = None


@dataclass(slots=True)
class Guardrail(ABC, Generic[_Look_contra]):
    """One guardrail of one set; the first line of a class's docstring is what must hold.

    Attributes:
        name: as the plan file, verdicts and the journal have it.
        stages: in which it means something.
        lives_on_requests: whether a pulse gives it evidence when clients are quiet.
        rolls_back: whether legacy is the better side when it fails; where legacy is the side that is behind,
            a failure holds, and people are told.
        dry: whether it only tells.
    """

    name: ClassVar[str]
    stages: ClassVar[frozenset[Stage]]
    lives_on_requests: ClassVar[bool] = False
    rolls_back: ClassVar[bool] = True
    dry: bool = False

    @abstractmethod
    def _assess(self, look: _Look_contra) -> Assessment:
        """Judge what a look reads; what reading it meets is raised."""

    def verdict(self, look: _Look_contra) -> GuardrailVerdict:
        """Assess; what could not be measured is this one's verdict `error`."""
        try:
            found = self._assess(look)
        except CutoverError as error:
            found = Assessment(Outcome.ERROR, str(error))
        at = look.now if found.at is None else found.at
        return GuardrailVerdict(
            self.name, found.outcome, found.why, at, dry=self.dry, rolls_back=self.rolls_back
        )


def limit(default: _Value, says: str, **bounds: float) -> _Value:
    """Declare a limit: a key of the plan file, with its default, its meaning and its bounds.

    The bounds are pydantic's: `gt`, `ge`, `lt`, `le`. The default's type is the limit's.
    """
    return field(default=default, metadata={"description": says, **bounds})


def seconds(default: float, says: str) -> float:
    """Declare a limit in seconds."""
    return limit(default, says, gt=0)


def share(default: float, says: str) -> float:
    """Declare a limit that is a share or a chance, above 0 and below 1."""
    return limit(default, says, gt=0, lt=1)


def limits_of(kind: type[Guardrail[Any]]) -> list[Field[Any]]:
    """List the limits that a guardrail declares."""
    return [one for one in fields(kind) if one.metadata]


def at_most(measured: float, most: float) -> Outcome:
    """Hold something against its limit."""
    return Outcome.PASS if measured <= most else Outcome.FAIL


_Begun = TypeVar("_Begun", bound=Looking)


@dataclass(frozen=True, slots=True)
class GuardrailSet(Generic[_Begun]):
    """Guardrails that are looked at together; kept, because they remember what they saw.

    Attributes:
        guardrails: in the order of their verdicts.
        begin: begins a look; each source is read once in it.
    """

    guardrails: Sequence[Guardrail[_Begun]]
    begin: Callable[[State], _Begun]

    def look(self, state: State) -> Sequence[GuardrailVerdict]:
        """Look at every one that means something in the state's stage."""
        look = self.begin(state)
        return [one.verdict(look) for one in self.guardrails if state.stage in one.stages]
