"""`cutover certificate`: what was done and what proves it; a draft until the migration is complete."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from migration.aws.files.ledger_file import ledger_lines, load_ledger
from migration.certificate.certificate import (
    HASH,
    Certificate,
    LedgerTotals,
    certificate_fields,
    ledger_totals,
    shadow_sums,
)
from migration.certificate.clients import read_clients
from migration.certificate.cost import Counts, cost_lines
from migration.certificate.course import read_course
from migration.cli.certificate.view import show_certificate
from migration.cli.commands import OUTPUT, PLAN, Output, answer
from migration.cli.compare.ledger import await_folds
from migration.cli.console import print_json, say
from migration.cli.write_page import write_page
from migration.compare.ledger.check import check_sides, deciding
from migration.compare.shadow.comparison import KEPT, Comparison
from migration.compare.shadow.report import ShadowReport
from migration.cutover.footing import sound_state
from migration.model.errors import UsageError
from migration.model.moments import moment_text
from migration.report.certificate_file import examine
from migration.report.certificate_page import certificate_page
from migration.wiring.steering import Steering

SETTLE = timedelta(seconds=30)
app = typer.Typer()


@app.callback(invoke_without_command=True)
def certificate(  # noqa: PLR0913 - one for each option
    ctx: typer.Context,
    *,
    html: Annotated[
        Path | None, typer.Option(help="Write it as a page; it opens offline and prints.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write it as JSON, with its hash.")] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(help="Acknowledgement ledger, checked against the tables. Default: the stack's."),
    ] = None,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Issue the certificate of the migration: a draft, marked so, until its stage is complete.

    It has the moves, what guardrails said, rehearsals and rollbacks with their latencies, what clients saw,
    the ledger's totals, the comparisons of boards, the cost as an estimate, and how to prove it all again.
    docs/certificate.md tells more.

    Exit code 0: issued; a draft, too. 1: it is final, and something is not proven.

    For example:

        cutover certificate --html certificate.html --json certificate.json
    """
    if ctx.invoked_subcommand is not None:
        return
    issued = issue(Steering.find(plan), ledger)
    fields = certificate_fields(issued)
    if html is not None:
        write_page(html, certificate_page(fields), "certificate")
    if json_file is not None:
        write_page(json_file, f"{json.dumps(fields, indent=2, ensure_ascii=False)}\n", "certificate")
    answer(output, lambda: fields, lambda: show_certificate(issued, fields[HASH]), issued.verify)
    if issued.final and issued.missing:
        raise typer.Exit(1)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A certificate: its page or its JSON.")],
    *,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Say whether a certificate is as it was issued; it needs no stack.

    The hash is computed again, and a page is made again from its data. Whoever alters a copy can compute
    another hash, so compare that with one that you kept elsewhere, or issue the certificate again.

    Exit code 0: it is. 1: it was altered. 2: it is no certificate.

    For example:

        cutover certificate check certificate.html
    """
    try:
        found = examine(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", hint="name a certificate") from error
    except ValueError as error:
        raise UsageError(
            f"{file} is no certificate: {error}",
            hint="cutover certificate --html FILE --json FILE writes one",
            next_command="cutover certificate --html certificate.html",
        ) from error
    fields = found.fields
    told: dict[str, Any] = {
        "genuine": found.problem is None,
        "problem": found.problem,
        HASH: fields.get(HASH),
    }
    if output is Output.JSON:
        print_json(told, [])
    elif found.problem is None:
        kind = "a draft" if fields.get("draft") else "final"
        say(f"{file} is as it was issued at {fields.get('issued_at')}: {kind}, hash {fields[HASH]}.")
    else:
        say(f"{file} was altered: {found.problem}.")
    if found.problem is not None:
        raise typer.Exit(1)


def issue(helm: Steering, named: Path | None = None) -> Certificate:
    """Put the certificate together, from the journal, the comparisons and the acknowledgement ledger."""
    state, now = sound_state(helm.plane), helm.clock.now()
    course = read_course(list(helm.plane.journal()))
    comparisons = _comparisons(helm, course.legs[0].at if course.legs else "", now)
    path = named or helm.stack.ledger
    clients, checked = None, {}
    if named is not None or path.is_file():
        clients, checked = read_clients(ledger_lines(path)), _checked(helm, path)
    stack = helm.stack.outputs.stack
    counts = Counts(
        facts=checked["pipeline"].stored if "pipeline" in checked else None,
        comparisons=len(comparisons),
        read_units=sum(one.effort.read_units for one in comparisons),
        comparing_s=sum(one.effort.took_ms for one in comparisons) / 1000,
        entries=course.entries,
    )
    return Certificate(
        migration=helm.plan.migration,
        stack=stack,
        stage=state.stage,
        plan=state.plan,
        issued_at=moment_text(now),
        course=course,
        clients=clients,
        ledger=checked,
        shadow=shadow_sums(ShadowReport(stack, helm.plan.migration, comparisons)) if comparisons else None,
        cost=cost_lines(counts),
    )


def _comparisons(helm: Steering, began: str, now: float) -> list[Comparison]:
    """Read the comparisons since the first move, as far as they are kept."""
    kept = moment_text((datetime.fromtimestamp(now, UTC) - KEPT).timestamp())
    return list(helm.comparisons.since(max(began, kept)))


def _checked(helm: Steering, path: Path) -> dict[str, LedgerTotals]:
    """Check the ledger against the tables once every fact is folded."""
    await_folds(helm.stack, SETTLE)
    verdicts = check_sides(load_ledger(path), helm.stack.tables(helm.plan.legacy), helm.plane.state().stage)
    if (verdict := deciding(verdicts)) is not None and not verdict.clean:
        say("The ledger check has findings; cutover ledger check names them.")
    return {str(side): ledger_totals(verdict) for side, verdict in verdicts.items()}
