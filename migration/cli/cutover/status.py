"""`cutover status`: where a migration stands, on one screen, from any machine."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from migration.cli.commands import OUTPUT, PLAN, Output
from migration.cli.console import data, print_json
from migration.cli.cutover.run import after_complete
from migration.cli.cutover.run_view import guardrail_table
from migration.cli.views import duration
from migration.cutover.chronicle import Chronicle
from migration.cutover.course import CutoverPlan, Step
from migration.cutover.looks import PROVE_AGAIN_S, at_work, for_guardrails, is_other_plan, waits
from migration.cutover.moves import control_words
from migration.model.guardrails import GuardrailVerdict, Outcome, worst
from migration.model.journal import Entry, EntryKind
from migration.model.moments import epoch_of
from migration.model.routing import Shares, shares_of
from migration.model.stages import Stage
from migration.model.state import Lease, State
from migration.wiring.steering import AGREE, Steering

REFRESH_S = 2.0
RUN, RESUME, ROLLBACK = "cutover run", "cutover resume", "cutover rollback"


@dataclass(frozen=True, slots=True)
class StatusNow:
    """Everything that the screen shows, read at one moment.

    `contracting` is the command that removes legacy, while it is there.
    """

    now: float
    state: State
    plan: str
    lease: Lease | None
    so_far: Chronicle
    step: Step | None
    vitals: Sequence[GuardrailVerdict]
    proofs: Entry | None
    backfill: str
    course: CutoverPlan
    contracting: str

    @property
    def waits(self) -> str:
        """Say what a run waits for at this moment, or would wait for."""
        if self.step is None:
            return "nothing: it is complete"
        if is_other_plan(self.state, self.plan):
            return f"a person: the plan file changed, `{AGREE}`"
        held = waits(self.course, self.state, self.so_far, self.step, self.vitals, self.now)
        if held is None and self.step.proofs:
            held = for_guardrails(self.proven)
        if held is None and self.held is not None:
            held = at_work(self.so_far, self.step)
        if held is not None:
            return f"{held.waits}: {held.why}"
        return "proofs: everything is folded again before it" if self.step.proofs else "a run to do it"

    @property
    def proven(self) -> Sequence[GuardrailVerdict]:
        """The verdicts of the last proofs of the present state, until a process makes them again."""
        if self.proofs is None or self.proofs.epoch != self.state.epoch:
            return ()
        is_again = self.held is not None and self.now - epoch_of(self.proofs.at) >= PROVE_AGAIN_S
        return () if is_again else _verdicts(self.proofs)

    @property
    def held(self) -> Lease | None:
        """The lease, if somebody holds it now."""
        return None if self.lease is None or self.lease.is_over(self.now) else self.lease


def status(
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")
    ] = False,
    plan: PLAN = None,
    output: OUTPUT = Output.TABLE,
) -> None:
    """Say where the migration stands, who moves it, what its guardrails say, why it waits, and what is next.

    Reads only. The guardrails are those that cost little; the last proofs (everything folded again) are shown
    with their age.

    Exit code 0: every guardrail passes, or is inconclusive. 10: one fails.

    For example:

        cutover status

        cutover status --watch
    """
    helm = Steering.find(plan)
    if watch:
        _watch(helm)
        return
    standing = look(helm)
    steps = next_steps(standing)
    if output is Output.JSON:
        print_json(fields(standing), [command for command, _ in steps])
    else:
        data.print(screen(standing))
    if worst(standing.vitals) is Outcome.FAIL:
        raise typer.Exit(10)


def look(helm: Steering) -> StatusNow:
    """Read everything."""
    (state, so_far), now = helm.footing(), helm.clock.now()
    course = helm.plan.cutover
    step = course.next_step(state, so_far, now)
    is_over = helm.stack.outputs.legacy is None
    vitals = () if is_over else helm.vital.look(state)
    proofs = next((one for one in helm.plane.newest(200) if _is_proof(one)), None)
    job = helm.checkpoints.job()
    backfill = f"{job.phase} (run {job.run})" if job else "not begun"
    contracting = helm.stack.outputs.contracting
    lease = helm.plane.lease()
    return StatusNow(
        now, state, helm.plan.hash, lease, so_far, step, vitals, proofs, backfill, course, contracting
    )


def next_steps(at: StatusNow) -> list[tuple[str, str]]:
    """Say what to run next, and why."""
    if at.state.stage is Stage.COMPLETE:
        return after_complete(at.contracting)
    steps = []
    if is_other_plan(at.state, at.plan):
        steps.append((AGREE, "agree to the plan file as it is now"))
    if at.state.paused or at.state.postponed:
        steps.append((RESUME, "allow it to go on"))
    if at.held is None:
        last = at.state.stage is Stage.RAMPDOWN
        steps.append(("cutover complete", "end it; no way back") if last else (RUN, "go on"))
    if at.state.stage is not Stage.OFF:
        steps.append((ROLLBACK, "give legacy its authority back"))
    if worst(at.vitals) in (Outcome.FAIL, Outcome.ERROR):
        steps.append(("cutover doctor", "find out what is half done"))
    return steps


def fields(at: StatusNow) -> dict[str, Any]:
    """Write a standing as JSON has it."""
    control, shares = at.state.control, shares_of(at.state.control)
    return {
        "stage": control.stage,
        "write_percent": shares.writes / 100,
        "read_percent": shares.reads / 100,
        "epoch": control.epoch,
        "since": at.state.since or None,
        "confirmed": at.so_far.confirmed,
        "paused": at.state.paused or None,
        "postponed": at.state.postponed,
        "plan": {"agreed": at.state.plan or None, "file": at.plan},
        "lease": None if at.held is None else asdict(at.held),
        "next": None if at.step is None else at.step.name,
        "waits": at.waits,
        "drilled_s_ago": None if at.so_far.drilled_at is None else round(at.now - at.so_far.drilled_at),
        "backfill": at.backfill,
        "guardrails": [asdict(one) for one in at.vitals],
        "proofs": None
        if at.proofs is None
        else {"at": at.proofs.at, "text": at.proofs.text, **at.proofs.detail},
    }


def screen(at: StatusNow) -> RenderableType:
    """Lay out the screen."""
    control = at.state.control
    top = Table.grid(padding=(0, 2))
    since = (
        f"since {duration(at.now - at.so_far.state_at)}" if at.so_far.state_at else "nothing was moved yet"
    )
    taken = "" if at.so_far.confirmed else ", not confirmed at every door yet"
    top.add_row(
        "stage", Text.assemble((control_words(control), "bold"), f"  epoch {control.epoch}, {since}{taken}")
    )
    top.add_row("traffic", _bars(shares_of(control)))
    holder = "nobody; no run is under way" if at.held is None else at.held.holder
    top.add_row("moved by", holder)
    drill = at.so_far.drilled_at
    top.add_row("drill", "never" if drill is None else f"passed {duration(at.now - drill)} ago")
    top.add_row("backfill", at.backfill)
    top.add_row(
        "plan",
        Text(f"{at.plan}, agreed was {at.state.plan}", "yellow")
        if is_other_plan(at.state, at.plan)
        else at.plan,
    )
    top.add_row("next", at.step.name if at.step else "nothing")
    top.add_row("waits for", Text(at.waits, "yellow" if at.state.paused else ""))
    proofs = _proofs(at)
    steps = Table.grid(padding=(0, 2))
    for command, purpose in next_steps(at):
        steps.add_row(f"  {command}", Text(purpose, "dim"))
    parts: list[RenderableType] = [top, ""]
    if at.vitals:  # stage off has none
        parts += [Text("Guardrails", "bold"), guardrail_table(at.vitals, at.now), ""]
    parts += [*proofs, Text("Next", "bold"), steps]
    return Group(*parts)


def _watch(helm: Steering) -> None:
    with Live(screen(look(helm)), console=data, screen=data.is_terminal, auto_refresh=False) as live:
        while True:
            live.update(screen(look(helm)), refresh=True)
            time.sleep(REFRESH_S)


def _proofs(at: StatusNow) -> list[RenderableType]:
    if at.proofs is None:
        return []
    verdicts = _verdicts(at.proofs)
    age = duration(at.now - epoch_of(at.proofs.at))
    return [Text(f"Proofs, {age} ago", "bold"), guardrail_table(verdicts, at.now), ""]


def _verdicts(proofs: Entry) -> list[GuardrailVerdict]:
    return [
        GuardrailVerdict(**{**one, "outcome": Outcome(one["outcome"])}) for one in proofs.detail["verdicts"]
    ]


def _is_proof(entry: Entry) -> bool:
    return entry.kind is EntryKind.OBSERVED and "verdicts" in entry.detail and entry.step == "proofs"


def _bars(shares: Shares) -> Text:
    """Draw how much of each the pipeline has."""
    text = Text()
    for name, weight in (("reads", shares.reads), ("writes", shares.writes)):
        filled = round(weight / 500)
        text.append(f"{name} ").append("█" * filled, "green").append("░" * (20 - filled), "dim")
        text.append(f" {weight / 100:g} %  ")
    return text
