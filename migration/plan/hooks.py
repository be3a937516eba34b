"""The plan's `[hooks]`: executables and webhooks, asked before a move forward, told after every move."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from migration.model.part import PlanPart

if TYPE_CHECKING:
    from migration.cutover.moves import Move

_Stages = Annotated[
    tuple[Literal["off", "dualwrite", "shadow", "live", "rampdown", "complete"], ...], Field(strict=False)
]
_HERE: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class HookPlan(PlanPart):
    """One hook: `run` or `post`, for some moves or for all."""

    run: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...] | None,
        Field(strict=False, min_length=1, description="Executable and arguments; status 0 says yes"),
    ] = None
    post: Annotated[
        str | None, Field(pattern=r"^https?://[^\s/]+\S*$", description="Webhook; a status of 2xx says yes")
    ] = None
    token_env: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
            description="Variable whose value the webhook gets as a bearer token",
        ),
    ] = None
    leaving: Annotated[_Stages, Field(description="Only moves out of these stages")] = ()
    entering: Annotated[_Stages, Field(description="Only moves into these stages")] = ()
    timeout_s: Annotated[float, Field(gt=0, le=900, description="Seconds after which it has said no")] = 30

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.run is None) is (self.post is None):
            raise ValueError("say either run or post")
        if self.token_env is not None:
            address = urlsplit(self.post or "")
            if address.scheme != "https" and address.hostname not in _HERE:
                raise ValueError("token_env needs an https address in post")
        return self

    @property
    def name(self) -> str:
        """Name it without arguments, paths and queries, which may hold secrets."""
        return PurePath(self.run[0]).name if self.run else urlsplit(self.post or "").hostname or ""

    def is_for(self, move: Move) -> bool:
        """Whether it is asked about a move; a change of weights leaves `live` and enters it."""
        leaves = not self.leaving or move.was.stage in self.leaving
        return leaves and (not self.entering or move.to.stage in self.entering)


class HooksPlan(PlanPart):
    """Every hook, in the order in which they are asked."""

    before: Annotated[tuple[HookPlan, ...], Field(strict=False)] = ()
    after: Annotated[tuple[HookPlan, ...], Field(strict=False)] = ()
