"""Faults that the local AWS injects on request: what a fault is, and the client that injects them.

A fault is a match and what happens to the calls that match, whoever makes them: a test, the load, or a
handler. It never meets what the local AWS does inside itself, with one exception: a pipe's delivery, as
service `pipes`, operation `Deliver`.
"""

from __future__ import annotations

import json
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, model_validator

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH: Final = "/_cutover/faults"
_TIMEOUT_S: Final = 10

Kind = Literal["error", "latency", "drop", "after", "answer", "drip", "hold", "lag", "vanish"]
_TIMED: Final = ("latency", "drip", "hold", "lag")
_OF_TABLES: Final = ("hold", "lag", "vanish")
Count = Annotated[int, Field(ge=1)]
Probability = Annotated[float, Field(gt=0, le=1)]


class Fault(BaseModel):
    """One rule. Names may hold `*`; the first rule that matches a call and is due decides what happens to it.

    Attributes:
        service: as the request is signed for (`dynamodb`, `sqs`, `lambda`); `lambda-url` and `execute-api`
            for requests of clients; `pipes` for a pipe's delivery.
        operation: `PutItem`; where a service has paths, `POST /2015-03-31/functions/*/invocations`.
        kind: `error` answers without applying the call; `latency` applies it late; `drop` closes the
            connection without applying it; `after` applies it and then answers 500, so that the caller cannot
            know; `answer` answers `status` and `body`, whatever they are, without applying it; `drip` applies
            it and sends the answer byte by byte, headers too. DynamoDB's alone: `hold` makes a transaction
            take its time, and meanwhile its items refuse plain writes and other transactions; `lag` answers
            an eventually consistent read with what was there a while ago; `vanish` deletes the item that the
            call names first, as its time to live would.
        contains: only calls whose body holds this text, such as a table's name.
        code: the error's code; `message` and `status` go with it.
        extra: further fields of the error, such as `CancellationReasons`.
        body: what `answer` answers.
        latency_ms: how long a call waits before anything else happens to it; for `drip` between two bytes;
            for `lag` how old the answer is.
        count: how many calls it meets before it is spent; without it, it meets all.
        probability: the share of matching calls that it meets, drawn from `seed`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: str
    operation: str = "*"
    kind: Kind = "error"
    contains: str | None = None
    code: str = "InternalServerError"
    message: str = "injected by the fault layer"
    status: Annotated[int, Field(ge=200, le=599)] = 500
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    body: str = ""
    latency_ms: Annotated[int, Field(ge=0, le=600_000)] = 0
    count: Count | None = None
    probability: Probability = 1.0
    seed: int = 0

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Self:
        if self.kind in _TIMED and not self.latency_ms:
            raise ValueError(f"{self.kind} needs latency_ms")
        if self.kind in _OF_TABLES and self.service != "dynamodb":
            raise ValueError(f"{self.kind} is of service dynamodb only")
        return self


@dataclass(frozen=True, slots=True)
class Injection:
    """One call that met a fault. `at` is UTC text with milliseconds; `body` is how the call's body starts."""

    at: str
    fault: str
    kind: Kind
    service: str
    operation: str
    body: str


@dataclass(frozen=True, slots=True)
class ArmedFault:
    """A fault that is armed, and how many calls it met."""

    id: str
    met: int
    fault: Fault


_ARMED: Final = TypeAdapter(list[ArmedFault])
_INJECTIONS: Final = TypeAdapter(list[Injection])


@dataclass(frozen=True, slots=True)
class Faults:
    """The client of the fault layer at `endpoint`."""

    endpoint: str

    def inject(self, fault: Fault) -> str:
        """Arm a fault; return the id that withdraws it."""
        return str(self._call("POST", body=fault.model_dump(mode="json"))["id"])

    def withdraw(self, fault_id: str) -> None:
        """Disarm one fault; what it did stays in the log."""
        self._call("DELETE", f"/{fault_id}")

    def clear(self) -> None:
        """Disarm every fault and empty the log."""
        self._call("DELETE")

    def armed(self) -> list[ArmedFault]:
        """List the faults that are armed, in the order in which they are asked."""
        return _ARMED.validate_python(self._call("GET")["faults"])

    def log(self) -> list[Injection]:
        """List what was injected since the log was cleared, oldest first; at most the last 10,000.

        What a held item refused is listed as an `error` of the fault that holds it.
        """
        return _INJECTIONS.validate_python(self._call("GET")["log"])

    @contextmanager
    def injected(self, *faults: Fault) -> Iterator[None]:
        """Arm faults for the length of a block."""
        armed = [self.inject(fault) for fault in faults]
        try:
            yield
        finally:
            for fault_id in armed:
                self.withdraw(fault_id)

    def _call(self, method: str, suffix: str = "", body: object = None) -> Any:  # noqa: ANN401 - decoded JSON
        request = urllib.request.Request(  # noqa: S310 - the local endpoint
            self.endpoint + PATH + suffix,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - same
            return json.loads(answer.read())
