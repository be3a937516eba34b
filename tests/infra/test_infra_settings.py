"""Settings are typed and complete, and a wrong one is refused with words that say what to do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cutover_infra.configuration import SettingsError, read_settings
from cutover_infra.defaults import DEFAULTS
from cutover_infra.settings import Phase, Settings, Stack
from migration.local.deployer.project import stack_config

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.conftest import Deployed

ROOT = Path(__file__).resolve().parents[2]
PROD = {"cors_origin": "https://boards.example.com"}


def refusal(stack: str, **given: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read_settings(stack, (PROD if stack == "prod" else {}) | given)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("stack", list(Stack))
def test_a_stack_is_complete_without_a_setting_of_its_own(stack: Stack) -> None:
    settings = read_settings(stack, PROD if stack is Stack.PROD else {})
    assert settings.stack is stack
    assert set(DEFAULTS[stack]) == set(Settings.model_fields) - {"stack"}


@pytest.mark.parametrize("stack", list(Stack))
def test_the_stack_files_are_accepted(stack: Stack) -> None:
    config = stack_config(ROOT, "cutover", stack)
    given = {
        key.removeprefix("cutover:"): value for key, value in config.items() if key.startswith("cutover:")
    }
    assert read_settings(stack, given).phase in Phase
    assert config["aws:region"]


def test_texts_become_values() -> None:
    settings = read_settings("dev", {"phase": "expand", "pitr": "true", "board_size": "25"})
    assert (settings.phase, settings.pitr, settings.board_size) == (Phase.EXPAND, True, 25)


@pytest.mark.parametrize(
    ("key", "got", "message"),
    [
        ("phase", "expnd", "cutover:phase must be one of legacy, expand, contract; got 'expnd'"),
        ("front", "url", "cutover:front must be one of function_url, api_gateway; got 'url'"),
        ("board_size", "many", "cutover:board_size must be a whole number from 1 to 1000; got 'many'"),
        ("board_size", "0", "cutover:board_size must be a whole number from 1 to 1000; got '0'"),
        ("board_size", "2.5", "cutover:board_size must be a whole number from 1 to 1000; got '2.5'"),
        ("pitr", "maybe", "cutover:pitr must be true or false; got 'maybe'"),
        (
            "reserved_concurrency",
            "0",
            "cutover:reserved_concurrency must be -1 (not reserved) or a whole number from 1 to 1000; got",
        ),
        ("log_retention_days", "8", "cutover:log_retention_days must be one of 1, 3, 5, 7, 14, 30, "),
        ("cors_origin", "https://x.example/board", "cutover:cors_origin must be * or one origin such as "),
        ("powertools_layer", "27", "cutover:powertools_layer must be none or the ARN of a layer's version"),
        ("alarm_email", "me", "cutover:alarm_email must be none or an e-mail address; got 'me'"),
        ("max_receive_count", "4", "cutover:max_receive_count must be a whole number from 5 to 100; got '4'"),
        ("phases", "legacy", "cutover:phases is not a setting; did you mean cutover:phase?"),
        ("colour", "red", "cutover:colour is not a setting; docs/deploying.md lists the settings"),
    ],
)
def test_a_wrong_value_names_the_key_what_is_allowed_and_what_it_got(
    key: str, got: str, message: str
) -> None:
    (line,) = refusal("dev", **{key: got})
    assert line.startswith(message)


def test_every_problem_has_its_line() -> None:
    assert len(refusal("dev", phase="x", front="y", board_size="z")) == 3


def test_another_stack_is_refused() -> None:
    assert refusal("qa") == ["the stack must be one of dev, staging, prod, local; got 'qa'"]


@pytest.mark.parametrize(
    ("stack", "given", "message"),
    [
        ("dev", {"auth": "api_key"}, "cutover:auth must be none or iam with front function_url"),
        ("dev", {"queue_visibility_s": "360"}, "cutover:queue_visibility_s must be at least 361 "),
        ("dev", {"aggregate_timeout_s": "70"}, "cutover:queue_visibility_s must be at least 421 "),
        ("dev", {"dedup_ttl_days": "33"}, "cutover:dedup_ttl_days must be more than 33 "),
        ("dev", {"fold_horizon_days": "22"}, "cutover:dedup_ttl_days must be more than 40 "),
        ("dev", {"aggregate_window_s": "0"}, "cutover:aggregate_window_s must be at least 1 "),
        ("dev", {"snapshot_minutes": "3"}, "cutover:stale_after_s must be more than 180 "),
        ("dev", {"pitr": "false"}, "cutover:pitr must be true with bulk_engine"),
        ("prod", {"front": "function_url"}, "cutover:front must be api_gateway in prod"),
        ("prod", {"auth": "none"}, "cutover:auth must be iam or api_key in prod"),
        ("prod", {"cors_origin": "*"}, "cutover:cors_origin must name one origin in prod"),
        ("prod", {"pitr": "false"}, "cutover:pitr must be true in prod"),
        ("prod", {"protection": "false"}, "cutover:protection must be true in prod"),
    ],
)
def test_settings_that_exclude_each_other_are_refused(
    stack: str, given: dict[str, str], message: str
) -> None:
    (line,) = refusal(stack, **given)
    assert line.startswith(message)


@pytest.mark.parametrize("given", [{"dedup_ttl_days": "34"}, {"queue_visibility_s": "361"}])
def test_the_edge_of_what_is_allowed_is_allowed(given: dict[str, str]) -> None:
    assert read_settings("dev", given)


def test_the_program_refuses_a_wrong_setting_before_it_makes_anything(
    deploy: Callable[..., Deployed],
) -> None:
    with pytest.raises(
        Exception, match=r"cutover:phase must be one of legacy, expand, contract; got 'expnd'"
    ):
        deploy("dev", "expnd")
    with pytest.raises(Exception, match=r"cutover:phse is not a setting; did you mean cutover:phase\?"):
        deploy("dev", "expand", phse="x")


def test_the_documentation_lists_every_setting_with_its_defaults() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", (ROOT / "docs/deploying.md").read_text(), re.MULTILINE)
    documented = {key: cells.split(" | ") for key, cells in rows if key in Settings.model_fields}
    fields = {key: field for key, field in Settings.model_fields.items() if key != "stack"}
    assert documented == {
        key: [field.title, field.description, _default(key)] for key, field in fields.items()
    }


def _default(key: str) -> str:
    """Say the commonest default, then the stacks that have another."""
    stacks: dict[str, list[str]] = {}
    for stack, values in DEFAULTS.items():
        stacks.setdefault(_shown(values[key]), []).append(stack)
    (commonest, _), *others = sorted(stacks.items(), key=lambda pair: -len(pair[1]))
    return "; ".join([commonest, *(f"{', '.join(names)} {value}" for value, names in others)])


def _shown(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
