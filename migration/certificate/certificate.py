"""A certificate: everything that is known of a cutover, what is missing, and a hash over all of it.

Decides what a certificate must hold to be whole, and when it is final: at stage `complete`. The hash notices
a copy that was altered afterwards; whoever alters a copy and hashes it anew is found out by the
journal, which `cutover certificate` reads again.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from migration.certificate.cost import LEFT_OUT, CostLine, total
from migration.certificate.course import PATHS, JournalReading
from migration.compare.reasons import Judgement
from migration.model.guardrails import DOOR_SETTLED, Outcome
from migration.model.stages import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.certificate.clients import ClientExperience
    from migration.compare.ledger.verdict import LedgerVerdict
    from migration.compare.shadow.report import ShadowReport

KIND: Final = "cutover certificate"
SCHEMA_VERSION: Final = 1
HASH: Final = "content_hash"


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """One side's ledger check: acknowledged = stored = folded, or not."""

    clean: bool
    acknowledged: int
    stored: int
    folded: int
    findings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Shadow:
    """The comparisons of both sides' boards, in sums."""

    comparisons: int
    hours: float
    unexplained: int
    to_repair: int
    agreement: float | None
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says.

    Attributes:
        migration, stack: whose.
        stage: where the migration stands.
        plan: hash of the plan that it was moved by; empty before the first move.
        issued_at: UTC text.
        course: what the journal says.
        clients: what clients saw; None without an acknowledgement ledger.
        ledger: the ledger check, by side; empty without one.
        shadow: None without comparisons.
        cost: see there.
    """

    migration: str
    stack: str
    stage: Stage
    plan: str
    issued_at: str
    course: JournalReading
    clients: ClientExperience | None = None
    ledger: Mapping[str, LedgerTotals] = field(default_factory=dict)
    shadow: Shadow | None = None
    cost: Sequence[CostLine] = ()

    @property
    def final(self) -> bool:
        """Whether nothing more can happen to the migration."""
        return self.stage is Stage.COMPLETE

    @property
    def missing(self) -> list[str]:
        """Say what it does not prove, in the order in which it should be mended."""
        gaps: dict[str, bool] = {
            f"the migration is not complete, it is in {self.stage}": not self.final,
            "the journal has no move": not self.course.legs,
            "moves were made by more than one plan": len(self.course.plans) > 1,
            "no guardrail was taken down": not self.course.evidence,
            **{f"no rehearsed way back of {path} went well": not self.course.drilled(path) for path in PATHS},
            "no comparisons of both sides' boards are kept": self.shadow is None,
            "differences on boards were unexplained": bool(self.shadow and self.shadow.unexplained),
            "no acknowledgement ledger was given, so nothing is said of clients": self.clients is None,
            "the ledger was not checked against the tables": self.clients is not None and not self.ledger,
            "the ledger check has findings": any(not one.clean for one in self._deciding),
        }
        last = [one for one in self.course.evidence if not one.dry and _is_open(one.name, one.last)]
        gaps |= {f"guardrail {one.name} came last to {one.last}": True for one in last}
        return [text for text, is_missing in gaps.items() if is_missing]

    @property
    def _deciding(self) -> list[LedgerTotals]:
        """Give what counts: the pipeline's check. Legacy's own errors are why it is being left."""
        return [self.ledger[side] for side in ("pipeline", "legacy") if side in self.ledger][:1]

    @property
    def verify(self) -> list[tuple[str, str]]:
        """Name the commands that prove it again, and what each proves."""
        return [
            ("cutover certificate check FILE", "this copy says what was issued"),
            ("cutover journal --newest 0 --detail", "every move, look and rehearsal above, as written down"),
            ("cutover verify", "every aggregate is the fold of the facts"),
            ("cutover ledger check --ledger LEDGER", "acknowledged = stored = folded"),
            ("cutover plan check", f"the plan's hash is {self.plan or 'none yet'}"),
        ]


def _is_open(name: str, last: Outcome) -> bool:
    """Whether a guardrail's last word leaves something open; doors that are idle leave nothing."""
    idle = name == DOOR_SETTLED and last is Outcome.INCONCLUSIVE
    return last is not Outcome.PASS and not idle


def ledger_totals(verdict: LedgerVerdict) -> LedgerTotals:
    """Sum a ledger check up."""
    findings: dict[str, int] = {}
    for one in verdict.findings:
        findings[one.kind] = findings.get(one.kind, 0) + 1
    return LedgerTotals(verdict.clean, verdict.acknowledged, verdict.facts, verdict.folded.events, findings)


def shadow_sums(report: ShadowReport) -> Shadow:
    """Sum comparisons up."""
    agreement = report.spreads.get("rank-biased overlap of pipeline, truth")
    return Shadow(
        len(report.comparisons),
        round(report.span.total_seconds() / 3600, 2),
        report.having[Judgement.UNEXPLAINED],
        report.having[Judgement.TO_REPAIR],
        None if agreement is None else round(agreement.median, 4),
        report.judgement,
    )


def certificate_fields(one: Certificate) -> dict[str, Any]:
    """Lay a certificate out as JSON values, its hash last."""
    course = asdict(one.course)
    clients = None if one.clients is None else {**asdict(one.clients), "success": one.clients.success}
    fields = {
        "kind": KIND,
        "schema_version": SCHEMA_VERSION,
        "migration": one.migration,
        "stack": one.stack,
        "draft": not one.final,
        "missing": one.missing,
        "stage": one.stage,
        "plan": one.plan,
        "issued_at": one.issued_at,
        "timeline": course.pop("legs"),
        **course,
        "clients": clients,
        "ledger": {side: asdict(totals) for side, totals in one.ledger.items()},
        "shadow": None if one.shadow is None else asdict(one.shadow),
        "cost": {
            "estimate": True,
            "dollars": round(total(one.cost), 6),
            "lines": [asdict(line) for line in one.cost],
            "left_out": LEFT_OUT,
        },
        "verify": [{"command": command, "proves": proves} for command, proves in one.verify],
    }
    plain: dict[str, Any] = json.loads(json.dumps(fields))  # as whoever reads the file gets it
    return {**plain, HASH: content_hash(plain)}


def content_hash(fields: Mapping[str, Any]) -> str:
    """Hash everything but the hash: SHA-256 of JSON with sorted keys, no spaces, and nothing escaped."""
    rest = {name: value for name, value in fields.items() if name != HASH}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def is_genuine(fields: object) -> bool:
    """Whether something is a certificate that says what its hash says.

    Raises:
        ValueError: when it is no certificate at all.
    """
    if not isinstance(fields, dict) or fields.get("kind") != KIND:
        raise ValueError("it is no certificate")
    return bool(fields.get(HASH) == content_hash(fields))
