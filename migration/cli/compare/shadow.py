"""`cutover shadow`: both sides' boards compared over hours, before and while traffic moves."""

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from migration.aws.transport.clients import translated
from migration.cli.commands import OUTPUT, PLAN, Output, answer
from migration.cli.compare.shadow_view import show_shadow
from migration.cli.compare.since import since_text
from migration.cli.console import say
from migration.cli.write_page import write_page
from migration.compare.reasons import Judgement
from migration.compare.shadow.report import ShadowReport
from migration.model.errors import RemoteError, UsageError
from migration.model.wording import counted
from migration.report.shadow_fields import shadow_fields
from migration.report.shadow_page import headline, shadow_page
from migration.wiring.site import Site

app = typer.Typer(
    no_args_is_help=True, help="Compare both sides' boards with each other and the truth, for hours."
)

LOOK = ("cutover diff", "compare everything now, and see each difference's chain")
STEPS = {
    Judgement.UNEXPLAINED: [LOOK, ("cutover verify", "read again what differs, and name the events")],
    Judgement.TO_REPAIR: [("cutover reconcile", "put what a mirror missed where it belongs"), LOOK],
}


@app.command()
def compare(*, output: OUTPUT = Output.TABLE) -> None:
    """Have the comparator compare both sides now, and record it; in its stages it does so every minute.

    Exit code 0: compared, and nothing is unexplained. 1: something is. 2: the stage has nothing to compare.

    For example:

        cutover shadow compare
    """
    found = compared_now(Site.find())
    if not found["compared"]:
        raise UsageError(
            f"nothing was compared: {found['why']}",
            hint="enter the stage first; `cutover diff` compares in every stage",
            next_command="cutover diff",
        )
    text = f"Compared at {found['at']}: {counted(found['differences'].items())}."
    steps = [("cutover shadow report", "see it beside those before it")]
    answer(output, lambda: found, lambda: say(text), steps)
    if found["judgement"] == Judgement.UNEXPLAINED:
        raise typer.Exit(1)


@app.command()
def report(
    *,
    since: Annotated[str, typer.Option(help="From when on: a duration such as 8h or 2d, or a time.")] = "24h",
    html: Annotated[
        Path | None, typer.Option(help="Write a page with plots and all differences; it opens offline.")
    ] = None,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Show the recorded comparisons: agreement, staleness, latency, and what accounts for each difference.

    Comparisons are made every minute in the stages shadow, live and rampdown, and kept for 30 days.
    docs/reading-a-shadow-report.md tells more.

    Exit code 0: nothing was unexplained, and nothing is left to repair. 1: something was, or is.

    For example:

        cutover shadow report --since 8h --html shadow.html
    """
    site = Site.find(plan)
    migration = site.plan.migration
    start = since_text(since, datetime.fromtimestamp(site.clock.now(), UTC))
    comparisons = list(site.comparisons.since(start))
    if not comparisons:
        raise UsageError(
            f"there are no comparisons of migration {migration!r} since {start}",
            hint="the comparator makes one a minute from stage shadow on; or name an earlier --since",
            next_command="cutover shadow compare",
        )
    found = ShadowReport(site.outputs.stack, migration, comparisons)
    if html is not None:
        write_page(html, shadow_page(found))
    steps = STEPS.get(found.judgement, [])
    answer(output, partial(shadow_fields, found), partial(_show, found), steps)
    if not found.passes:
        raise typer.Exit(1)


def _show(found: ShadowReport) -> None:
    show_shadow(found)
    say(f"{headline(found)}.")


def compared_now(site: Site) -> dict[str, Any]:
    """Have the comparator compare now; returns its answer.

    Raises:
        UsageError: when the phase has none.
        RemoteError: when it failed.
    """
    function = site.between.comparator_function
    if function is None:
        raise site.outputs.one_sided("compare")
    with translated(f"invoking {function}"):
        result = site.stack.clients.functions.invoke(FunctionName=function, Payload=b"{}")
        text = result["Payload"].read()
    if "FunctionError" in result:
        shown = text.decode(errors="replace")[:300]
        raise RemoteError(f"{function} failed: {shown}", hint="its log group has the reason")
    answer: dict[str, Any] = json.loads(text)
    return answer
