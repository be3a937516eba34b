"""Stacks that were deployed before still preview without a replacement: no resource has another URN or type.

    tests/recorded/resources/STACK-PHASE.txt     each URN, and the inputs whose change would replace it

`CUTOVER_RECORD=1 python -m pytest tests/infra/test_infra_recorded.py` writes them anew. A URN that changes on
purpose needs an alias in the program, and no change here: aliases are looked at.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cutover_infra.policies.transitions import IDENTITY

if TYPE_CHECKING:
    from tests.infra.conftest import Deployed

RECORDED: Final = Path(__file__).parents[1] / "recorded" / "resources"


def identities(deployed: Deployed) -> dict[str, str]:
    """Name, by its URN, the inputs of each resource that replace it when they are others."""
    found = {}
    for each in deployed.resources:
        names = {key: each.props[key] for key in IDENTITY.get(each.type, ("name",)) if key in each.props}
        found[each.urn] = " ".join(f"{key}={value}" for key, value in sorted(names.items()))
    return found


def test_every_resource_that_was_deployed_before_keeps_its_urn(deployed: Deployed) -> None:
    now = identities(deployed)
    file = RECORDED / f"{deployed.stack}-{deployed.phase}.txt"
    if os.environ.get("CUTOVER_RECORD"):
        file.write_text(
            "".join(f"{urn} {named}".strip() + "\n" for urn, named in sorted(now.items())), "utf-8"
        )
    was = dict(line.partition(" ")[::2] for line in file.read_text(encoding="utf-8").splitlines())
    assert now == was
