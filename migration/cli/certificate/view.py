"""A certificate in the terminal: whether it is final, what it sums up to, and what is not proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Column
from rich.text import Text

from migration.certificate.cost import total
from migration.cli.console import data
from migration.cli.views import table, whole
from migration.model.guardrails import Outcome

if TYPE_CHECKING:
    from migration.certificate.certificate import Certificate


def show_certificate(one: Certificate, content_hash: str) -> None:
    """Print a certificate in short; the page and the JSON have all of it."""
    kind = "Certificate of cutover" if one.final else "DRAFT of a certificate of cutover"
    short = table(whole(""), Column(overflow="fold"), title=kind, heads=False)
    for name, text in {**_rows(one), "content hash": content_hash}.items():
        short.add_row(name, text)
    data.print(short)
    for text in one.missing:
        data.print(Text.assemble(("not proven  ", "yellow"), text))


def _rows(one: Certificate) -> dict[str, str]:
    course, clients = one.course, one.clients
    rows = {
        "migration": f"{one.migration}, stack {one.stack}, stage {one.stage}",
        "plan": one.plan or "none yet",
        "moves": f"{len(course.legs):,}, of which {len(course.rollbacks):,} rolled back",
        "rehearsals": ", ".join(
            f"{drill.path} {'ok' if drill.ok else 'FAILED'}{_after(drill.seconds)}" for drill in course.drills
        )
        or "none",
        "rollbacks took": ", ".join(_after(leg.settled_s).strip() or "not seen" for leg in course.rollbacks)
        or "none",
        "guardrails": _guardrails(one),
    }
    if clients is not None:
        waited = (
            "" if clients.waited is None else f", at most {clients.waited.seconds:,.3f} s without an answer"
        )
        rows["clients"] = f"{clients.success:.4%} of {clients.sends:,} sends decided{waited}"
    for side, totals in one.ledger.items():
        verdict = (
            "exact" if totals.clean else ", ".join(f"{n:,} {kind}" for kind, n in totals.findings.items())
        )
        rows[f"ledger, {side}"] = (
            f"{totals.acknowledged:,} acknowledged, {totals.stored:,} stored, {totals.folded:,} folded: "
            f"{verdict}"
        )
    if one.shadow is not None:
        rows["boards"] = (
            f"{one.shadow.comparisons:,} comparisons in {one.shadow.hours:,.1f} h, "
            f"{one.shadow.unexplained:,} with something unexplained"
        )
    rows["cost"] = f"about ${total(one.cost):,.4f} beyond running both sides"
    return rows


def _guardrails(one: Certificate) -> str:
    looks = sum(sum(each.looks.values()) for each in one.course.evidence)
    failed = sum(each.looks.get(Outcome.FAIL, 0) for each in one.course.evidence)
    return f"{len(one.course.evidence):,} looked at {looks:,} times, {failed:,} failed"


def _after(seconds: float | None) -> str:
    return "" if seconds is None else f" {seconds:.1f} s"
