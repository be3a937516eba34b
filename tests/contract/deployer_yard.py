"""The fixture of the deployer's tests, in a file of its own: pytest loads it as a plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.deployer_things import yard_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.deployer_things import Yard


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    """A stack of things, not deployed yet."""
    with yard_at(tmp_path / "state.json") as empty:
        yield empty
