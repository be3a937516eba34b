"""The command `cutover` and its groups."""

from __future__ import annotations

import typer

from migration.cli.backfill import backfill
from migration.cli.certificate import certificate
from migration.cli.commands import Commands
from migration.cli.compare import ledger, shadow
from migration.cli.compare.diff import diff
from migration.cli.compare.verify import verify
from migration.cli.cutover.complete import complete
from migration.cli.cutover.holding import pause, postpone, resume
from migration.cli.cutover.journal import journal
from migration.cli.cutover.rollback import rollback
from migration.cli.cutover.run import run
from migration.cli.cutover.status import status
from migration.cli.cutover.switch import switch
from migration.cli.demo.demo import demo
from migration.cli.doctor.doctor import doctor
from migration.cli.load.load import generate, load
from migration.cli.local import local
from migration.cli.local.fault import fault
from migration.cli.plan import plan
from migration.cli.preflight.preflight import preflight
from migration.cli.repair.reconcile import reconcile
from migration.cli.repair.repair import repair

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
local.app.command()(fault)
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
