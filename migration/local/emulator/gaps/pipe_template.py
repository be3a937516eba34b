"""How a pipe renders its target's input: the record, or its input template with the placeholders replaced.

ministack 1.5.33 drops a pipe's input template. On AWS a placeholder in the place of a JSON value is replaced
by the value as JSON, with the quotes and escapes it needs, and one inside a string by the bare text. Filled
with ministack's own rendering of event bus templates, whose rules are the same.

AWS does not document what a path that leads nowhere becomes; here it is an empty string, as on the event bus.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any, Final

from ministack.services import eventbridge

from migration.local.emulator.gaps import seam
from migration.model.moments import moment_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACEHOLDER: Final = re.compile(r"<([^<>]*)>")
_PATH: Final = re.compile(r"\$(?:\.[\w/-]+|\[\d+\])*")
_STEP: Final = re.compile(r"\.([\w/-]+)|\[(\d+)\]")


def unsupported(template: str) -> list[str]:
    """List the paths of a template that are not rendered here, wildcards above all."""
    paths = (name for name in _PLACEHOLDER.findall(template) if name.startswith("$"))
    return [path for path in paths if not _PATH.fullmatch(path)]


def render(pipe: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    """Write the message body for one record."""
    template = (pipe.get("TargetParameters") or {}).get("InputTemplate")
    if not template:
        return json.dumps(record)
    paths = (name for name in _PLACEHOLDER.findall(template) if name.startswith("$"))
    values = _reserved(pipe, record) | {path: _at(path, record) for path in paths}
    body: str = seam.original(eventbridge, "_render_input_template")(template, values)
    return body


def _reserved(pipe: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "aws.pipes.pipe-arn": pipe["Arn"],
        "aws.pipes.pipe-name": pipe["Name"],
        "aws.pipes.source-arn": pipe["Source"],
        "aws.pipes.target-arn": pipe["Target"],
        "aws.pipes.event.ingestion-time": moment_text(time.time()),
        "aws.pipes.event": record,
        "aws.pipes.event.json": record,
    }


def _at(path: str, record: Any) -> Any:  # noqa: ANN401 - any JSON value
    value = record
    for name, index in _STEP.findall(path):
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return ""
    return value
