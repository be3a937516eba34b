"""The plan file: the reference system by default, and every mistake named with its remedy."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from migration.guardrails.folding import FactsUnfolded
from migration.guardrails.plan import GuardrailsPlan
from migration.guardrails.rates import Latency
from migration.model.errors import UsageError
from migration.model.legacy.layout import LegacyPlan
from migration.plan.plan import Plan, load_plan, plan_of

CONTRACTS = Path(__file__).parents[2] / "docs" / "contracts.md"


def written(folder: Path, text: str) -> Path:
    path = folder / "cutover.toml"
    path.write_text(text)
    return path


def test_without_a_file_the_plan_is_the_reference_systems(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert (plan.migration, plan.stack) == ("activities", "local")
    assert plan.legacy == LegacyPlan()
    assert plan.legacy.leaderboard.format == "json"


def test_the_example_in_the_contracts_is_the_default_plan(tmp_path: Path) -> None:
    section = CONTRACTS.read_text().split("**The plan file**")[1]
    example = section.split("```toml\n")[1].split("```")[0]
    assert load_plan(written(tmp_path, example)) == Plan()
    assert set(tomllib.loads(example)["legacy"]) == set(Plan.model_fields["legacy"].annotation.model_fields)  # type: ignore[union-attr] # it is a model


def test_a_named_file_wins_over_the_folders(tmp_path: Path) -> None:
    written(tmp_path, 'migration = "here"')
    other = tmp_path / "other.toml"
    other.write_text('migration = "there"')
    assert plan_of(tmp_path).migration == "here"
    assert plan_of(tmp_path, other).migration == "there"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("migration = 3", "migration = 3: input should be a valid string"),
        ('sides = "two"', "sides is not a key of a plan; here are migration, stack, legacy"),
        ('[legacy.events]\npoint = "x"', "legacy.events.point is not a key of a plan; here are table,"),
        ("[legacy.events]\npoints = 5", "legacy.events.points must be an attribute's name, or { constant"),
        ('[legacy.events]\npoints = { constant = "a" }', "legacy.events.points.constant = 'a'"),
        ('[legacy.events]\ntime_format = "ISO"', "should be 'iso', 'epoch_s' or 'epoch_ms'"),
        ('[legacy.events]\nemployee_id = "a..b"', "legacy.events.employee_id = 'a..b'"),
        ('[legacy.events]\nevent_id = { constant = "a" }', "legacy.events.event_id"),
        ('[legacy.leaderboard]\nformat = "xml"', "should be 'json' or 'list'"),
        ("[legacy.events", "is not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        load_plan(written(tmp_path, text))
    assert said in str(raised.value)
    assert "cutover.toml" in str(raised.value)


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere"):
        plan_of(tmp_path, tmp_path / "nowhere.toml")


def test_the_schema_names_every_key_and_default() -> None:
    schema = json.loads(json.dumps(Plan.model_json_schema()))
    events = schema["$defs"]["LegacyEvents"]
    assert events["properties"]["employee_id"]["default"] == "employee_id"
    assert events["additionalProperties"] is False


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('dry = ["speed"]', "guardrails.dry.0 = 'speed': input should be 'queue_age', 'pulse_age'"),
        ("lag_s = 0", "guardrails.lag_s = 0: input should be greater than 0"),
        ("alpha = 1.5", "guardrails.alpha = 1.5: input should be less than 1"),
        ("errors = 3", "guardrails.errors is not a key of a plan; here are dry, off, queue_age_s"),
        ("error_bad = 0.001", "error_bad must be greater than error_margin, or it would never be noticed"),
    ],
)
def test_a_wrong_limit_is_named_with_its_remedy(tmp_path: Path, lines: str, says: str) -> None:
    path = written(tmp_path, f"[guardrails]\n{lines}\n")
    with pytest.raises(UsageError) as refused:
        load_plan(path)
    assert says in str(refused.value)


def test_limits_are_part_of_the_plan_and_of_its_hash(tmp_path: Path) -> None:
    plan = load_plan(written(tmp_path, '[guardrails]\ndry = ["latency"]\nlag_s = 20\n'))
    (unfolded,), (slow,) = plan.guardrails.chosen([FactsUnfolded]), plan.guardrails.chosen([Latency])
    assert (unfolded.dry, unfolded.lag_s) == (False, 20.0)
    assert slow.dry
    assert plan.hash != Plan().hash


def test_limits_travel_to_a_function_as_json() -> None:
    part = GuardrailsPlan.model_validate({"dry": ["latency"], "lag_s": 20})
    assert GuardrailsPlan.model_validate_json(part.model_dump_json()) == part
