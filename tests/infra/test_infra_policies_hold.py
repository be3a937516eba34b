"""The whole program, in every stack and phase, keeps every policy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cutover_infra.policies import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from cutover_infra.policies.model import Rule
    from tests.infra.conftest import Deployed

DEPLOYING = Path(__file__).resolve().parents[2] / "docs/deploying.md"


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_stack_and_phase_keeps_the_rule(rule: Rule, deployed: Deployed) -> None:
    assert list(rule.violations(deployed.resources)) == []


@pytest.mark.slow
@pytest.mark.parametrize("auth", ["iam", "api_key"])
def test_both_credentials_that_prod_allows_keep_the_rules(auth: str, deploy: Callable[..., Deployed]) -> None:
    resources = deploy("prod", "expand", auth=auth).resources
    assert [found for rule in RULES for found in rule.violations(resources)] == []


def test_rules_have_names_of_their_own() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_documentation_lists_every_rule() -> None:
    documented = re.findall(r"^\| `([\w-]+)` \| (.*) \|$", DEPLOYING.read_text(), re.MULTILINE)
    assert [row for row in documented if "-" in row[0] or row[0] == "tagged"] == [
        (rule.name, rule.description) for rule in RULES
    ]
