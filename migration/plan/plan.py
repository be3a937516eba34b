"""The plan file `cutover.toml`: which migration, which stack, and how legacy's tables map to facts.

Everything has a default, the reference system's, so no file is a plan too. docs/contracts.md shows every
key. A wrong key or value is an error that names the key and the remedy; nothing is ever ignored.
"""

from __future__ import annotations

import hashlib
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, Field, ValidationError, field_validator

from migration.cutover.course import Course
from migration.guardrails.plan import GuardrailsPlan
from migration.model.backfill import MAX_WCU
from migration.model.errors import UsageError
from migration.model.mapping import Constant, EventLayout, ProgressLayout, TimeFormat
from migration.model.part import PlanPart
from migration.model.stages import Stage
from migration.plan.hooks import HooksPlan
from migration.plan.traffic import TrafficPlan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PLAN_FILE: Final = "cutover.toml"
_ALL: Final = 100  # percent

_Name = Annotated[str, Field(min_length=1, pattern=r"^[^#\s]+$")]
_Table = Annotated[
    str | None,
    Field(pattern=r"^[A-Za-z0-9_.-]{3,255}$", description="Table; from the stack's outputs when left out"),
]
_Path = Annotated[
    str, Field(pattern=r"^[^.]+(\.[^.]+)*$", description="Attribute; dots go into maps: detail.employee.id")
]


class ConstantText(PlanPart):
    """A text that is the same for every item."""

    constant: Annotated[str, Field(min_length=1)]


class ConstantNumber(PlanPart):
    """A number that is the same for every item."""

    constant: Annotated[int, Field(ge=0)]


class LegacyEvents(PlanPart):
    """Legacy's event table: one item an activity."""

    table: _Table = None
    employee_id: _Path = "employee_id"
    event_id: _Path = "event_id"
    program_id: _Path | ConstantText = "program_id"
    activity_type: _Path | ConstantText = "activity_type"
    points: _Path | ConstantNumber = "points"
    occurred_at: _Path = "occurred_at"
    time_format: Literal["iso", "epoch_s", "epoch_ms"] = "iso"

    @property
    def layout(self) -> EventLayout:
        """The mapping, as the core takes it."""
        return EventLayout(
            self.employee_id,
            self.event_id,
            _attribute(self.program_id),
            _attribute(self.activity_type),
            _attribute(self.points),
            self.occurred_at,
            TimeFormat(self.time_format),
        )


class LegacyEmployeeProgress(PlanPart):
    """Legacy's employee progress: one item an employee and program."""

    table: _Table = None
    employee_id: _Path = "employee_id"
    program_id: _Path = "program_id"
    points: _Path = "points"
    events: _Path = "events"

    @property
    def layout(self) -> ProgressLayout:
        """The mapping, as the core takes it."""
        return ProgressLayout(self.employee_id, self.program_id, self.points, self.events)


class LegacyProgramProgress(PlanPart):
    """Legacy's program progress: one item a program."""

    table: _Table = None
    program_id: _Path = "program_id"
    points: _Path = "points"
    events: _Path = "events"

    @property
    def layout(self) -> ProgressLayout:
        """The mapping, as the core takes it."""
        return ProgressLayout(None, self.program_id, self.points, self.events)


class LegacyLeaderboard(PlanPart):
    """Legacy's leaderboard: one item a board."""

    table: _Table = None
    board: _Path = "board"
    entries: Annotated[_Path, Field(description="JSON text, or a list of maps")] = "entries"
    format: Literal["json", "list"] = "json"


class LegacyPlan(PlanPart):
    """Legacy's tables."""

    events: LegacyEvents = LegacyEvents()
    employee_progress: LegacyEmployeeProgress = LegacyEmployeeProgress()
    program_progress: LegacyProgramProgress = LegacyProgramProgress()
    leaderboard: LegacyLeaderboard = LegacyLeaderboard()


class CutoverPlan(PlanPart):
    """How traffic moves: in which steps, and how long each is watched before the next."""

    steps: Annotated[
        tuple[Annotated[int, Field(ge=1, le=100)], ...],
        Field(min_length=1, strict=False, description="Percent of traffic, growing, the last one 100"),
    ] = (1, 5, 25, 50, 100)
    bake_s: Annotated[float, Field(ge=0, description="Seconds that each step is watched")] = 300
    shadow_s: Annotated[float, Field(ge=0, description="Seconds that shadow is watched before live")] = 3600
    gates: Annotated[
        tuple[Literal["dualwrite", "shadow", "live", "rampdown", "complete"], ...],
        Field(strict=False, description="Stages that are entered only when a person says `cutover resume`"),
    ] = ()
    backfill_wcu: Annotated[
        float, Field(ge=1, description="Write units a second that the run's backfill uses at most")
    ] = MAX_WCU
    drill_percent: Annotated[int, Field(ge=1, le=100, description="Traffic that a rollback drill moves")] = 1
    drill_valid_s: Annotated[
        float, Field(gt=0, description="Seconds after which a rollback drill must be made again")
    ] = 86_400

    @property
    def course(self) -> Course:
        """The same, as the core takes it."""
        return Course(
            self.steps,
            self.bake_s,
            self.shadow_s,
            frozenset(map(Stage, self.gates)),
            self.drill_percent,
            self.drill_valid_s,
        )

    @field_validator("steps")
    @classmethod
    def _growing(cls, steps: tuple[int, ...]) -> tuple[int, ...]:
        if list(steps) != sorted(set(steps)) or steps[-1] != _ALL:
            raise ValueError("must grow from step to step and end in 100")
        return steps


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


def _attribute(value: str | ConstantText | ConstantNumber) -> str | Constant:
    return value if isinstance(value, str) else Constant(str(value.constant))


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
