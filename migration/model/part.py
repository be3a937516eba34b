"""What every part of a plan file is: frozen, strict about types, and closed to keys that it does not know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class PlanPart(BaseModel):
    """A table of the plan file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
