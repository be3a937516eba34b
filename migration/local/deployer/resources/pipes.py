"""EventBridge pipes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.resources.handler import Handler, cased, pick, pick_nested, tag_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPECIAL = {
    "dynamodbStreamParameters": "DynamoDBStreamParameters",
    "includeExecutionDatas": "IncludeExecutionData",
}


_PLAIN = cased("description", "desiredState", "enrichment", "kmsKeyIdentifier", "roleArn", "target")


_NESTED = cased("enrichmentParameters", "logConfiguration", "sourceParameters", "targetParameters")


class PipeResource(Handler):
    """`aws.pipes.Pipe`; its id is its name."""

    type = "aws:pipes/pipe:Pipe"
    replace_on = frozenset({"name", "source"})

    def create(self, inputs: Mapping[str, Any]) -> None:
        """Make the pipe."""
        self.aws.pipes.create_pipe(
            Name=inputs["name"],
            Source=inputs["source"],
            Tags=inputs.get("tags") or {},
            **self._request(inputs),
        )

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN."""
        answer = self.aws.pipes.describe_pipe(Name=physical_id)
        return {"arn": answer["Arn"], "tagsAll": inputs.get("tags", {})}

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Change it; where it started to read cannot be changed, so that is left out."""
        request = self._request(new)
        for parameters in request.get("SourceParameters", {}).values():
            if isinstance(parameters, dict):
                parameters.pop("StartingPosition", None)
        self.aws.pipes.update_pipe(Name=physical_id, **request)
        added, removed = tag_changes(old, new)
        arn = self.aws.pipes.describe_pipe(Name=physical_id)["Arn"]
        if added:
            self.aws.pipes.tag_resource(resourceArn=arn, tags=added)
        if removed:
            self.aws.pipes.untag_resource(resourceArn=arn, tagKeys=removed)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it."""
        self.aws.pipes.delete_pipe(Name=physical_id)

    def _request(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        return {**pick(inputs, _PLAIN), **pick_nested(inputs, _NESTED, _SPECIAL)}


HANDLERS = (PipeResource,)
