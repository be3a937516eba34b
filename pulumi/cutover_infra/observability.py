"""What watches a part: its alarms and its dashboard, removed with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutover_infra.alarms import (
    Alarms,
    bulk_conditions,
    comparator_conditions,
    entry_conditions,
    legacy_conditions,
    migration_conditions,
    pipeline_conditions,
)
from cutover_infra.dashboards import (
    Dashboard,
    comparator_panels,
    entry_panels,
    legacy_panels,
    migration_panels,
    pipeline_panels,
)

if TYPE_CHECKING:
    from cutover_infra.alarm_topic import AlarmTopic
    from cutover_infra.bulk import Bulk
    from cutover_infra.comparator import Comparator
    from cutover_infra.component import Deployment
    from cutover_infra.entry import Entry
    from cutover_infra.legacy import Legacy
    from cutover_infra.mirror import Mirror
    from cutover_infra.pipeline import Pipeline
    from cutover_infra.watchdog import Watchdog


def watch_comparator(comparator: Comparator, deployment: Deployment, topic: AlarmTopic | None) -> None:
    """Watch what the comparator finds, and that it runs."""
    Alarms("comparator", deployment, comparator, comparator_conditions(comparator, deployment), topic)
    Dashboard("comparator", deployment, comparator, comparator_panels(comparator, deployment))


def watch_entry(entry: Entry, deployment: Deployment, topic: AlarmTopic | None) -> None:
    """Watch where clients come in."""
    Alarms("entry", deployment, entry, entry_conditions(entry), topic)
    Dashboard("entry", deployment, entry, entry_panels(entry))


def watch_legacy(legacy: Legacy, deployment: Deployment, topic: AlarmTopic | None) -> None:
    """Watch legacy."""
    Alarms("legacy", deployment, legacy, legacy_conditions(legacy, deployment), topic)
    Dashboard("legacy", deployment, legacy, legacy_panels(legacy, deployment))


def watch_migration(
    mirror: Mirror, watchdog: Watchdog, entry: Entry, deployment: Deployment, topic: AlarmTopic | None
) -> None:
    """Watch the door's routing, both mirrors and the watchdog itself."""
    Alarms("migration", deployment, mirror, migration_conditions(mirror, watchdog, entry, deployment), topic)
    Dashboard("migration", deployment, mirror, migration_panels(mirror, watchdog, entry, deployment))


def watch_bulk(bulk: Bulk, deployment: Deployment, topic: AlarmTopic | None) -> None:
    """Watch the functions that copy history."""
    Alarms("bulk", deployment, bulk, bulk_conditions(bulk), topic)


def watch_pipeline(pipeline: Pipeline, deployment: Deployment, topic: AlarmTopic | None) -> None:
    """Watch the pipeline."""
    Alarms("pipeline", deployment, pipeline, pipeline_conditions(pipeline, deployment), topic)
    Dashboard("pipeline", deployment, pipeline, pipeline_panels(pipeline, deployment))
