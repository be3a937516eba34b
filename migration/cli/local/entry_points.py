"""Where a running stack is reached, and what a person can do with it next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from migration.cli.console import data

if TYPE_CHECKING:
    from migration.wiring.workspace import RunningStack

NEXT_COMMANDS: Final = (
    ("cutover local load --rate 50 --duration 10", "send activities to it"),
    ("cutover ledger check", "prove that none was lost, doubled or altered"),
    ("cutover local status", "see what is on its way"),
    ("cutover local down", "stop it"),
)


def urls(stack: RunningStack) -> dict[str, str]:
    """Name every address of the stack."""
    named = {}
    for side in ("legacy", "pipeline"):
        outputs = getattr(stack.outputs, side)
        if outputs is not None:
            named[f"{side} ingest"] = f"{outputs.ingest_url}activities"
            named[f"{side} leaderboard"] = f"{outputs.serve_url}leaderboard"
    if stack.outputs.pipeline is not None:
        named["dashboard"] = stack.outputs.pipeline.serve_url
    return named


def show_entry_points(stack: RunningStack) -> None:
    """Print every address, one a line, and the local AWS's own; never wrapped, so that it can be copied."""
    lines: dict[str, str] = {"phase": stack.outputs.phase}
    for name, url in urls(stack).items():
        lines[name] = f"POST {url}" if name.endswith("ingest") else f"GET  {url}"
    lines["local AWS"] = f"AWS_ENDPOINT_URL={stack.emulator.endpoint}"
    width = max(map(len, lines))
    for name, text in lines.items():
        data.print(Text.assemble((f"{name:<{width}}  ", "bold"), text), soft_wrap=True)
