"""Benchmarks: the real code of both sides, counted and timed side by side. Nothing here reaches AWS.

The names below must be in the environment before the handlers are imported, so they are set here.
"""

import os

for _name, _value in {
    "AWS_ACCESS_KEY_ID": "benchmark",
    "AWS_SECRET_ACCESS_KEY": "benchmark",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "Cutover",
    "POWERTOOLS_SERVICE_NAME": "benchmark",
}.items():
    os.environ.setdefault(_name, _value)
