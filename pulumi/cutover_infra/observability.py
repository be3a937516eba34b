"""What watches a part: its alarms and its dashboard, removed with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from cutover_infra.alarms import Alarms
from cutover_infra.dashboards import Dashboard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cutover_infra.alarm_topic import AlarmTopic
    from cutover_infra.alarms import Condition
    from cutover_infra.component import Component, Deployment
    from cutover_infra.metrics import Metric

Part = TypeVar("Part", bound="Component")
Rest = TypeVarTuple("Rest")


@dataclass(frozen=True)
class Observability:
    """Watches the parts of a deployment; its alarms tell one topic, if any."""

    deployment: Deployment
    topic: AlarmTopic | None

    def watch(
        self,
        side: str,
        conditions: Callable[[Part, *Rest], Iterable[Condition]],
        panels: Callable[[Part, *Rest], Mapping[str, Sequence[Metric]]] | None,
        part: Part,
        *rest: *Rest,
    ) -> None:
        """Make a part's alarms and, if anything of it is shown, its dashboard."""
        Alarms(side, self.deployment, part, conditions(part, *rest), self.topic)
        if panels:
            Dashboard(side, self.deployment, part, panels(part, *rest))
