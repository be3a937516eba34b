"""What has to happen to one resource, from what the program asks for, what the state says and what AWS has.

Reads AWS, never changes it. A resource that the state knows and AWS has lost (the local AWS forgets when it
stops) is made again; one that AWS has and the state does not know is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from migration.local.deployer.differences import PropertyChange, differences, keep_ignored
from migration.local.deployer.plan import ResourceStep, StepKind
from migration.local.deployer.registration import Registered
from migration.local.deployer.resources import handler_for
from migration.local.deployer.resources.handler import made_up_name
from migration.local.deployer.state import ResourceState
from migration.local.deployer.values import Secret, holds, reveal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migration.local.deployer.aws import Aws
    from migration.local.deployer.registration import Registration
    from migration.local.deployer.resources.handler import Handler
    from migration.local.deployer.state import StackState
    from migration.local.deployer.values import Inputs

LOST: Final = "AWS no longer has it"
INTERRUPTED: Final = "an interrupted run began it; what is there is taken over"
RETAINED: Final = "stays in AWS"


@dataclass(frozen=True, slots=True)
class StepDecision:
    """One resource's step, and what is needed to take it. `handler` is None for what is nothing in AWS."""

    registration: Registration
    step: ResourceStep
    inputs: Inputs
    handler: Handler | None = None
    old: ResourceState | None = None
    live: Mapping[str, Any] | None = None

    def outcome(self, physical_id: str, outputs: Mapping[str, Any]) -> ResourceState:
        """Give the state of the resource once the step is taken."""
        options = self.registration.options
        secrets = self.registration.secret_outputs | {
            name for name, value in self.inputs.items() if holds(value, Secret)
        }
        marked = {name: Secret(value) if name in secrets else value for name, value in outputs.items()}
        return ResourceState(
            urn=self.registration.urn,
            type=self.registration.type,
            name=self.registration.name,
            custom=self.step.custom,
            id=physical_id,
            inputs=self.inputs,
            outputs=marked,
            parent=options.parent,
            dependencies=options.dependencies,
            protect=options.protect,
            retain_on_delete=options.retain_on_delete,
        )

    def foreseen(self) -> Registered:
        """Give what a preview can know of the id and the outputs; what is missing is unknown."""
        if self.live is None or self.old is None or self.step.kind is StepKind.REPLACE:
            return Registered(outputs=self.inputs)
        unsettled: set[str] = set()
        if self.handler is not None:
            for change in self.step.changes:
                unsettled.update(self.handler.unsettled.get(change.property, ()))
        known = {name: value for name, value in self.live.items() if name not in unsettled}
        return Registered(self.old.id, {**self.inputs, **self.outcome(self.old.id, known).outputs})


def decide(registration: Registration, state: StackState, aws: Aws) -> StepDecision:
    """Compare the three and choose the step."""
    old = state.find(registration.urn, registration.options.aliases)
    if not registration.custom or registration.is_provider:
        kind = StepKind.CREATE if old is None else StepKind.SAME
        return StepDecision(registration, _step(registration, kind), registration.inputs, old=old, live={})
    handler = handler_for(registration.type, aws)
    inputs = _named(registration, handler, old)
    live = None if old is None else handler.live(old.id, reveal(old.inputs))
    if old is None or live is None:
        note = LOST if old else INTERRUPTED if registration.urn in state.pending else ""
        step = _step(registration, StepKind.CREATE, differences({}, inputs), note)
        return StepDecision(registration, step, inputs, handler, old)
    inputs = keep_ignored(old.inputs, inputs, registration.options.ignore_changes)
    changes = _judged(differences(old.inputs, inputs), registration, handler)
    if not any(change.replaces for change in changes):
        kind = StepKind.UPDATE if changes else StepKind.SAME
        return StepDecision(registration, _step(registration, kind, changes), inputs, handler, old, live)
    step = _step(registration, StepKind.REPLACE, changes, RETAINED if old.retain_on_delete else "")
    renamed = _renamed(registration, handler, inputs)
    return StepDecision(registration, replace(step, blocked=old.protect), renamed, handler, old, live)


def removal(resource: ResourceState, note: str = "") -> ResourceStep:
    """Describe the deletion of what the program no longer has, or of a replaced resource."""
    kept = RETAINED if resource.retain_on_delete and resource.custom else note
    return ResourceStep(
        StepKind.DELETE,
        resource.urn,
        resource.type,
        resource.name,
        resource.custom,
        note=kept or ("was replaced" if resource.condemned else ""),
        blocked=resource.protect and not resource.condemned,
    )


def _step(
    registration: Registration, kind: StepKind, changes: tuple[PropertyChange, ...] = (), note: str = ""
) -> ResourceStep:
    custom = registration.custom and not registration.is_provider
    return ResourceStep(kind, registration.urn, registration.type, registration.name, custom, changes, note)


def _named(registration: Registration, handler: Handler, old: ResourceState | None) -> Inputs:
    """Fill in the name AWS knows it by, and keep it from then on."""
    name = handler.name_input
    if name is None or registration.inputs.get(name) is not None:
        return registration.inputs
    made_up = made_up_name(registration.urn, registration.name)
    return {**registration.inputs, name: old.inputs.get(name, made_up) if old else made_up}


def _renamed(registration: Registration, handler: Handler, inputs: Inputs) -> Inputs:
    """Give a replacement another made-up name, so that both can exist for a while."""
    name = handler.name_input
    if name is None or registration.inputs.get(name) is not None:
        return inputs
    return {**inputs, name: made_up_name(registration.urn, registration.name, salt=str(inputs[name]))}


def _judged(
    changes: tuple[PropertyChange, ...], registration: Registration, handler: Handler
) -> tuple[PropertyChange, ...]:
    asked = registration.options.replace_on_changes
    return tuple(
        replace(
            change,
            replaces=change.property in handler.replace_on
            or any(path in {"*", change.property} or change.path.startswith(path) for path in asked),
        )
        for change in changes
    )
