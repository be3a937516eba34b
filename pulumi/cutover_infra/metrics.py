"""CloudWatch metrics by name, as alarms and dashboards read them. Names and dimensions are AWS's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

METRICS_NAMESPACE: Final = "Cutover"


@dataclass(frozen=True)
class Metric:
    """A metric of one resource, and the statistic that makes sense of it."""

    namespace: str
    name: str
    dimensions: Mapping[str, pulumi.Input[str]]
    statistic: str = "Sum"


def of_function(function: str, name: str, statistic: str = "Sum") -> Metric:
    """Name a metric of a Lambda function."""
    return Metric("AWS/Lambda", name, {"FunctionName": function}, statistic)


def counted_by(function: str, name: str, statistic: str = "Sum") -> Metric:
    """Name a metric that a function counts itself, as Powertools writes it."""
    return Metric(METRICS_NAMESPACE, name, {"service": function}, statistic)


def of_queue(queue: pulumi.Input[str], name: str) -> Metric:
    """Name a metric of an SQS queue."""
    return Metric("AWS/SQS", name, {"QueueName": queue}, "Maximum")


def of_pipe(pipe: pulumi.Input[str], name: str) -> Metric:
    """Name a metric of an EventBridge pipe."""
    return Metric("AWS/EventBridge/Pipes", name, {"PipeName": pipe})
