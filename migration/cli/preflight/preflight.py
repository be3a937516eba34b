"""`cutover preflight`: whether a deployed stack is fit for a migration to move, check by check."""

from collections import Counter
from typing import Any

import typer
from rich.table import Column
from rich.text import Text

from migration.aws.stack.as_deployed import AsDeployed
from migration.cli.commands import OUTPUT, PLAN, Output, answer
from migration.cli.console import data, say
from migration.cli.views import MARKS, table, whole
from migration.model.errors import GuardrailError
from migration.model.guardrails import GuardrailVerdict, Outcome, worst
from migration.preflight.check import Check
from migration.preflight.checks import preflight as judge
from migration.wiring.site import Site

UNDECIDED = 11
AGAIN = ("cutover preflight", "again, when that is mended")
GO_ON = ("cutover run", "move the migration")
WARNING = ("!", "yellow")


def preflight(plan: PLAN = None, output: OUTPUT = Output.TABLE) -> None:
    """Check a deployed stack before a migration moves: permissions, stream, pipes, queues, horizons, mapping.

    Reads what is deployed, not what was meant to be. Nothing is changed: where a permission can be neither
    looked up nor seen in a read, a write is tried under a condition that can never hold. Every check says
    what was found, what it was held against, and what to do; docs/preflight.md says why each matters.

    Exit code 0: every check passed. 10: one failed. 11: none failed, but one could not be decided.

    For example:

        cutover preflight

        cutover preflight --output json | jq '.checks[] | select(.outcome != "pass")'
    """
    site = Site.find(plan)
    stack = site.stack
    deployed = AsDeployed(stack.clients, stack.describing, site.clock, stack.outputs, site.plan).read()
    checks = judge(deployed)
    outcome = worst(one.verdict for one in checks)
    fields = {"outcome": outcome, "checks": [_fields(one) for one in checks]}
    steps = [GO_ON if outcome is Outcome.PASS else AGAIN]
    answer(output, lambda: fields, lambda: _show(checks), steps)
    if outcome is Outcome.FAIL:
        raise typer.Exit(GuardrailError.exit_code)
    if outcome is not Outcome.PASS:
        raise typer.Exit(UNDECIDED)


def _show(checks: list[Check]) -> None:
    listed = table("", whole("Check"), Column("Found", overflow="fold"))
    for one in checks:
        verdict = one.verdict
        mark, style = _mark(verdict)
        listed.add_row(Text(mark, style), Text(verdict.name, style), _said(one))
    data.print(listed)
    counts = Counter(_word(one.verdict) for one in checks)
    say(f"{', '.join(f'{count} {word}' for word, count in counts.items())}.")


def _said(one: Check) -> Text:
    if not one.remedy:
        return Text(one.verdict.why)
    return Text.assemble(one.verdict.why, "\n", ("→ " + one.remedy, "bold"))


def _mark(verdict: GuardrailVerdict) -> tuple[str, str]:
    return WARNING if _is_warning(verdict) else MARKS[verdict.outcome]


def _word(verdict: GuardrailVerdict) -> str:
    return "warning" if _is_warning(verdict) else verdict.outcome.value


def _is_warning(verdict: GuardrailVerdict) -> bool:
    return verdict.dry and verdict.outcome is not Outcome.PASS


def _fields(one: Check) -> dict[str, Any]:
    verdict = one.verdict
    return {
        "name": verdict.name,
        "outcome": verdict.outcome,
        "counts_as": verdict.counted,
        "why": verdict.why,
        "remedy": one.remedy,
    }
