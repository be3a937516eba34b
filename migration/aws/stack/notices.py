"""Notices on AWS: an event on the account's default bus, and a message to the stack's topic when it has one.

EventBridge   source `cutover`, detail-type `Transition`, `Guardrail breached` or `State lost`, and the detail
SNS           the sentence, then the detail as JSON

A rollback tells it too: both have `WITHIN_S`, however often a client tries again or an answer drips.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from migration.aws.transport.clients import translated
from migration.aws.transport.deadline import begun
from migration.model.errors import RemoteError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from migration.aws.transport.clients import NoticeClients
    from migration.cutover.notice import Notice

SOURCE: Final = "cutover"
WITHIN_S: Final = 10.0
_LONGEST_SUBJECT: Final = 100


@dataclass(frozen=True, slots=True)
class AwsNotices:
    """The bus and the topic of one stack.

    Attributes:
        clients: EventBridge and SNS.
        topic: the topic's ARN; None when the stack has none.
    """

    clients: NoticeClients
    topic: str | None

    def tell(self, notice: Notice) -> list[str]:
        """Tell both at once, and say what failed."""
        until = time.monotonic() + WITHIN_S
        ways = [self._to_bus, *([self._to_topic] if self.topic else [])]
        telling = [begun(partial(way, notice)) for way in ways]
        return [failure for one in telling if (failure := _failure(one, until - time.monotonic()))]

    def _to_bus(self, notice: Notice) -> None:
        with translated("sending an event"):
            answer = self.clients.events.put_events(
                Entries=[
                    {
                        "Source": SOURCE,
                        "DetailType": notice.kind.value,
                        "Detail": json.dumps(dict(notice.detail)),
                    }
                ]
            )
        if answer["FailedEntryCount"]:
            (entry,) = answer["Entries"]
            why = entry.get("ErrorMessage", "for no given reason")
            raise RemoteError(f"EventBridge refused an event: {why}", hint="see the bus's policy")

    def _to_topic(self, notice: Notice) -> None:
        subject = f"Cutover, {notice.migration}: {notice.kind}".encode("ascii", "replace").decode()
        with translated("telling the topic"):
            self.clients.sns.publish(
                TopicArn=str(self.topic),
                Subject=subject[:_LONGEST_SUBJECT],
                Message=f"{notice.text}\n\n{json.dumps(dict(notice.detail), indent=2)}",
            )


def _failure(told: Future[None], within_s: float) -> str | None:
    try:
        told.result(max(within_s, 0))
    except RemoteError as error:
        return str(error)
    except TimeoutError:
        return f"no answer to a notice in {WITHIN_S:g} s"
    except Exception as error:  # noqa: BLE001 - whatever befalls a notice is its failure, and no move's
        return f"a notice could not be sent: {type(error).__name__}"
    return None
