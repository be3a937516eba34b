"""IAM roles and their policies. The local AWS stores them and enforces nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.resources.handler import (
    Handler,
    cased,
    changed,
    pick,
    tag_changes,
    tag_list,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROLE = cased("description", "maxSessionDuration", "path", "permissionsBoundary")


class RoleResource(Handler):
    """`aws.iam.Role`; its id is its name."""

    type = "aws:iam/role:Role"
    replace_on = frozenset({"name", "path"})

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Make the role with its inline and attached policies."""
        self.aws.iam.create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Tags=tag_list(inputs.get("tags")),
            **pick(inputs, _ROLE),
        )
        self._grant(inputs["name"], {}, inputs)

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN and the unique id."""
        answer = self.aws.iam.get_role(RoleName=physical_id)
        role = answer["Role"]
        return {
            "arn": role["Arn"],
            "uniqueId": role["RoleId"],
            "createDate": role["CreateDate"].isoformat(),
            "tagsAll": inputs.get("tags", {}),
        }

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Change trust, description, session length, policies and tags."""
        iam = self.aws.iam
        if changed(old, new, ("assumeRolePolicy",)):
            iam.update_assume_role_policy(RoleName=physical_id, PolicyDocument=new["assumeRolePolicy"])
        if changed(old, new, ("description", "maxSessionDuration")):
            settings = pick(new, {key: _ROLE[key] for key in ("description", "maxSessionDuration")})
            iam.update_role(RoleName=physical_id, **settings)
        self._grant(physical_id, old, new)
        added, removed = tag_changes(old, new)
        if added:
            iam.tag_role(RoleName=physical_id, Tags=tag_list(added))
        if removed:
            iam.untag_role(RoleName=physical_id, TagKeys=removed)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove the role and what is left of its policies, which AWS asks to be removed first."""
        iam = self.aws.iam
        for policy in iam.list_role_policies(RoleName=physical_id)["PolicyNames"]:
            iam.delete_role_policy(RoleName=physical_id, PolicyName=policy)
        for attached in iam.list_attached_role_policies(RoleName=physical_id)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=physical_id, PolicyArn=attached["PolicyArn"])
        iam.delete_role(RoleName=physical_id)

    def _grant(self, role: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        iam = self.aws.iam
        before = {policy["name"]: policy["policy"] for policy in old.get("inlinePolicies") or []}
        after = {policy["name"]: policy["policy"] for policy in new.get("inlinePolicies") or []}
        for name, document in after.items():
            if before.get(name) != document:
                iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)
        for name in before.keys() - after.keys():
            iam.delete_role_policy(RoleName=role, PolicyName=name)
        attached, wanted = (set(given.get("managedPolicyArns") or []) for given in (old, new))
        for arn in sorted(wanted - attached):
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        for arn in sorted(attached - wanted):
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)


class RolePolicy(Handler):
    """`aws.iam.RolePolicy`; its id is `ROLE:NAME`."""

    type = "aws:iam/rolePolicy:RolePolicy"
    replace_on = frozenset({"name", "role"})
    put_whole = True
    id_form = "{role}:{name}"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Put the policy on the role."""
        self.aws.iam.put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
        )

    def read(self, physical_id: str, _inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether the role has it."""
        role, _, name = physical_id.partition(":")
        self.aws.iam.get_role_policy(RoleName=role, PolicyName=name)
        return {}

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Take it off the role."""
        role, _, name = physical_id.partition(":")
        self.aws.iam.delete_role_policy(RoleName=role, PolicyName=name)


class RolePolicyAttachment(Handler):
    """`aws.iam.RolePolicyAttachment`; its id is `ROLE/ARN`."""

    type = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    name_input = None
    replace_on = frozenset({"role", "policyArn"})
    id_form = "{role}/{policyArn}"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Attach the managed policy."""
        self.aws.iam.attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])

    def read(self, physical_id: str, _inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Tell whether it is attached."""
        role, _, arn = physical_id.partition("/")
        answer = self.aws.iam.list_attached_role_policies(RoleName=role)
        attached = (policy["PolicyArn"] for policy in answer["AttachedPolicies"])
        return {} if arn in attached else None

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Detach it."""
        role, _, arn = physical_id.partition("/")
        self.aws.iam.detach_role_policy(RoleName=role, PolicyArn=arn)


HANDLERS = (RoleResource, RolePolicy, RolePolicyAttachment)
