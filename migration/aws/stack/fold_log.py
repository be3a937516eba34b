"""The aggregator's own word on its lag, read from its log: one metric line a batch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migration.aws.transport.clients import translated

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient

LAG: Final = "LagMs"


@dataclass(frozen=True, slots=True)
class FoldLog:
    """The log of the function that folds."""

    logs: CloudWatchLogsClient
    function: str

    def lags_ms(self) -> list[float]:
        """List how old the oldest fact of each batch was when its folding began, in milliseconds."""
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{self.function}", filterPattern=f'"{LAG}"'
        )
        with translated(f"reading the log of {self.function}"):
            lines = [event["message"] for page in pages for event in page["events"]]
        return [lag for line in lines for lag in json.loads(line)[LAG]]
