"""One line a request: metrics in CloudWatch's embedded metric format, with searchable properties.

For the functions that clients wait for. Powertools writes the same format for the others; here its import
would lengthen a cold start (measured: benchmarks/results.md).
Format: "Specification: Embedded metric format" in the Amazon CloudWatch user guide.
"""

from __future__ import annotations

import json
import os
import sys
import time


def emit(counts: dict[str, float], **properties: object) -> None:
    """Write metrics (name to value, counts or milliseconds) under this service, and properties."""
    line = {
        "_aws": {
            "Timestamp": time.time_ns() // 1_000_000,
            "CloudWatchMetrics": [
                {
                    "Namespace": os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "Cutover"),
                    "Dimensions": [["service"]],
                    "Metrics": [
                        {"Name": name, "Unit": "Milliseconds" if name.endswith("Ms") else "Count"}
                        for name in counts
                    ],
                }
            ],
        },
        "service": os.environ.get("POWERTOOLS_SERVICE_NAME", "unknown"),
        **counts,
        **properties,
    }
    sys.stdout.write(json.dumps(line) + "\n")
