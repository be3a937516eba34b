"""Alarms, dashboards, and log groups, which the provider too counts as CloudWatch's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.resources.handler import (
    Handler,
    cased,
    pascal,
    pick,
    tag_changes,
    tag_list,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


class LogGroup(Handler):
    """`aws.cloudwatch.LogGroup`; its id is its name."""

    type = "aws:cloudwatch/logGroup:LogGroup"
    replace_on = frozenset({"name", "logGroupClass"})

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Make the group, or take it over: a function that logs before its group exists makes it itself."""
        if self.read(inputs["name"], inputs) is None:
            request = pick(inputs, {"kmsKeyId": "kmsKeyId", "logGroupClass": "logGroupClass"})
            self.aws.logs.create_log_group(
                logGroupName=inputs["name"], tags=inputs.get("tags") or {}, **request
            )
        self._retain(inputs["name"], inputs)

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN, without the star that CloudWatch Logs ends it with."""
        groups = self.aws.logs.describe_log_groups(logGroupNamePrefix=physical_id)["logGroups"]
        for group in groups:
            if group["logGroupName"] == physical_id:
                return {"arn": group["arn"].removesuffix(":*"), "tagsAll": inputs.get("tags", {})}
        return None

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Change retention and tags."""
        self._retain(physical_id, new)
        added, removed = tag_changes(old, new)
        if added:
            self.aws.logs.tag_log_group(logGroupName=physical_id, tags=added)
        if removed:
            self.aws.logs.untag_log_group(logGroupName=physical_id, tags=removed)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove the group with all its lines."""
        self.aws.logs.delete_log_group(logGroupName=physical_id)

    def _retain(self, name: str, inputs: Mapping[str, Any]) -> None:
        if inputs.get("retentionInDays"):
            self.aws.logs.put_retention_policy(logGroupName=name, retentionInDays=inputs["retentionInDays"])
        else:
            self.aws.logs.delete_retention_policy(logGroupName=name)


_ALARM = cased(
    "actionsEnabled",
    "alarmActions",
    "alarmDescription",
    "comparisonOperator",
    "datapointsToAlarm",
    "evaluationPeriods",
    "extendedStatistic",
    "insufficientDataActions",
    "metricName",
    "namespace",
    "period",
    "statistic",
    "threshold",
    "thresholdMetricId",
    "treatMissingData",
    "unit",
    evaluateLowSampleCountPercentiles="EvaluateLowSampleCountPercentile",
    name="AlarmName",
    okActions="OKActions",
)


class MetricAlarm(Handler):
    """`aws.cloudwatch.MetricAlarm`; its id is its name."""

    type = "aws:cloudwatch/metricAlarm:MetricAlarm"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Put the alarm."""
        request = pick(inputs, _ALARM)
        if inputs.get("metricQueries"):
            request["Metrics"] = [_query(query) for query in inputs["metricQueries"]]
        else:
            request["Dimensions"] = _dimensions(inputs)
        self.aws.cloudwatch.put_metric_alarm(**request, Tags=tag_list(inputs.get("tags")))

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN."""
        alarms = self.aws.cloudwatch.describe_alarms(AlarmNames=[physical_id])["MetricAlarms"]
        return {"arn": alarms[0]["AlarmArn"], "tagsAll": inputs.get("tags", {})} if alarms else None

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Put it again, which replaces all of it but its tags."""
        self.create(new)
        added, removed = tag_changes(old, new)
        if added or removed:
            arn = self.aws.cloudwatch.describe_alarms(AlarmNames=[physical_id])["MetricAlarms"][0]["AlarmArn"]
            self.aws.cloudwatch.tag_resource(ResourceARN=arn, Tags=tag_list(added))
            self.aws.cloudwatch.untag_resource(ResourceARN=arn, TagKeys=removed)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it."""
        self.aws.cloudwatch.delete_alarms(AlarmNames=[physical_id])


class Dashboard(Handler):
    """`aws.cloudwatch.Dashboard`; its id is its name."""

    type = "aws:cloudwatch/dashboard:Dashboard"
    name_input = "dashboardName"
    replace_on = frozenset({"dashboardName"})
    put_whole = True

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Put the dashboard."""
        self.aws.cloudwatch.put_dashboard(
            DashboardName=inputs["dashboardName"], DashboardBody=inputs["dashboardBody"]
        )

    def read(self, physical_id: str, _inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN."""
        answer = self.aws.cloudwatch.get_dashboard(DashboardName=physical_id)
        made = f"arn:aws:cloudwatch::{self.aws.account}:dashboard/{physical_id}"
        return {"dashboardArn": answer.get("DashboardArn") or made}

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it."""
        self.aws.cloudwatch.delete_dashboards(DashboardNames=[physical_id])


def _dimensions(inputs: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in (inputs.get("dimensions") or {}).items()]


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    request: dict[str, Any] = pascal({key: value for key, value in query.items() if key != "metric"})
    metric = query.get("metric")
    if metric:
        name = {
            **pick(metric, {"namespace": "Namespace", "metricName": "MetricName"}),
            "Dimensions": _dimensions(metric),
        }
        settings = pick(metric, {"period": "Period", "stat": "Stat", "unit": "Unit"})
        request["MetricStat"] = {"Metric": name, **settings}
    return request


HANDLERS = (LogGroup, MetricAlarm, Dashboard)
