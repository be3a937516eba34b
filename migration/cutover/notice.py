"""What is told to the world outside: a transition, or a guardrail that was breached."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from migration.model.guardrails import Outcome, verdict_detail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from migration.cutover.moves import Move
    from migration.model.guardrails import GuardrailVerdict


class NoticeKind(StrEnum):
    """What a notice is about, in the words that an EventBridge rule matches as `detail-type`."""

    TRANSITION = "Transition"
    BREACH = "Guardrail breached"
    LOST = "State lost"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice.

    Attributes:
        kind: what it is about.
        migration: whose.
        text: one sentence for people.
        detail: the same for programs; JSON values.
    """

    kind: NoticeKind
    migration: str
    text: str
    detail: Mapping[str, Any]


def notice_of_move(move: Move) -> Notice:
    """Tell of a move that was made."""
    return Notice(NoticeKind.TRANSITION, move.migration, move.text, move.told)


def notice_of_breach(migration: str, text: str, verdicts: Sequence[GuardrailVerdict]) -> Notice:
    """Tell of guardrails that do not hold."""
    failed = [one for one in verdicts if one.counted is Outcome.FAIL]
    detail = {"migration": migration, "text": text, "guardrails": verdict_detail(failed)}
    return Notice(NoticeKind.BREACH, migration, text, detail)


def notice_of_loss(migration: str, text: str) -> Notice:
    """Tell of a state that is lost."""
    return Notice(NoticeKind.LOST, migration, text, {"migration": migration, "text": text})
