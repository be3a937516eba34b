"""The region's API Gateway log role: one setting that all REST APIs of an account and region share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_aws as aws

from cutover_infra.access import trust
from cutover_infra.component import Component

if TYPE_CHECKING:
    from cutover_infra.component import Deployment


class ApiAccount(Component):
    """Lets API Gateway write logs; without it, no stage with access logs can be made."""

    def __init__(self, deployment: Deployment) -> None:
        """Make the role and set it; both stay when the stack goes, since other stacks' APIs need them."""
        super().__init__("front:ApiAccount", "api-account", deployment, cost_center="api-account")
        stays = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        role = aws.iam.Role(
            "api-logs",
            name=deployment.name("api-logs"),
            assume_role_policy=trust("apigateway.amazonaws.com"),
            opts=stays,
        )
        attached = aws.iam.RolePolicyAttachment(
            "api-logs",
            role=role.name,
            policy_arn="arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
            opts=stays,
        )
        aws.apigateway.Account(
            "api-logs",
            cloudwatch_role_arn=role.arn,
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True, depends_on=[attached]),
        )
        self.register_outputs({})
