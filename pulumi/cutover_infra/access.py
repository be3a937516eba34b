"""IAM documents: who may take on a role, and exactly what the role may do to exactly which resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_aws as aws

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cutover_infra.component import Component

Statement = dict[str, Any]


def allow(
    actions: Sequence[str],
    resources: Sequence[pulumi.Input[str]],
    condition: Mapping[str, Mapping[str, pulumi.Input[Any]]] | None = None,
) -> Statement:
    """Allow exactly these actions on exactly these ARNs, where the condition holds."""
    statement: Statement = {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    return {**statement, "Condition": condition} if condition else statement


def document(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """Write a policy document as JSON, with ARNs that are known only once their resource is made."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(service: str, account_id: pulumi.Input[str] | None = None) -> pulumi.Output[str]:
    """Let an AWS service take on a role; for services that act for anyone, only on behalf of this account."""
    statement: Statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if account_id is not None:
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account_id}}
    return document([statement])


def make_role(
    owner: Component,
    name: str,
    physical_name: str,
    assume: pulumi.Output[str],
    statements: Sequence[Statement],
) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
    """Make a role with one inline policy; what uses the role must depend on the policy too."""
    role = aws.iam.Role(name, name=physical_name, assume_role_policy=assume, opts=owner.child())
    policy = aws.iam.RolePolicy(
        name, name="access", role=role.name, policy=document(statements), opts=owner.child()
    )
    return role, policy
