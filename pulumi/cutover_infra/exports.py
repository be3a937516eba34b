"""What the stack tells the toolkit (`pulumi stack output --json`); docs/contracts.md is the contract.

A side that is not deployed in the phase is null, which Pulumi's output leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import pulumi

if TYPE_CHECKING:
    from cutover_infra.component import Deployment

Text = pulumi.Output[str]
Part = Mapping[str, Text | None]
Outputs = Mapping[str, Part | None]  # by part: None where the phase does not have it
_MIRROR: Final = (
    "mirror_function",
    "mirror_queue_url",
    "mirror_dead_letter_queue_url",
    "mirror_capture_dead_letter_queue_url",
    "mirror_pipe",
)


def migration_outputs(
    control_table: Text,
    notice_topic: Text | None,
    mirror: Part | None,
    comparator_function: Text | None,
) -> Part:
    """Say what is between the sides: mirror and comparator while there are two; see `with_watchdog`."""
    return {
        "control_table": control_table,
        "notice_topic": notice_topic,
        "watchdog_function": None,
        **{name: mirror[name] if mirror else None for name in _MIRROR},
        "comparator_function": comparator_function,
    }


def with_watchdog(outputs: Outputs, function: Text) -> Outputs:
    """Name the watchdog too. It gets the others' names itself, which Pulumi reads later: hence a copy."""
    between = outputs["migration"]
    return {**outputs, "migration": {**between, "watchdog_function": function} if between else None}


def as_json(deployment: Deployment, outputs: Outputs) -> Text:
    """Write what the stack exports as one text, for a function that finds its way by it."""
    return pulumi.Output.json_dumps({**_whole(deployment), **outputs})


def export(deployment: Deployment, outputs: Outputs) -> None:
    """Export the stack's outputs."""
    for part, values in {**_whole(deployment), **outputs}.items():
        pulumi.export(part, values)


def _whole(deployment: Deployment) -> dict[str, object]:
    settings = deployment.settings
    return {"stack": str(settings.stack), "phase": str(settings.phase), "region": deployment.region}
