"""What a pipe does with records that it gives up: it reports them to its dead-letter queue.

ministack 1.5.33 has none for pipes. AWS reports where in which stream the records are, not the records:
whoever wants them reads the stream again within its 24 hours, or the table. A pipe that bisects reports each
record by itself, others report the stretch from the first to the last. Without a dead-letter queue the
records are gone.
"""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from migration.local.emulator.gaps import pipe_api, seam
from migration.model.moments import moment_text

if TYPE_CHECKING:
    from migration.local.emulator.gaps.pipe_stream import Pipe, Record

_log: Final = logging.getLogger(__name__)
_SHARD: Final = "shardId-00000000000000000000-00000000"


def bury(pipe: Pipe, records: list[Record], condition: str) -> None:
    """Report records, for the reason that AWS calls `condition`."""
    if not records:
        return
    parameters = pipe_api.stream_parameters(pipe)
    bisects = parameters.get("OnPartialBatchItemFailure") == "AUTOMATIC_BISECT"
    stretches = [[record] for record in records] if bisects else [records]
    letters = [json.dumps(_letter(pipe, stretch, condition)) for stretch in stretches]
    arn = (parameters.get("DeadLetterConfig") or {}).get("Arn", "")
    if seam.send_to_arn(arn, letters):
        _log.warning("pipe %s discards %d records: %s", pipe["Name"], len(records), condition)


def _letter(pipe: Pipe, records: list[Record], condition: str) -> dict[str, Any]:
    first, last = records[0]["dynamodb"], records[-1]["dynamodb"]
    return {
        "context": {"partnerResourceArn": pipe["Arn"], "condition": condition},
        "version": "1.0",
        "timestamp": moment_text(time.time()),
        "DDBStreamBatchInfo": {
            "shardId": _SHARD,
            "startSequenceNumber": first["SequenceNumber"],
            "endSequenceNumber": last["SequenceNumber"],
            "approximateArrivalOfFirstRecord": moment_text(first["ApproximateCreationDateTime"]),
            "approximateArrivalOfLastRecord": moment_text(last["ApproximateCreationDateTime"]),
            "batchSize": len(records),
            "streamArn": pipe["Source"],
        },
    }
