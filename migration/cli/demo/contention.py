"""Somebody else's transactions on the rows that legacy's code updates, while everything moves.

They only check that the rows are there, so they change nothing. But a transaction holds its rows, and AWS
refuses a plain write to a row that is held; the local AWS does so when the fault layer makes it.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from migration.cutover.background import repeated
from migration.local.emulator import Fault, Faults
from migration.model.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from migration.wiring.workspace import RunningStack

EVERY_S: Final = 0.1
HELD_MS: Final = 20
_MOST: Final = 25  # rows of a transaction
TOLD: Final = (
    f"From here on every transaction takes {HELD_MS} ms and holds its rows meanwhile. Somebody else's hold "
    f"legacy's program rows, {1 / EVERY_S:g} times a second: plain writes to them are refused."
)


@dataclass(frozen=True, slots=True)
class Contention:
    """What transactions that hold their rows come to."""

    faults: Faults
    fault_id: str

    def refused(self) -> int:
        """Count the writes that were refused because a transaction held their row."""
        log = self.faults.log()
        return sum(one.kind == "error" and one.fault == self.fault_id for one in log)


@contextmanager
def contending(stack: RunningStack) -> Iterator[Contention]:
    """Have transactions hold rows, legacy's among them, while the block runs."""
    if (legacy := stack.outputs.legacy) is None:
        raise IntegrityError("there are no rows of legacy's to hold", hint="see docs/contracts.md")
    faults, dynamodb = Faults(stack.endpoint), stack.clients.dynamodb
    checks = _checks(dynamodb, legacy.program_progress_table)

    def neighbour() -> None:
        # It meets conflicts itself, and is nobody's concern.
        with suppress(BotoCoreError, ClientError):
            dynamodb.transact_write_items(TransactItems=checks)

    fault_id = faults.inject(Fault(service="dynamodb", kind="hold", latency_ms=HELD_MS))
    try:
        with repeated("neighbour", neighbour, EVERY_S):
            yield Contention(faults, fault_id)
    finally:
        faults.withdraw(fault_id)


def _checks(dynamodb: Any, table: str) -> list[Any]:  # noqa: ANN401 - boto3's client
    rows = dynamodb.scan(TableName=table, Limit=_MOST)["Items"]
    return [
        {
            "ConditionCheck": {
                "TableName": table,
                "Key": {"program_id": row["program_id"]},
                "ConditionExpression": "attribute_exists(program_id)",
            }
        }
        for row in rows
    ]
