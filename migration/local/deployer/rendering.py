"""Plans as text for people, in the manner of `pulumi preview`. Secrets are never in it.

Returns rich's `Text`; where it is printed, and whether in colour, is the caller's to say.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from rich.text import Text

from migration.local.deployer.differences import PropertyChange
from migration.local.deployer.plan import ResourceStep, StepKind
from migration.local.deployer.values import Archive, Asset, Secret, Unknown, Value, mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.local.deployer.plan import DeploymentPlan

_SYMBOLS: Final = {
    StepKind.SAME: (" ", "dim", "unchanged"),
    StepKind.CREATE: ("+", "green", "to create"),
    StepKind.UPDATE: ("~", "yellow", "to update"),
    StepKind.REPLACE: ("+-", "magenta", "to replace"),
    StepKind.DELETE: ("-", "red", "to delete"),
}
_LONGEST: Final = 72


def render_plan(plan: DeploymentPlan) -> Text:
    """Write one line for each step, the properties that change below it, the outputs and the counts.

    Steps that change nothing are only counted.
    """
    text = Text(f"Stack {plan.stack} of project {plan.project}\n", style="bold")
    text.append("\n")
    shown = [step for step in plan.steps if step.kind is not StepKind.SAME]
    width = max((len(_short_type(step.type)) for step in shown), default=0)
    for step in shown:
        text.append_text(_line(step, width))
        if step.kind in {StepKind.UPDATE, StepKind.REPLACE}:
            for change in step.changes:
                text.append_text(_property(change, "       "))
    if plan.outputs:
        text.append("\n  Outputs\n" if shown else "  Outputs\n", style="bold")
        for change in plan.outputs:
            for part in _parts(change):
                text.append_text(_property(part, "    "))
    text.append_text(_summary(plan))
    text.rstrip()
    return text


def _short_type(token: str) -> str:
    """Write `aws:sqs/queue:Queue` as `aws:sqs:Queue`, as Pulumi does for people."""
    package, _, rest = token.partition(":")
    module, _, name = rest.partition(":")
    return f"{package}:{module.partition('/')[0]}:{name}"


def _line(step: ResourceStep, width: int) -> Text:
    symbol, colour, _ = _SYMBOLS[step.kind]
    line = Text(f"  {symbol:<3}", style=colour)
    line.append(f"{_short_type(step.type):<{width}}  ", style=colour if step.custom else "dim")
    line.append(step.name)
    if step.note:
        line.append(f"  ({step.note})", style="dim")
    if step.blocked:
        line.append("  is protected, so the deployment will refuse this", style="bold red")
    return line.append("\n")


def _parts(change: PropertyChange) -> Iterator[PropertyChange]:
    """Take a map that comes or goes apart, so that each of its values gets a line."""
    old, new = change.old, change.new
    whole = new if old is None else old if new is None else None
    if not isinstance(whole, dict):
        yield change
        return
    for key, value in whole.items():
        path = f"{change.path}.{key}"
        yield from _parts(
            PropertyChange(path, None, value) if old is None else PropertyChange(path, value, None)
        )


def _property(change: PropertyChange, indent: str) -> Text:
    if change.old is None:
        symbol, style, shown = "+", "green", _shown(change.new)
    elif change.new is None:
        symbol, style, shown = "-", "red", _shown(change.old)
    else:
        symbol, style, shown = "~", "yellow", f"{_shown(change.old)} -> {_shown(change.new)}"
    line = Text(f"{indent}{symbol} {change.path}: {shown}", style=style)
    return line.append("  forces replacement\n" if change.replaces else "\n", style="magenta")


def _shown(value: Value) -> str:
    if isinstance(value, Secret | Unknown | Archive | Asset):
        text = str(mask(value))
    else:
        text = json.dumps(mask(value), default=repr, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _summary(plan: DeploymentPlan) -> Text:
    if plan.changes_nothing:
        return Text(f"  Nothing to do: {sum(plan.counts.values())} resources are as they should be.\n")
    text = Text("\n  ")
    for part in _counted(plan):
        text.append_text(part)
    return text.append("\n")


def _counted(plan: DeploymentPlan) -> Iterator[Text]:
    for kind, count in sorted(plan.counts.items(), key=lambda item: item[0] is StepKind.SAME):
        symbol, colour, words = _SYMBOLS[kind]
        yield Text(f"{symbol} {count} {words}   ".lstrip(), style=colour)
