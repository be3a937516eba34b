"""What the guardrails declare is what the plan file takes, and what docs/guardrails.md tells."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from migration.guardrails.guardrail import limits_of
from migration.guardrails.plan import GuardrailsPlan
from migration.guardrails.registry import PROOFS, VITAL
from migration.model.stages import Stage

if TYPE_CHECKING:
    from migration.guardrails.guardrail import Guardrail

ROOT = Path(__file__).parents[2]
ALL: tuple[type[Guardrail[Any]], ...] = (*VITAL, *PROOFS)
TABLES = "\n".join(
    line for line in (ROOT / "docs" / "guardrails.md").read_text().splitlines() if line.startswith("|")
)


def in_words(stages: frozenset[Stage]) -> str:
    """Say stages as the tables do: they are neighbours."""
    first, *_, last = ordered = [stage for stage in Stage if stage in stages]
    if last is Stage.COMPLETE:
        return "all but `off`" if first is Stage.DUALWRITE else f"from `{first}` on"
    return f"`{first}`, `{last}`" if len(ordered) == 2 else f"`{first}` … `{last}`"


def test_the_page_has_every_guardrail_in_order_and_its_stages() -> None:
    told = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \| [^|]+ \| [^|]+ \|$", TABLES, re.MULTILINE)
    assert told == [(one.name, in_words(one.stages)) for one in ALL]


def test_the_page_has_every_limit_and_its_default() -> None:
    told = re.findall(r"`(\w+)`(?: \|)? ([\d.]+)", TABLES)
    assert {key: float(value) for key, value in told} == {
        limit.name: limit.default for one in ALL for limit in limits_of(one)
    }


def test_the_plan_file_takes_every_limit_and_says_what_it_is() -> None:
    keys = GuardrailsPlan.model_json_schema()["properties"]
    declared = {limit.name: limit for one in ALL for limit in limits_of(one)}
    assert list(keys) == ["dry", "off", *declared]
    for name, limit in declared.items():
        assert (keys[name]["default"], keys[name]["description"]) == (
            limit.default,
            limit.metadata["description"],
        )


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_a_guardrail_says_what_must_hold_and_can_be_dry_or_off(one: type[Guardrail[Any]]) -> None:
    assert one.__doc__
    assert not one.__doc__.startswith(f"{one.__name__}("), "a dataclass's own words"
    assert [made.dry for made in GuardrailsPlan.model_validate({"dry": [one.name]}).chosen([one])] == [True]
    assert GuardrailsPlan.model_validate({"off": [one.name]}).chosen([one]) == []


def test_every_name_is_said_once_and_a_limit_that_guardrails_share_is_one() -> None:
    assert len({one.name for one in ALL}) == len(ALL)
    declared = [limit for one in ALL for limit in limits_of(one)]
    said = {(limit.name, limit.default, *sorted(map(str, limit.metadata.items()))) for limit in declared}
    assert len(said) == len({limit.name for limit in declared})
