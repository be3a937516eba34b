"""Every guardrail there is, family by family, in the order in which they are looked at and told.

The order is also that of the plan file's keys, and with it of the plan's hash: a family comes at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from migration.guardrails import boards, folding, harm, mirrors, proofs, rates, settling

if TYPE_CHECKING:
    from migration.guardrails.guardrail import Guardrail
    from migration.guardrails.vital import Vital


class VitalEvidence(folding.FoldingEvidence, mirrors.MirrorEvidence, boards.BoardEvidence, Protocol):
    """A stack as it is now: all that the vital guardrails ask for."""


VITAL: Final[tuple[type[Vital[VitalEvidence]], ...]] = (
    *folding.GUARDRAILS,
    *mirrors.GUARDRAILS,
    *boards.GUARDRAILS,
    *rates.GUARDRAILS,
    *settling.GUARDRAILS,
    *harm.GUARDRAILS,
)
PROOFS: Final[tuple[type[Guardrail[proofs.ProofLook]], ...]] = proofs.GUARDRAILS
