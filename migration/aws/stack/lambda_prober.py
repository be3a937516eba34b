"""Pulses by invoking an entry function directly, with an event that no HTTP client can make."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from migration.aws.transport.clients import translated
from migration.guardrails.prober import Accepted, NotRouted, Refused

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_PULSE: Final = b'{"pulse":"pipeline"}'
_NO_CONTENT: Final = 204
_ACCEPTED: Final = (200, 202)


@dataclass(frozen=True, slots=True)
class LambdaProber:
    """Invokes one of a stack's entry functions."""

    client: LambdaClient
    function: str

    def pulse(self) -> Accepted | Refused | NotRouted:
        """Send a pulse."""
        with translated(f"invoking {self.function}"):
            answer = self.client.invoke(FunctionName=self.function, Payload=_PULSE)
            payload = json.loads(answer["Payload"].read() or b"{}")
        if "FunctionError" in answer:
            return Refused(str(payload.get("errorMessage", answer["FunctionError"])))
        if payload.get("statusCode") == _NO_CONTENT:
            return NotRouted()
        if payload.get("statusCode") not in _ACCEPTED:
            return Refused(f"answered {payload.get('statusCode')}: {payload.get('body')}")
        return Accepted()
