"""A DynamoDB that fails in one way of its choice, in a process of its own: what a mirror may meet.

python -m benchmarks.faulty HOW MILLISECONDS      prints its port, serves until its input ends
"""

from __future__ import annotations

import json
import socket
import sys
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, Final

from benchmarks.stand_in import StandIn
from benchmarks.wire import Reply, in_its_own_process, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.wire import Answer

_SLOW_S: Final = 2.0


class Fault(StrEnum):
    """How it fails."""

    NONE = "healthy"
    DEAD = "dead"  # nobody listens
    SLOW = "slow"  # answers after 2 s
    THROTTLED = "throttled"  # refuses every put
    POISONED = "poisoned"  # in turn: another fact, no JSON, no answer, an error


@contextmanager
def faulty(how: Fault, after_ms: float) -> Iterator[str]:
    """Run one, and give its URL; without a fault an answer takes so many milliseconds."""
    if how is Fault.DEAD:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        return
    with in_its_own_process("benchmarks.faulty", how.name, after_ms) as url:
        yield url


def main(how: Fault, after_ms: float) -> None:
    """Serve."""
    dynamodb = StandIn()
    answers: dict[Fault, Answer] = {
        Fault.NONE: dynamodb.answer,
        Fault.SLOW: lambda *request: replace(dynamodb.answer(*request), after_s=_SLOW_S),
        Fault.THROTTLED: lambda *_: _error("ThrottlingException"),
        Fault.POISONED: partial(_next_poison, cycle(_POISONS)),
    }
    serve(partial(_later, answers[how], after_ms / 1_000))


def _later(answer: Answer, after_s: float, operation: str, body: bytes) -> Reply:
    reply = answer(operation, body)
    return reply if reply.after_s else replace(reply, after_s=after_s)


def _next_poison(poisons: Iterator[Reply], _operation: str, _body: bytes) -> Reply:
    return next(poisons)


def _error(code: str, status: int = 400, **more: object) -> Reply:
    content = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": code, **more}
    return Reply((json.dumps(content).encode(),), status=status)


_POISONS: Final = (
    _error("ConditionalCheckFailedException", Item={"points": {"N": "-1"}}),
    Reply((b"<html>not what was asked for</html>",)),
    Reply(status=0),
    _error("InternalServerError", status=500),
)


if __name__ == "__main__":
    main(Fault[sys.argv[1]], float(sys.argv[2]))
