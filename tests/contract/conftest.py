"""One local AWS for every contract test of a session, in a home of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from migration.local.emulator import Emulator, Faults
from tests.contract.emulator_aws import Clients

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A running local AWS. Tests share it: they make resources of their own, and never reset it."""
    running = Emulator.start(tmp_path_factory.mktemp("local-aws"), detached=False)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def aws(emulator: Emulator) -> Clients:
    return Clients.of(emulator)


@pytest.fixture
def faults(emulator: Emulator) -> Iterator[Faults]:
    """The fault layer, with nothing armed before and after."""
    emulator.faults.clear()
    yield emulator.faults
    emulator.faults.clear()
