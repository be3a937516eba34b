"""The plan file `cutover.toml`: which migration, which stack, and how legacy's tables map to facts.

Everything has a default, the reference system's, so no file is a plan too. docs/contracts.md shows every
key. A wrong key or value is an error that names the key and the remedy; nothing is ever ignored.
"""

from __future__ import annotations

import hashlib
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Final, get_args

from pydantic import BaseModel, Field, ValidationError

from migration.cutover.course import CutoverPlan
from migration.guardrails.plan import GuardrailsPlan
from migration.model.errors import UsageError
from migration.model.legacy.layout import LegacyPlan
from migration.model.part import PlanPart
from migration.plan.hooks import HooksPlan
from migration.plan.traffic import TrafficPlan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PLAN_FILE: Final = "cutover.toml"

_Name = Annotated[str, Field(min_length=1, pattern=r"^[^#\s]+$")]


class Plan(PlanPart):
    """A migration."""

    migration: Annotated[_Name, Field(description="Names the migration in the control table")] = "activities"
    stack: Annotated[_Name, Field(description="Pulumi stack whose outputs name the rest")] = "local"
    legacy: LegacyPlan = LegacyPlan()
    cutover: CutoverPlan = CutoverPlan()
    traffic: TrafficPlan = TrafficPlan()
    hooks: HooksPlan = HooksPlan()
    guardrails: GuardrailsPlan = GuardrailsPlan()

    @property
    def hash(self) -> str:
        """The first 12 hexadecimal digits of the SHA-256 of everything in it, defaults filled in."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]


def load_plan(path: Path) -> Plan:
    """Read a plan file.

    Raises:
        UsageError: when it is not there or not TOML, or a key of it is wrong.
    """
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="name a plan file with --plan"
        ) from error
    except ValueError as error:
        raise UsageError(f"{path} is not TOML: {error}", hint="correct the file there") from error
    try:
        return Plan.model_validate(fields)
    except ValidationError as error:
        raise _usage_error(path, error) from error


def plan_of(folder: Path, path: Path | None = None) -> Plan:
    """Read the plan that is named, else the folder's, else take the reference system's.

    Raises:
        UsageError: as `load_plan`.
    """
    if path is not None:
        return load_plan(path)
    usual = folder / PLAN_FILE
    return load_plan(usual) if usual.is_file() else Plan()


def _usage_error(path: Path, error: ValidationError) -> UsageError:
    problems = list(dict.fromkeys(_problem(one["loc"], one) for one in error.errors()))
    return UsageError(
        "\n".join(f"{path}: {problem}" for problem in problems),
        hint="docs/contracts.md and docs/guardrails.md name every key",
        next_command="cutover plan schema",
    )


def _problem(location: Sequence[int | str], problem: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    # A union's location ends in the name of the alternative that did not fit, which is no key of the file.
    keys = [str(part) for part in location if not _names_a_type(str(part))]
    key = ".".join(keys)
    if problem["type"] == "extra_forbidden":
        allowed = ", ".join(_keys_beside(keys))
        return f"{key} is not a key of a plan; here are {allowed}"
    if keys and keys[-1] != str(location[-1]):
        return f"{key} must be an attribute's name, or {{ constant = … }}"
    message = f"{problem['msg'][0].lower()}{problem['msg'][1:]}"
    if isinstance(problem["input"], dict):  # a whole table, which may hold addresses with secrets
        return f"{key}: {message}"
    return f"{key} = {problem['input']!r}: {message}"


def _names_a_type(part: str) -> bool:
    return part.startswith(("Constant", "constrained-"))


def _keys_beside(keys: Sequence[str]) -> list[str]:
    model: type[BaseModel] | None = Plan
    for key in keys[:-1]:
        if key.isdigit():  # which of an array's tables
            continue
        field = model.model_fields.get(key) if model is not None else None
        annotation: Any = None if field is None else field.annotation
        annotation = next(iter(get_args(annotation)), annotation)  # of an array, or of what may be left out
        is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        model = annotation if is_model else None
    return ["constant"] if model is None else list(model.model_fields)
