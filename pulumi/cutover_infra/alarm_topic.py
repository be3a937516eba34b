"""The topic that alarms tell, and who listens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_aws as aws

from cutover_infra.component import Component

if TYPE_CHECKING:
    from cutover_infra.component import Deployment


class AlarmTopic(Component):
    """An SNS topic with one e-mail subscription, which the person confirms.

    It is not encrypted with a key: CloudWatch may not use AWS's own, and an alarm holds no data.
    """

    def __init__(self, deployment: Deployment) -> None:
        """Make the topic and the subscription."""
        super().__init__("observability:AlarmTopic", "alarms", deployment, cost_center="observability")
        self.topic = aws.sns.Topic("alarms", name=deployment.name("alarms"), opts=self.child())
        aws.sns.TopicSubscription(
            "alarms",
            topic=self.topic.arn,
            protocol="email",
            endpoint=deployment.settings.alarm_email,
            opts=self.child(),
        )
        self.register_outputs({})
