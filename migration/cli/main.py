"""The command `cutover` and its groups."""

from __future__ import annotations

import typer

from migration.cli import backfill, certificate, ledger, local, plan, shadow
from migration.cli.commands import Commands
from migration.cli.complete import complete
from migration.cli.demo import demo
from migration.cli.diff import diff
from migration.cli.doctor import doctor
from migration.cli.holding import pause, postpone, resume
from migration.cli.journal import journal
from migration.cli.load import generate, load
from migration.cli.preflight import preflight
from migration.cli.reconcile import reconcile
from migration.cli.repair import repair
from migration.cli.rollback import rollback
from migration.cli.run import run
from migration.cli.status import status
from migration.cli.switch import switch
from migration.cli.verify import verify

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(
        "Move an activity-tracking system from one synchronous function to an event-driven pipeline, "
        "with no failed request, no lost event and no double count.\n\n"
        "Start with `cutover demo`, or `cutover local up`."
    ),
    rich_markup_mode="markdown",
)
local.app.command()(generate)
local.app.command()(load)
app.add_typer(local.app, name="local")
app.add_typer(ledger.app, name="ledger")
app.add_typer(plan.app, name="plan")
app.add_typer(backfill.app, name="backfill")
for command in (run, status, pause, resume, postpone, switch, rollback, complete, journal):
    app.command()(command)
app.add_typer(shadow.app, name="shadow")
app.add_typer(certificate.app, name="certificate")
app.command()(demo)
app.command()(preflight)
app.command()(doctor)
app.command()(diff)
app.command()(verify)
app.command()(reconcile)
app.command()(repair)

if __name__ == "__main__":
    app()
