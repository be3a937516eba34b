"""A scheduled job: a function invoked at a fixed rate, by a role of its own, with a dead-letter queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pulumi_aws as aws

from cutover_infra.access import allow, make_role, trust
from cutover_infra.component import Component
from cutover_infra.queues import make_dead_letter_queue

if TYPE_CHECKING:
    from cutover_infra.component import Deployment
    from cutover_infra.functions import Function

_LONGEST_EVENT_AGE_S: Final = 21_600


class Schedule(Component):
    """Runs a function every so many minutes; `dead_letters` gets the runs that could not be started."""

    def __init__(
        self, thing: str, deployment: Deployment, owner: Component, target: Function, minutes: int
    ) -> None:
        """Make the schedule `cutover-<stack>-<thing>`, its role and its dead-letter queue."""
        super().__init__("schedule:Schedule", thing, deployment, owner)
        name = deployment.name(thing)
        interval_s = 60 * minutes
        self.dead_letters = make_dead_letter_queue(self, deployment, f"{thing}-schedule-dlq")
        role, policy = make_role(
            self,
            f"{thing}-schedule",
            f"{name}-schedule",
            trust("scheduler.amazonaws.com", deployment.account_id),
            [
                allow(["lambda:InvokeFunction"], [target.function.arn]),
                allow(["sqs:SendMessage"], [self.dead_letters.arn]),
            ],
        )
        # A run that is late is worth nothing once the next is due, so neither retries nor waits outlive it.
        aws.lambda_.FunctionEventInvokeConfig(
            thing,
            function_name=target.function.name,
            maximum_retry_attempts=1,
            maximum_event_age_in_seconds=min(interval_s, _LONGEST_EVENT_AGE_S),
            opts=self.child(),
        )
        aws.scheduler.Schedule(
            thing,
            name=name,
            schedule_expression=f"rate({minutes} minute{'' if minutes == 1 else 's'})",
            flexible_time_window=aws.scheduler.ScheduleFlexibleTimeWindowArgs(mode="OFF"),
            target=aws.scheduler.ScheduleTargetArgs(
                arn=target.function.arn,
                role_arn=role.arn,
                dead_letter_config=aws.scheduler.ScheduleTargetDeadLetterConfigArgs(
                    arn=self.dead_letters.arn
                ),
                retry_policy=aws.scheduler.ScheduleTargetRetryPolicyArgs(
                    maximum_event_age_in_seconds=max(interval_s, 60), maximum_retry_attempts=3
                ),
            ),
            opts=self.child(depends_on=[policy]),
        )
        self.register_outputs({})
