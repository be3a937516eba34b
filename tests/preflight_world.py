"""A stack that is fit for a migration, as values; tests break one thing of it at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migration.model.legacy.layout import LegacyPlan
from migration.model.state import State
from migration.preflight.deployed import (
    Deployed,
    Door,
    Function,
    Grant,
    Leg,
    LegacyTable,
    Pipe,
    PlannedStack,
    Queue,
    QueueMapping,
    Skew,
    Table,
    TableSample,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DAY_S = 86_400
STREAM = "arn:aws:dynamodb:eu-west-1:1:table/facts/stream/2026"
NO_PULSE = [{"anything-but": ["#pulse"]}]
IMAGES: Mapping[str, Any] = {
    "capture": {"lane": ["live"]},
    "mirror": {"side": ["pipeline"], "employee_id": NO_PULSE, "program_id": NO_PULSE},
}
FIELDS = ("employee_id", "event_id", "program_id", "activity_type", "points", "occurred_at", "ingested_at")
TABLES = {
    "EVENTS_TABLE": "events",
    "EMPLOYEE_PROGRESS_TABLE": "employees",
    "PROGRAM_PROGRESS_TABLE": "programs",
}


def table(name: str, *, stream: bool = False) -> Table:
    return Table(name, STREAM if stream else None, "NEW_IMAGE" if stream else None, None, restorable=True)


EVENTS: Mapping[str, Sequence[str]] = {"capture": ["INSERT"], "mirror": ["INSERT", "MODIFY"]}


def pattern(events: Sequence[str] = ("INSERT",), **images: Any) -> str:
    image = {key: {"S": texts} for key, texts in images.items()}
    return json.dumps({"eventName": list(events), "dynamodb": {"NewImage": image}})


def leg(name: str, **environment: str) -> Leg:
    template = "{" + ",".join(f'"{field}":<$.dynamodb.NewImage.{field}.S>' for field in FIELDS) + "}"
    return Leg(
        name,
        Pipe(
            name,
            "RUNNING",
            "",
            STREAM,
            f"{name}-queue",
            (pattern(EVENTS[name], **IMAGES[name]),),
            "TRIM_HORIZON",
            23 * 3600,
            f"{name}-pipe-dlq",
            template,
        ),
        Queue(f"{name}-queue", 361, 4 * DAY_S, 5, f"{name}-dlq"),
        Queue(f"{name}-dlq", 30, 14 * DAY_S),
        Queue(f"{name}-pipe-dlq", 30, 14 * DAY_S),
        Function(f"{name}-function", "handler", 60, environment),
        (QueueMapping(f"{name}-queue", "Enabled", reports_failures=True, at_once=5, batch=1000, window_s=1),),
    )


def door(name: str) -> Door:
    environment = {"CONTROL_TABLE": "control", "MIGRATION": "activities", "BAKED_CONTROL": '{"stage":"off"}'}
    return Door(Function(name, f"door.{name}", 15, environment), f"door.{name}")


def fit() -> Deployed:
    expiring = replace(table("dedup"), expires_by="expires_at")
    return Deployed(
        1_000.0,
        "prod",
        PlannedStack("activities", "prod", "abc", LegacyPlan().written(), TABLES),
        "arn:aws:iam::1:user/ana",
        (
            Grant("dynamodb:Scan", "facts", allowed=True, how="simulated"),
            Grant("dynamodb:PutItem", "control", allowed=True, how="tried"),
        ),
        Skew(0.3, 0.5),
        table("control"),
        State(),
        table("facts", stream=True),
        expiring,
        (table("employee_progress"), table("program_progress")),
        ("pipe capture", "pipe mirror"),
        (
            leg("capture", FOLD_HORIZON_DAYS="15", DEDUP_TTL_DAYS="40"),
            leg("mirror", LEGACY_SHAPE="{}", **TABLES),
        ),
        LegacyTable(table("events"), TableSample("events", 100)),
        (
            LegacyTable(table("employees"), TableSample("employees", 90)),
            LegacyTable(table("programs"), TableSample("programs", 7)),
        ),
        (door("ingest"), door("serve")),
        (0, 40),
    )


def with_leg(deployed: Deployed, name: str, **changes: Any) -> Deployed:
    """Change one leg; a change `pipe__state="STOPPED"` goes into its pipe."""

    def changed(one: Leg) -> Leg:
        for key, value in changes.items():
            part, _, attribute = key.partition("__")
            inner = value if not attribute else replace(getattr(one, part), **{attribute: value})
            one = replace(one, **{part: inner})
        return one

    return replace(deployed, legs=tuple(changed(one) if one.name == name else one for one in deployed.legs))
