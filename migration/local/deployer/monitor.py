"""The resource monitor that the SDK talks to: turns its requests into registrations for a `Host`.

Decides names (URNs), what children inherit, and that the first failure stops everything after it. It refuses
what it cannot honour instead of ignoring it.
"""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from migration.local.deployer import sdk
from migration.local.deployer.registration import (
    STACK_TYPE,
    Registered,
    Registration,
    ResourceOptions,
    make_urn,
)
from migration.local.deployer.wire import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from migration.local.deployer.registration import Host

Request = Any  # a protobuf message; its fields are read by name, which the smoke test checks


class HaltedError(Exception):
    """Stops the rest of a program after a failure; never reported, because `Monitor.failure` is."""


class Monitor:
    """One run's monitor. `failure` is the first thing that the host, or a request, raised."""

    def __init__(self, host: Host, stack: str, project: str, folder: Path) -> None:
        self.failure: Exception | None = None
        self._host = host
        self._stack = stack
        self._project = project
        self._folder = folder
        self._options: dict[str, ResourceOptions] = {}

    def surface(self) -> SimpleNamespace:
        """Give the object the SDK calls; the names are the protocol's."""
        return SimpleNamespace(
            GetDeploymentInfo=lambda _request: sdk.DeploymentInfo(supportedFeatures=sdk.FEATURES),
            RegisterResource=self._register,
            RegisterResourceOutputs=self._register_outputs,
            ReadResource=self._read,
            Invoke=self._invoke,
            SignalAndWaitForShutdown=lambda _request: sdk.nothing(),
        )

    def _register(self, request: Request) -> sdk.RegisterResponse:
        with self._halting():
            registration = self._registration(request)
            made = Registered() if registration.type == STACK_TYPE else self._host.register(registration)
            return sdk.RegisterResponse(urn=registration.urn, id=made.id, object=encode(made.outputs))

    def _read(self, request: Request) -> sdk.ReadResponse:
        with self._halting():
            found = self._host.read(request.type, request.id)
            return sdk.ReadResponse(urn=self._urn(request), id=found.id, properties=encode(found.outputs))

    def _invoke(self, request: Request) -> sdk.InvokeResponse:
        with self._halting():
            answer = self._host.invoke(request.tok, decode(request.args, self._folder))
            response = sdk.InvokeResponse()
            getattr(response, "return").update(answer)  # `return` is a keyword in Python
            return response

    def _register_outputs(self, request: Request) -> object:
        with self._halting():
            if request.urn.split("::")[2] == STACK_TYPE:
                self._host.export(decode(request.outputs, self._folder))
            return sdk.nothing()

    @contextmanager
    def _halting(self) -> Iterator[None]:
        if self.failure is not None:
            raise HaltedError
        try:
            yield
        except Exception as error:
            self.failure = error
            raise

    def _urn(self, request: Request) -> str:
        return make_urn(self._stack, self._project, request.parent, request.type, request.name)

    def _registration(self, request: Request) -> Registration:
        urn = self._urn(request)
        if urn in self._options:
            raise ValueError(f"two resources are named {urn}; give one of them another name")
        for option, given in (("import_", request.importId), ("a remote component", request.remote)):
            if given:
                raise ValueError(f"{urn}: {option} is not possible locally")
        self._options[urn] = self._inherited(request)
        return Registration(
            urn=urn,
            type=request.type,
            name=request.name,
            custom=request.custom,
            inputs=decode(request.object, self._folder),
            options=self._options[urn],
            secret_outputs=frozenset(request.additionalSecretOutputs),
        )

    def _inherited(self, request: Request) -> ResourceOptions:
        above = self._options.get(request.parent, ResourceOptions())
        retain = request.retainOnDelete if request.HasField("retainOnDelete") else above.retain_on_delete
        return ResourceOptions(
            parent=request.parent or None,
            dependencies=tuple(sorted(request.dependencies)),
            protect=request.protect,  # the SDK lets children inherit this one itself
            retain_on_delete=retain,
            delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
            ignore_changes=tuple(request.ignoreChanges),
            replace_on_changes=tuple(request.replaceOnChanges),
            aliases=tuple(request.aliasURNs),
            provider=request.provider or None,
        )
