"""KMS keys and their aliases. A key that is deleted is scheduled for deletion, as in AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.resources.handler import Handler, cased, changed, pick, tag_changes

if TYPE_CHECKING:
    from collections.abc import Mapping


_KEY = cased("description", "keyUsage", "multiRegion", "policy", customerMasterKeySpec="KeySpec")


class Key(Handler):
    """`aws.kms.Key`; its id is made up by AWS, so an interrupted creation leaves a key that nothing uses."""

    type = "aws:kms/key:Key"
    name_input = None
    replace_on = frozenset({"customerMasterKeySpec", "keyUsage", "multiRegion"})

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Make the key, then let it rotate."""
        answer = self.aws.kms.create_key(**pick(inputs, _KEY), Tags=_tags(inputs.get("tags")))
        key = str(answer["KeyMetadata"]["KeyId"])
        self._rotate(key, {}, inputs)
        return key

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN; a key that waits for its deletion counts as gone."""
        answer = self.aws.kms.describe_key(KeyId=physical_id)
        if answer["KeyMetadata"]["KeyState"] == "PendingDeletion":
            return None
        arn = answer["KeyMetadata"]["Arn"]
        return {"arn": arn, "keyId": physical_id, "tagsAll": inputs.get("tags", {})}

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Change description, policy, rotation and tags."""
        kms = self.aws.kms
        if changed(old, new, ("description",)):
            kms.update_key_description(KeyId=physical_id, Description=new.get("description", ""))
        if changed(old, new, ("policy",)) and new.get("policy"):
            kms.put_key_policy(KeyId=physical_id, PolicyName="default", Policy=new["policy"])
        self._rotate(physical_id, old, new)
        added, removed = tag_changes(old, new)
        if added:
            kms.tag_resource(KeyId=physical_id, Tags=_tags(added))
        if removed:
            kms.untag_resource(KeyId=physical_id, TagKeys=removed)

    def delete(self, physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Schedule its deletion, unless that is done already."""
        window = inputs.get("deletionWindowInDays", 30)
        if self.read(physical_id, inputs) is not None:
            self.aws.kms.schedule_key_deletion(KeyId=physical_id, PendingWindowInDays=window)

    def _rotate(self, key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        if changed(old, new, ("enableKeyRotation",)):
            rotates = new.get("enableKeyRotation", False)
            call = self.aws.kms.enable_key_rotation if rotates else self.aws.kms.disable_key_rotation
            call(KeyId=key)


class KmsAlias(Handler):
    """`aws.kms.Alias`; its id is its name."""

    type = "aws:kms/alias:Alias"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Name the key."""
        self.aws.kms.create_alias(AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])

    def read(self, physical_id: str, _inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARNs of the alias and of its key."""
        answer = self.aws.kms.describe_key(KeyId=physical_id)
        arn = f"arn:aws:kms:{self.aws.region}:{self.aws.account}:{physical_id}"
        return {"arn": arn, "targetKeyArn": answer["KeyMetadata"]["Arn"]}

    def update(self, physical_id: str, _old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Point it at another key."""
        self.aws.kms.update_alias(AliasName=physical_id, TargetKeyId=new["targetKeyId"])

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove the name."""
        self.aws.kms.delete_alias(AliasName=physical_id)


def _tags(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in (tags or {}).items()]


HANDLERS = (Key, KmsAlias)
