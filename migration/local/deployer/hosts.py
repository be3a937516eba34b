"""The two ways to answer a program: say what would happen (`Preview`), or make it happen (`Deploying`).

Both decide alike. A preview changes neither AWS nor the state file. A deployment writes the state before and
after each thing it does, and deletes nothing before the program has ended well.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
)

from migration.local.deployer.decision import decide, removal
from migration.local.deployer.differences import differences
from migration.local.deployer.errors import ProtectedError, StepFailedError, UnreachableError
from migration.local.deployer.functions import answer
from migration.local.deployer.plan import DeploymentPlan, ResourceStep, StepKind, StepProgress
from migration.local.deployer.registration import Registered
from migration.local.deployer.resources import handler_for
from migration.local.deployer.state import deletion_order
from migration.local.deployer.values import MASK, Unknown, holds, reveal, secrets_in
from migration.model.errors import CutoverError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from migration.local.deployer.aws import Aws
    from migration.local.deployer.decision import StepDecision
    from migration.local.deployer.registration import Registration
    from migration.local.deployer.resources.handler import Handler
    from migration.local.deployer.state import ResourceState, StackState, StateFile
    from migration.local.deployer.values import Inputs


class _Answering:
    """What both hosts share: looking things up, and telling the program's errors from AWS's."""

    def __init__(self, state: StackState, aws: Aws) -> None:
        self._state = state
        self._aws = aws

    @property
    def done(self) -> str:
        """Say what state a failure leaves."""
        return "Nothing was changed"

    def read(self, token: str, physical_id: str) -> Registered:
        """Find a resource that something else made."""
        with self._step_fails("find", token, physical_id):
            outputs = handler_for(token, self._aws).live(physical_id, {})
            if outputs is None:
                raise LookupError("AWS has no such thing")
            return Registered(physical_id, outputs)

    def invoke(self, token: str, _arguments: Inputs) -> Mapping[str, Any]:
        """Answer a provider function."""
        with self._step_fails("call", token, ""):
            return answer(token, self._aws.region, self._aws.account)

    def _decide(self, registration: Registration) -> StepDecision:
        with self._step_fails("look at", registration.type, registration.name):
            return decide(registration, self._state, self._aws)

    def _interrupted(self) -> list[ResourceState]:
        """Find what an interrupted run made that the program no longer has."""
        left: list[ResourceState] = []
        for begun in self._state.pending.values():
            with self._step_fails("look for", begun.type, begun.name):
                made = handler_for(begun.type, self._aws).find(reveal(begun.inputs))
            if made is not None:
                left.append(replace(begun, id=made))
        return left

    @contextmanager
    def _step_fails(self, action: str, token: str, name: str, inputs: Inputs | None = None) -> Iterator[None]:
        """Say what failed; what AWS or boto3 said is quoted without the secrets that it may quote itself."""
        try:
            yield
        except CutoverError:
            raise
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise UnreachableError(self._aws.endpoint, self.done) from error
        except (BotoCoreError, ClientError, LookupError, OSError, TypeError, ValueError) as error:
            text = str(error)
            for secret in secrets_in(dict(inputs or {})):
                text = text.replace(secret, MASK)
            cause = error if text == str(error) else None
            raise StepFailedError(action, token, name, text, self.done) from cause


class Preview(_Answering):
    """Collects the steps that a deployment would take."""

    def __init__(self, state: StackState, aws: Aws) -> None:
        super().__init__(state, aws)
        self._steps: list[ResourceStep] = []
        self._exports: Inputs = {}

    def register(self, registration: Registration) -> Registered:
        """Say what would happen to the resource, and what can be known of it."""
        decision = self._decide(registration)
        self._steps.append(decision.step)
        foreseen = decision.foreseen()
        self._state.put(decision.outcome(foreseen.id, {}), instead_of=decision.old)
        return foreseen

    def export(self, outputs: Inputs) -> None:
        """Take the outputs, as far as they are known."""
        self._exports = outputs

    def plan(self) -> DeploymentPlan:
        """Give the steps, and the deletions that come after them."""
        gone = deletion_order([*self._state.unplaced(), *self._interrupted()])
        return DeploymentPlan(
            self._state.project,
            self._state.stack,
            (*self._steps, *(removal(resource) for resource in gone)),
            differences(self._state.outputs, self._exports),
        )


class Deploying(_Answering):
    """Takes the steps."""

    def __init__(
        self, state: StackState, aws: Aws, file: StateFile, on_step: Callable[[StepProgress], None] | None
    ) -> None:
        super().__init__(state, aws)
        self._file = file
        self._on_step = on_step or (lambda _progress: None)
        self._exports: Inputs = {}

    @property
    def done(self) -> str:
        """Say what was done so far, and where that is written down."""
        count = sum(resource.custom for resource in self._state.resources)
        return f"{count} resources are deployed and recorded in {self._file.path}"

    def register(self, registration: Registration) -> Registered:
        """Bring the resource about."""
        decision = self._decide(registration)
        if decision.step.blocked:
            raise ProtectedError([f"{registration.type} {registration.name}"])
        with self._told(decision.step, decision.inputs):
            made = self._take(decision)
        return Registered(made.id, {**made.inputs, **made.outputs})

    def export(self, outputs: Inputs) -> None:
        """Take the outputs; they are recorded when everything is done."""
        self._exports = outputs

    def finish(self) -> None:
        """Delete what the program no longer has, once the program has ended well, and record the outputs."""
        self.delete([*self._state.unplaced(), *self._interrupted()])
        self._state.pending.clear()
        self._state.outputs = self._exports
        self._file.save(self._state)

    def delete(self, resources: Sequence[ResourceState]) -> None:
        """Delete resources, each before what it depends on; refuse before the first if any is protected."""
        ordered = deletion_order(resources)
        steps = [(resource, removal(resource)) for resource in ordered]
        protected = [f"{step.type} {step.name}" for _, step in steps if step.blocked]
        if protected:
            raise ProtectedError(protected)
        for resource, step in steps:
            with self._told(step):
                self._delete(resource)
                if resource in self._state.resources:
                    self._state.drop(resource)
                self._file.save(self._state)

    def _take(self, decision: StepDecision) -> ResourceState:
        old, handler, inputs = decision.old, decision.handler, decision.inputs
        if handler is None or (old is not None and decision.step.kind is StepKind.SAME):
            known = old.id if old is not None else decision.registration.name
            return self._record(decision, decision.outcome(known, decision.live or {}))
        if holds(dict(inputs), Unknown):
            raise ValueError("one of its inputs is not known")
        if old is not None and decision.step.kind is StepKind.UPDATE:
            handler.update(old.id, reveal(old.inputs), reveal(inputs))
            return self._record(decision, self._made(decision, handler, old.id))
        return self._create(decision, handler)

    def _create(self, decision: StepDecision, handler: Handler) -> ResourceState:
        """Make the resource; what it replaces goes before it, or, where both can exist, at the very end."""
        old = decision.old if decision.live is not None else None
        inputs = reveal(decision.inputs)
        if old is not None and _deletes_first(decision, handler):
            self._delete(old)
            self._state.drop(old)
        begun = self._state.pending.get(decision.registration.urn)
        self._state.pending[decision.registration.urn] = decision.outcome("", {})
        self._file.save(self._state)
        made = handler.find(inputs) if begun is not None else None
        if made is None or (old is not None and made == old.id):
            made = handler.make(inputs)
        else:
            handler.update(made, {}, inputs)
        if old is not None and old in self._state.resources:
            self._state.condemn(old)
        gone = decision.old if decision.live is None else None
        return self._record(decision, self._made(decision, handler, made), instead_of=gone)

    def _made(self, decision: StepDecision, handler: Handler, physical_id: str) -> ResourceState:
        outputs = handler.live(physical_id, reveal(decision.inputs))
        if outputs is None:
            raise LookupError("AWS said it is done, and then that it is not there")
        return decision.outcome(physical_id, outputs)

    def _record(
        self, decision: StepDecision, made: ResourceState, instead_of: ResourceState | None = None
    ) -> ResourceState:
        replaced = decision.old if decision.step.kind in {StepKind.SAME, StepKind.UPDATE} else instead_of
        self._state.put(made, instead_of=replaced)
        if made != replaced:
            self._file.save(self._state)
        return made

    def _delete(self, resource: ResourceState) -> None:
        if resource.custom and not resource.retain_on_delete:
            handler_for(resource.type, self._aws).remove(resource.id, reveal(resource.inputs))

    @contextmanager
    def _told(self, step: ResourceStep, inputs: Inputs | None = None) -> Iterator[None]:
        if step.kind is not StepKind.SAME:
            self._on_step(StepProgress(step, "started"))
        try:
            with self._step_fails(step.kind, step.type, step.name, inputs):
                yield
        except CutoverError:
            self._on_step(StepProgress(step, "failed"))
            raise
        self._on_step(StepProgress(step, "done"))


def _deletes_first(decision: StepDecision, handler: Handler) -> bool:
    """Tell whether the old one must go first: because it was asked for, or both want the same name."""
    asked = decision.registration.options.delete_before_replace
    if asked is not None or decision.old is None:
        return bool(asked)
    before = handler.slot(reveal(decision.old.inputs))
    return before is not None and before == handler.slot(reveal(decision.inputs))
