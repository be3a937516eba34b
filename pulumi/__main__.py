"""The Pulumi program: which sides a phase has, and what the stack exports; cutover_infra has the rest."""

from dataclasses import replace

import pulumi_aws as aws

from cutover_infra import alarms, dashboards
from cutover_infra.alarm_topic import AlarmTopic
from cutover_infra.api_account import ApiAccount
from cutover_infra.bulk import Bulk
from cutover_infra.comparator import Comparator
from cutover_infra.component import Deployment
from cutover_infra.configuration import load_settings
from cutover_infra.control import Control
from cutover_infra.entry import Entry
from cutover_infra.exports import Outputs, as_json, export, migration_outputs, with_watchdog
from cutover_infra.legacy import Legacy
from cutover_infra.mirror import Mirror
from cutover_infra.observability import Observability
from cutover_infra.packaging import COMPARATOR, ENTRY, MIRROR, WATCHDOG, WORKER, package
from cutover_infra.pipeline import Pipeline
from cutover_infra.settings import FrontKind, Phase
from cutover_infra.watchdog import Evidence, Watchdog

settings = load_settings()
deployment = Deployment(
    settings=settings,
    region=aws.get_region_output().region,
    account_id=aws.get_caller_identity_output().account_id,
    legacy_code=package("legacy", ["legacy"]),
    pipeline_code=package("pipeline", ["pipeline"]),
    entry_code=package("entry", ENTRY),
    mirror_code=package("mirror", MIRROR),
    watchdog_code=package("watchdog", WATCHDOG),
    comparator_code=package("comparator", COMPARATOR),
    worker_code=package("worker", WORKER),
)
if settings.front is FrontKind.API_GATEWAY and settings.owns_api_account:
    deployment = replace(deployment, api_account=ApiAccount(deployment))
topic = None if settings.alarm_email == "none" else AlarmTopic(deployment)
observability = Observability(deployment, topic)

# A side is the same in every phase that has it, so going to the next phase never touches the other side.
legacy = None if settings.phase is Phase.CONTRACT else Legacy(deployment)
if legacy:
    observability.watch("legacy", alarms.legacy_conditions, dashboards.legacy_panels, legacy, deployment)
pipeline = None if settings.phase is Phase.LEGACY else Pipeline(deployment)
if pipeline:
    observability.watch(
        "pipeline", alarms.pipeline_conditions, dashboards.pipeline_panels, pipeline, deployment
    )


# What is between the sides: clients' one way in, and, while there are both, what keeps them equal.
control = Control(deployment) if pipeline else None
entry = Entry(deployment, [side.handlers for side in (legacy, pipeline) if side], control)
observability.watch("entry", alarms.entry_conditions, dashboards.entry_panels, entry)
mirror = Mirror(deployment, pipeline.facts, legacy) if legacy and pipeline else None
comparator = Comparator(deployment, legacy, pipeline, control) if legacy and pipeline and control else None
if comparator:
    observability.watch(
        "comparator", alarms.comparator_conditions, dashboards.comparator_panels, comparator, deployment
    )
bulk = None
if settings.bulk_engine and legacy and pipeline and control:
    bulk = Bulk(deployment, legacy, pipeline, control)
    observability.watch("bulk", alarms.bulk_conditions, None, bulk)

outputs: Outputs = {
    "entry": entry.outputs,
    "legacy": legacy.outputs(entry.outputs) if legacy else None,
    "pipeline": pipeline.outputs if pipeline else None,
    "migration": migration_outputs(
        control.table.name,
        topic.topic.arn if topic else None,
        mirror.outputs if mirror else None,
        comparator.function.function.name if comparator else None,
    )
    if control
    else None,
    "bulk": bulk.outputs if bulk else None,
}
if pipeline and control and mirror:
    evidence = Evidence(control, pipeline, mirror)
    watchdog = Watchdog(deployment, as_json(deployment, outputs), evidence, topic)
    outputs = with_watchdog(outputs, watchdog.function.function.name)
    observability.watch(
        "migration",
        alarms.migration_conditions,
        dashboards.migration_panels,
        mirror,
        watchdog,
        entry,
        deployment,
    )
export(deployment, outputs)
