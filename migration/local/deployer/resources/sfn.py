"""Step Functions state machines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from migration.local.deployer.resources.handler import Handler, pick, tag_changes

if TYPE_CHECKING:
    from collections.abc import Mapping

_MACHINE = {"definition": "definition", "roleArn": "roleArn"}


class StateMachine(Handler):
    """`aws.sfn.StateMachine`; its id is its ARN."""

    type = "aws:sfn/stateMachine:StateMachine"
    replace_on = frozenset({"name", "type"})
    id_form = "arn:aws:states:{aws.region}:{aws.account}:stateMachine:{name}"

    def create(self, inputs: Mapping[str, Any]) -> str:
        """Make the state machine."""
        answer = self.aws.states.create_state_machine(
            name=inputs["name"],
            type=inputs.get("type", "STANDARD"),
            tags=_tags(inputs.get("tags") or {}),
            **pick(inputs, _MACHINE),
        )
        return answer["stateMachineArn"]

    def read(self, physical_id: str, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Give the ARN and the status."""
        answer = self.aws.states.describe_state_machine(stateMachineArn=physical_id)
        return {"arn": physical_id, "status": answer["status"], "tagsAll": inputs.get("tags", {})}

    def update(self, physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
        """Set the definition and the role; executions that run keep what they began with."""
        self.aws.states.update_state_machine(stateMachineArn=physical_id, **pick(new, _MACHINE))
        added, removed = tag_changes(old, new)
        if added:
            self.aws.states.tag_resource(resourceArn=physical_id, tags=_tags(added))
        if removed:
            self.aws.states.untag_resource(resourceArn=physical_id, tagKeys=removed)

    def delete(self, physical_id: str, _inputs: Mapping[str, Any]) -> None:
        """Remove it."""
        self.aws.states.delete_state_machine(stateMachineArn=physical_id)


def _tags(tags: Mapping[str, str]) -> list[Any]:
    return [{"key": key, "value": value} for key, value in tags.items()]


HANDLERS = (StateMachine,)
