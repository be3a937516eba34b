"""The part `[traffic]` of the plan file: who gives each side its share, the front door or aliases.

docs/traffic-switches.md tells when which is right, and what aliases cannot do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from migration.cutover.alias_weights import Versions
from migration.model.part import PlanPart
from migration.model.side import Side
from migration.plan.entrance import Entrance, Need

if TYPE_CHECKING:
    from migration.plan.outputs import EntryOutputs

_Version = Annotated[str, Field(description='A published version, such as "7"')]


class AliasPlan(PlanPart):
    """One alias, and which versions of its function are which side."""

    function: Annotated[str, Field(pattern=r"^[a-zA-Z0-9-_]{1,64}$", description="The function's name")]
    alias: Annotated[str, Field(pattern=r"^[a-zA-Z0-9-_]{1,128}$", description="The alias's name")]
    legacy_version: _Version
    pipeline_version: _Version

    @property
    def versions(self) -> Versions:
        """The two, as the core takes them."""
        return Versions(self.legacy_version, self.pipeline_version)

    @property
    def qualified(self) -> str:
        """Name the alias where a function is asked for."""
        return f"{self.function}:{self.alias}"

    @property
    def entrance(self) -> Entrance:
        """What clients meet there: two versions, each pinned to its side."""
        pinned = ((self.legacy_version, Side.LEGACY), (self.pipeline_version, Side.PIPELINE))
        doors = tuple((f"{self.function}:{version}", side) for version, side in pinned)
        actions = ("GetAlias", "UpdateAlias")
        return Entrance(self.qualified, doors, (Need("lambda", self.qualified, actions, "function:"),))

    @field_validator("legacy_version", "pipeline_version", mode="before")
    @classmethod
    def _published(cls, version: object) -> object:
        if isinstance(version, int):
            raise ValueError(f'write it in quotes, as "{version}"')  # noqa: TRY004 - pydantic's
        if isinstance(version, str) and not version.isdecimal():
            raise ValueError("is no published version, which is a number; an alias cannot weight $LATEST")
        return version

    @field_validator("alias")
    @classmethod
    def _no_version(cls, alias: str) -> str:
        if alias.isdecimal():
            raise ValueError("is a version; name the alias that clients call")
        return alias

    @model_validator(mode="after")
    def _two_versions(self) -> Self:
        if self.legacy_version == self.pipeline_version:
            raise ValueError(
                f"legacy_version and pipeline_version are both {self.legacy_version}; publish one a side"
            )
        return self


class TrafficPlan(PlanPart):
    """How traffic is switched."""

    switch: Annotated[
        Literal["door", "alias"], Field(description="Who routes in stage live: the door, or aliases")
    ] = "door"
    ingest_alias: Annotated[AliasPlan | None, Field(description="The alias that writes come through")] = None
    serve_alias: Annotated[AliasPlan | None, Field(description="The alias that reads come through")] = None

    @property
    def aliases(self) -> tuple[AliasPlan, AliasPlan] | None:
        """The aliases for writes and for reads; None where the door routes."""
        if self.ingest_alias is None or self.serve_alias is None:
            return None
        return self.ingest_alias, self.serve_alias

    def entrances(self, entry: EntryOutputs) -> tuple[Entrance, Entrance]:
        """Where writes and reads come in, of a stack with this entry."""
        if self.aliases is not None:
            return self.aliases[0].entrance, self.aliases[1].entrance
        functions = (entry.ingest_function, entry.serve_function)
        ingest, serve = (Entrance(one, ((one, None),)) for one in functions)
        return ingest, serve

    @model_validator(mode="after")
    def _both_or_none(self) -> Self:
        named = {"ingest_alias": self.ingest_alias, "serve_alias": self.serve_alias}
        missing = [key for key, alias in named.items() if alias is None]
        if self.switch == "alias" and missing:
            raise ValueError(f'switch = "alias" needs {" and ".join(missing)}; write {_EXAMPLE}')
        if self.switch == "door" and len(missing) < len(named):
            raise ValueError('the aliases would not be used; write switch = "alias", or leave them out')
        if self.aliases and self.aliases[0].qualified == self.aliases[1].qualified:
            raise ValueError(
                "ingest_alias and serve_alias are the same; reads and writes move apart, so give each its own"
            )
        return self


_EXAMPLE: Final = '{ function = "…", alias = "…", legacy_version = "1", pipeline_version = "2" }'
