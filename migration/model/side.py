"""The two systems, and what each is called everywhere."""

from __future__ import annotations

from enum import StrEnum


class Side(StrEnum):
    """The two systems."""

    LEGACY = "legacy"
    PIPELINE = "pipeline"
