"""Athena's workgroups, and the Glue databases that its queries name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

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

_SPECIAL = {
    "enforceWorkgroupConfiguration": "EnforceWorkGroupConfiguration",
    "kmsKeyArn": "KmsKey",
}
_WORKGROUP = {"description": "Description"}
_DATABASE = cased("name", "description", "locationUri", "parameters")


class Workgroup(Handler):
    """`aws.athena.Workgroup`; its id is its name."""

    type = "aws:athena/workgroup:Workgroup"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Make the workgroup."""
        self.aws.athena.create_work_group(
            Name=inputs["name"],
            Configuration=pascal(inputs.get("configuration") or {}, _SPECIAL),
            Tags=tag_list(inputs.get("tags")),
            **pick(inputs, _WORKGROUP),
        )

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN; Athena has no code of its own for what is not there."""
        try:
            self.aws.athena.get_work_group(WorkGroup=physical_id)
        except ClientError as error:
            if "not found" in error.response["Error"]["Message"]:
                return None
            raise
        return {"arn": self._arn(physical_id), "tagsAll": inputs.get("tags", {})}

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Set its configuration, and the tags."""
        configuration = pascal(new.get("configuration") or {}, _SPECIAL)
        if result := configuration.pop("ResultConfiguration", None):
            configuration["ResultConfigurationUpdates"] = result
        self.aws.athena.update_work_group(
            WorkGroup=physical_id,
            Description=new.get("description", ""),
            ConfigurationUpdates=configuration,
        )
        added, removed = tag_changes(old, new)
        if added:
            self.aws.athena.tag_resource(ResourceARN=self._arn(physical_id), Tags=tag_list(added))
        if removed:
            self.aws.athena.untag_resource(ResourceARN=self._arn(physical_id), TagKeys=removed)

    def delete(self, physical_id: str, inputs: Mapping[str, Any]) -> None:
        """Remove it, with its history where the program says so."""
        if self.read(physical_id, inputs) is not None:
            with_history = bool(inputs.get("forceDestroy"))
            self.aws.athena.delete_work_group(WorkGroup=physical_id, RecursiveDeleteOption=with_history)

    def _arn(self, name: str) -> str:
        return f"arn:aws:athena:{self.aws.region}:{self.aws.account}:workgroup/{name}"


class CatalogDatabase(Handler):
    """`aws.glue.CatalogDatabase`; its id is `ACCOUNT:NAME`. Its tables go with it."""

    type = "aws:glue/catalogDatabase:CatalogDatabase"
    id_form = "{aws.account}:{name}"

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Make the database."""
        self.aws.glue.create_database(
            DatabaseInput=pick(inputs, _DATABASE),  # type: ignore[arg-type] # named by a table
            Tags=inputs.get("tags") or {},
        )

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN."""
        name = _name(physical_id)
        self.aws.glue.get_database(Name=name)
        return {"arn": self._arn(name), "tagsAll": inputs.get("tags", {})}

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Describe it anew, and set the tags."""
        name = _name(physical_id)
        self.aws.glue.update_database(
            Name=name,
            DatabaseInput=pick(new, _DATABASE),  # type: ignore[arg-type] # as above
        )
        added, removed = tag_changes(old, new)
        if added:
            self.aws.glue.tag_resource(ResourceArn=self._arn(name), TagsToAdd=added)
        if removed:
            self.aws.glue.untag_resource(ResourceArn=self._arn(name), TagsToRemove=removed)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it and its tables."""
        self.aws.glue.delete_database(Name=_name(physical_id))

    def _arn(self, name: str) -> str:
        return f"arn:aws:glue:{self.aws.region}:{self.aws.account}:database/{name}"


def _name(physical_id: str) -> str:
    return physical_id.rpartition(":")[2]


HANDLERS = (Workgroup, CatalogDatabase)
