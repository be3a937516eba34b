"""EventBridge Scheduler schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.resources.handler import Handler, cased, pascal, pick

if TYPE_CHECKING:
    from collections.abc import Mapping


_SCHEDULE = cased(
    "actionAfterCompletion",
    "description",
    "endDate",
    "kmsKeyArn",
    "scheduleExpression",
    "scheduleExpressionTimezone",
    "startDate",
    "state",
)


class Schedule(Handler):
    """`aws.scheduler.Schedule`; its id is `GROUP/NAME`."""

    type = "aws:scheduler/schedule:Schedule"
    replace_on = frozenset({"name", "groupName"})

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Make the schedule."""
        self.aws.scheduler.create_schedule(**self._request(inputs))

    def read(self, physical_id: str, _inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN."""
        group, _, name = physical_id.partition("/")
        answer = self.aws.scheduler.get_schedule(GroupName=group, Name=name)
        return {"arn": answer["Arn"]}

    def update(self, _physical_id: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Put the whole schedule again, as the call demands."""
        self.aws.scheduler.update_schedule(**self._request(new))

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it."""
        group, _, name = physical_id.partition("/")
        self.aws.scheduler.delete_schedule(GroupName=group, Name=name)

    def identify(self, inputs: Mapping[str, Any]) -> str:
        """Name it by its group and name."""
        return f"{inputs.get('groupName', 'default')}/{inputs['name']}"

    def _request(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "Name": inputs["name"],
            "GroupName": inputs.get("groupName", "default"),
            "FlexibleTimeWindow": pascal(inputs["flexibleTimeWindow"]),
            "Target": pascal(inputs["target"]),
            **pick(inputs, _SCHEDULE),
        }


HANDLERS = (Schedule,)
