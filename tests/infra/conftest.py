"""The whole program, run once for each stack and phase that a test asks for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cutover_infra.defaults import DEFAULTS
from cutover_infra.policies.model import Declared
from cutover_infra.settings import Phase, Stack
from migration.local.deployer.recording import Recording, record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"


@dataclass(frozen=True)
class Deployed:
    """A recorded run of the program, and its resources as the policies see them."""

    stack: str
    phase: str
    recording: Recording
    resources: Sequence[Declared]

    def of_type(self, suffix: str) -> list[Declared]:
        """Select AWS's resources by the end of their type, such as `Queue`."""
        return [
            each
            for each in self.resources
            if each.type.startswith("aws:") and each.type.endswith(f":{suffix}")
        ]

    def named(self, suffix: str, physical: str) -> Declared:
        """Give the one resource of that type and physical name."""
        (found,) = [
            each for each in self.of_type(suffix) if each.get("name") == f"cutover-{self.stack}-{physical}"
        ]
        return found


@cache
def _deploy(stack: str, phase: str, more: tuple[tuple[str, str], ...]) -> Deployed:
    config = {"aws:region": REGION, "cutover:phase": phase, **dict(more)}
    if stack == "prod":
        config.setdefault("cutover:cors_origin", "https://boards.example.com")
    recording = record(ROOT, "cutover", stack, config)
    resources = [
        Declared(
            urn=each.urn,
            type=each.type,
            name=each.name,
            props={**each.outputs, **each.inputs},
            protect=each.options.protect,
            deletes_first=bool(each.options.delete_before_replace),
        )
        for each in recording.resources
    ]
    return Deployed(stack, phase, recording, resources)


@pytest.fixture(scope="session")
def deploy() -> Callable[..., Deployed]:
    """Run the program: `deploy("dev", "expand", auth="iam")`."""

    def run(stack: str, phase: str, **settings: str) -> Deployed:
        # What says the default is the same run.
        usual = DEFAULTS[Stack(stack)]
        more = {f"cutover:{key}": text for key, text in settings.items() if usual.get(key) != text}
        return _deploy(stack, phase, tuple(sorted(more.items())))

    return run


_FAST = {("prod", "legacy"), ("prod", "expand"), ("prod", "contract"), ("local", "expand")}


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(pair, id="-".join(pair), marks=() if pair in _FAST else pytest.mark.slow)
        for pair in product(map(str, Stack), map(str, Phase))
    ],
)
def deployed(request: pytest.FixtureRequest) -> Deployed:
    """Every stack in every phase."""
    return _deploy(*request.param, ())
