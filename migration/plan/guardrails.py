"""The part `[guardrails]` of the plan file: each guardrail's limit, and which are dry or off.

docs/guardrails.md tells what each key means. A function gets the same part as JSON in its environment.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from migration.guardrails.limits import Guard, Limits
from migration.model.part import PlanPart

_Seconds = Annotated[float, Field(gt=0)]
_Rate = Annotated[float, Field(gt=0, lt=1)]
_Names = Annotated[tuple[Annotated[Guard, Field(strict=False)], ...], Field(strict=False)]


class GuardrailsPlan(PlanPart):
    """What must hold while traffic moves."""

    dry: Annotated[_Names, Field(description="Guardrails that are shown, and count as passed")] = ()
    off: Annotated[_Names, Field(description="Guardrails that are not looked at")] = ()
    queue_age_s: Annotated[
        _Seconds, Field(description="Seconds that messages may wait while nothing is folded")
    ] = 5.0
    pulse_age_s: Annotated[_Seconds, Field(description="Age of the newest folded fact or pulse")] = 150.0
    lag_s: Annotated[_Seconds, Field(description="Seconds after which a fact must be folded")] = 10.0
    dead_letters: Annotated[int, Field(ge=0, description="Messages that may have been given up")] = 0
    mirror_lag_s: Annotated[
        _Seconds, Field(description="Seconds that the reverse mirror's queue may not get shorter")
    ] = 30.0
    mirror_misses: Annotated[
        int, Field(ge=0, description="Missed forward mirrors that may wait for a reconcile")
    ] = 100
    snapshot_age_s: Annotated[_Seconds, Field(description="Age of the newest snapshot")] = 180.0
    alpha: Annotated[_Rate, Field(description="Chance of a false alarm, of each rate and epoch")] = 0.01
    error_margin: Annotated[
        _Rate, Field(description="By how much the pipeline's error rate may exceed legacy's")
    ] = 0.01
    error_rate: Annotated[_Rate, Field(description="Error rate, where legacy answers nobody")] = 0.02
    error_bad: Annotated[
        _Rate, Field(description="Excess of errors that must have been noticed before it passes")
    ] = 0.2
    latency_margin: Annotated[
        _Rate, Field(description="Share of requests that may be slower than legacy allows")
    ] = 0.05
    latency_factor: Annotated[
        float, Field(ge=1, le=64, description="Times as slow as legacy that the pipeline may be")
    ] = 2.0
    latency_from_ms: Annotated[
        float, Field(ge=1, le=10_000, description="Milliseconds below which anything is quick enough")
    ] = 100.0
    latency_ms: Annotated[
        float, Field(ge=1, le=10_000, description="Milliseconds that are slow, where legacy answers nobody")
    ] = 1000.0
    latency_bad: Annotated[
        _Rate, Field(description="Excess of slow requests that must have been noticed before it passes")
    ] = 0.3
    door_settled_s: Annotated[
        _Seconds, Field(description="Seconds in which every instance must route by a new epoch")
    ] = 5.0
    door_seen_s: Annotated[_Seconds, Field(description="Seconds that an instance's counts speak")] = 10.0
    rank_biased: Annotated[
        float, Field(ge=0, le=1, description="Rank-biased overlap with the truth, at least")
    ] = 0.5

    @model_validator(mode="after")
    def _noticeable(self) -> Self:
        for bad, margins in (
            ("error_bad", ("error_margin", "error_rate")),
            ("latency_bad", ("latency_margin",)),
        ):
            for margin in margins:
                if getattr(self, bad) <= getattr(self, margin):
                    raise ValueError(f"{bad} must be greater than {margin}, or it would never be noticed")
        return self

    @property
    def limits(self) -> Limits:
        """The limits, as the core takes them."""
        fields = self.model_dump()
        return Limits(**{**fields, "dry": frozenset(self.dry), "off": frozenset(self.off)})
