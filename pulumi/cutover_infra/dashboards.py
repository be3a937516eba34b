"""Dashboards: for each side, for where clients come in, and for what is between the sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pulumi
import pulumi_aws as aws

from cutover_infra.component import Component
from cutover_infra.metrics import Metric, counted_by, of_function, of_pipe, of_queue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cutover_infra.comparator import Comparator
    from cutover_infra.component import Deployment
    from cutover_infra.entry import Entry
    from cutover_infra.functions import Function
    from cutover_infra.legacy import Legacy
    from cutover_infra.mirror import Mirror
    from cutover_infra.pipeline import Pipeline
    from cutover_infra.watchdog import Watchdog

_WIDTH: Final = 8
_HEIGHT: Final = 6
_PER_ROW: Final = 3
_DEPTH: Final = "ApproximateNumberOfMessagesVisible"
_OUTCOMES: Final = (
    "MirrorStored",
    "MirrorDuplicate",
    "MirrorConflict",
    "MirrorMissed",
    "MirrorSkipped",
    "MirrorContradicted",
)
_COMPARED: Final = ("ComparedExplained", "ComparedToRepair", "ComparedUnexplained")
_APPLIED: Final = ("MirroredBack", "MirroredBefore", "Failed")
_WATCHED: Final = ("Looks", "LooksFailed", "RolledBack")


class Dashboard(Component):
    """The dashboard of one side."""

    def __init__(
        self, side: str, deployment: Deployment, owner: Component, panels: Mapping[str, Sequence[Metric]]
    ) -> None:
        """Make the dashboard `cutover-<stack>-<side>`."""
        super().__init__("observability:Dashboard", side, deployment, owner)
        aws.cloudwatch.Dashboard(
            side,
            dashboard_name=deployment.name(side),
            dashboard_body=pulumi.Output.json_dumps(body(panels, deployment.region)),
            opts=self.child(),
        )
        self.register_outputs({})


def body(panels: Mapping[str, Sequence[Metric]], region: pulumi.Input[str]) -> dict[str, Any]:
    """Lay out a graph for each titled panel, three in a row."""
    return {
        "widgets": [
            {
                "type": "metric",
                "x": _WIDTH * (place % _PER_ROW),
                "y": _HEIGHT * (place // _PER_ROW),
                "width": _WIDTH,
                "height": _HEIGHT,
                "properties": {
                    "title": title,
                    "region": region,
                    "view": "timeSeries",
                    "period": 60,
                    "metrics": [_row(metric) for metric in metrics],
                },
            }
            for place, (title, metrics) in enumerate(panels.items())
        ]
    }


def comparator_panels(comparator: Comparator, deployment: Deployment) -> dict[str, list[Metric]]:
    """Choose what shows how far boards agree."""
    dead = deployment.name("comparator-schedule-dlq")
    return {
        "Differences": [counted_by(comparator.function.thing, name, "Maximum") for name in _COMPARED],
        "Dead letters": [of_queue(dead, _DEPTH)],
        **_panels_of_functions([comparator.function]),
    }


def entry_panels(entry: Entry) -> dict[str, list[Metric]]:
    """Choose what shows how clients are answered."""
    return {
        "Answers with 5xx": [entry.front.failures],
        **_panels_of_functions(entry.functions),
    }


def legacy_panels(legacy: Legacy, deployment: Deployment) -> dict[str, list[Metric]]:
    """Choose what shows legacy's state."""
    letters = deployment.name("legacy-rebuild-schedule-dlq")
    return {
        "Dead letters": [of_queue(letters, _DEPTH)],
        **_panels_of_functions(legacy.functions),
    }


def migration_panels(
    mirror: Mirror, watchdog: Watchdog, entry: Entry, deployment: Deployment
) -> dict[str, list[Metric]]:
    """Choose what shows how the door routes, and whether the two sides stay equal."""
    name = deployment.name

    def at_the_door(what: str, statistic: str = "Sum") -> list[Metric]:
        return [
            counted_by(function.thing, f"{side}{what}", statistic)
            for function in entry.functions
            for side in ("Legacy", "Pipeline")
        ]

    return {
        "Requests by side": at_the_door("Requests"),
        "Errors by side": at_the_door("Errors"),
        "Latency by side p95, ms": at_the_door("LatencyMs", "p95"),
        "Forward mirror": [counted_by(entry.ingest.thing, outcome) for outcome in _OUTCOMES],
        "Reverse mirror": [counted_by(mirror.function.thing, outcome) for outcome in _APPLIED],
        "Pipe": _panel_of_pipe(name("mirror")),
        "Waiting for legacy": _panel_of_queue(name("mirror")),
        "Age of the oldest, s": [of_queue(name("mirror"), "ApproximateAgeOfOldestMessage")],
        "Dead letters": [of_queue(name(queue), _DEPTH) for queue in ("mirror-dlq", "mirror-pipe-dlq")],
        "Watchdog": [counted_by(watchdog.function.thing, what) for what in _WATCHED],
        **_panels_of_functions([mirror.function, watchdog.function]),
    }


def pipeline_panels(pipeline: Pipeline, deployment: Deployment) -> dict[str, list[Metric]]:
    """Choose what shows the pipeline's state."""
    name = deployment.name
    return {
        "Answers with 5xx": [pipeline.front.failures],
        "Capture": _panel_of_pipe(name("capture")),
        "Waiting to be folded": _panel_of_queue(name("activities")),
        "Age of the oldest, s": [of_queue(name("activities"), "ApproximateAgeOfOldestMessage")],
        "Dead letters": [
            of_queue(name(queue), _DEPTH)
            for queue in ("activities-dlq", "capture-dlq", "snapshot-schedule-dlq")
        ],
        **_panels_of_functions(pipeline.functions),
    }


def _panel_of_pipe(pipe: str) -> list[Metric]:
    return [of_pipe(pipe, metric) for metric in ("EventCount", "ExecutionFailed", "ExecutionThrottled")]


def _panel_of_queue(queue: str) -> list[Metric]:
    return [of_queue(queue, _DEPTH), of_queue(queue, "ApproximateNumberOfMessagesNotVisible")]


def _panels_of_functions(functions: Sequence[Function]) -> dict[str, list[Metric]]:
    def each(metric: str, statistic: str = "Sum") -> list[Metric]:
        return [of_function(function.name, metric, statistic) for function in functions]

    return {
        "Invocations": each("Invocations"),
        "Errors": each("Errors"),
        "Throttles": each("Throttles"),
        "Duration p95, ms": each("Duration", "p95"),
        "Concurrent executions": each("ConcurrentExecutions", "Maximum"),
    }


def _row(metric: Metric) -> list[Any]:
    pairs = [part for pair in metric.dimensions.items() for part in pair]
    return [metric.namespace, metric.name, *pairs, {"stat": metric.statistic}]
