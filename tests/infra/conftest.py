"""The whole program, run once for each stack and phase that a test asks for."""

from __future__ import annotations

import fcntl
import pickle
from dataclasses import dataclass, field
from hashlib import sha256
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


@dataclass(frozen=True)
class Runs:
    """Every run that was asked for, made once a session: its workers share what one of them recorded."""

    folder: Path
    _made: dict[tuple[str, str, str], Deployed] = field(default_factory=dict)

    def of(self, stack: str, phase: str, more: tuple[tuple[str, str], ...]) -> Deployed:
        key = (stack, phase, repr(more))
        if key not in self._made:
            self._made[key] = _deployed(stack, phase, self._recording(stack, phase, more))
        return self._made[key]

    def _recording(self, stack: str, phase: str, more: tuple[tuple[str, str], ...]) -> Recording:
        path = self.folder / sha256(f"{stack} {phase} {more}".encode()).hexdigest()
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                path.write_bytes(pickle.dumps(_record(stack, phase, more)))
        recording: Recording = pickle.loads(path.read_bytes())  # noqa: S301 - this session wrote it
        return recording


def _record(stack: str, phase: str, more: tuple[tuple[str, str], ...]) -> Recording:
    config = {"aws:region": REGION, "cutover:phase": phase, **dict(more)}
    if stack == "prod":
        config.setdefault("cutover:cors_origin", "https://boards.example.com")
    return record(ROOT, "cutover", stack, config)


def _deployed(stack: str, phase: str, recording: Recording) -> Deployed:
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
def runs(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Runs:
    """Keep them in a folder of the session, not of one worker."""
    if worker_id == "master":
        return Runs(tmp_path_factory.mktemp("runs"))
    folder = tmp_path_factory.getbasetemp().parent / "infra-runs"
    folder.mkdir(exist_ok=True)
    return Runs(folder)


@pytest.fixture(scope="session")
def deploy(runs: Runs) -> Callable[..., Deployed]:
    """Run the program: `deploy("dev", "expand", auth="iam")`."""

    def run(stack: str, phase: str, **settings: str) -> Deployed:
        # What says the default is the same run.
        usual = DEFAULTS[Stack(stack)]
        more = {f"cutover:{key}": text for key, text in settings.items() if usual.get(key) != text}
        return runs.of(stack, phase, tuple(sorted(more.items())))

    return run


_FAST = {("prod", "legacy"), ("prod", "expand"), ("prod", "contract"), ("local", "expand")}


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(pair, id="-".join(pair), marks=() if pair in _FAST else pytest.mark.slow)
        for pair in product(map(str, Stack), map(str, Phase))
    ],
)
def deployed(request: pytest.FixtureRequest, runs: Runs) -> Deployed:
    """Every stack in every phase."""
    return runs.of(*request.param, ())
