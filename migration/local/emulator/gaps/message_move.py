"""Redriving a dead-letter queue: StartMessageMoveTask, ListMessageMoveTasks, CancelMessageMoveTask.

ministack 1.5.33 answers InvalidAction. AWS moves the visible messages of a dead-letter queue in the
background, to a named queue or each to the queue it came from, as new messages: new id, new age, no receives.
One task per source at a time; a message that was not dead-lettered by SQS has no queue to return to and fails
the task. Filled with a thread per task that moves one message at a time.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
import uuid
from base64 import b64encode
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ministack.core import concurrency
from ministack.services import sqs

from migration.local.emulator.gaps import seam

if TYPE_CHECKING:
    from collections.abc import Callable

_ACTIVE: Final = ("RUNNING", "CANCELLING")
_FASTEST: Final = 500
_MOST_LISTED: Final = 10
_NO_ORIGIN: Final = "CouldNotDetermineMessageSource"
_NO_QUEUE: Final = "AWS.SimpleQueueService.NonExistentQueue"
_REFUSED: Final = "TheDestinationRefusedTheMessage"


@dataclass(slots=True)
class _Task:
    source_arn: str
    destination_arn: str | None
    per_second: int | None
    to_move: int
    handle: str = ""
    status: str = "RUNNING"
    moved: int = 0
    failure: str | None = None
    started_ms: int = field(default_factory=lambda: int(time.time() * 1000))

    def __post_init__(self) -> None:
        name = {"taskId": str(uuid.uuid4()), "sourceArn": self.source_arn}
        self.handle = b64encode(json.dumps(name).encode()).decode()

    def described(self) -> dict[str, Any]:
        fields = {
            "TaskHandle": self.handle if self.status == "RUNNING" else None,
            "Status": self.status,
            "SourceArn": self.source_arn,
            "DestinationArn": self.destination_arn,
            "MaxNumberOfMessagesPerSecond": self.per_second,
            "ApproximateNumberOfMessagesMoved": self.moved,
            "ApproximateNumberOfMessagesToMove": self.to_move,
            "FailureReason": self.failure,
            "StartedTimestamp": self.started_ms,
        }
        return {name: value for name, value in fields.items() if value is not None}


_tasks: defaultdict[str, list[_Task]] = defaultdict(list)
_lock: Final = threading.Lock()


def fill() -> None:
    """Fill the gap."""
    seam.original(sqs, "_HANDLERS").update(
        StartMessageMoveTask=_start, ListMessageMoveTasks=_list, CancelMessageMoveTask=_cancel
    )
    seam.replace(sqs, "reset", _forgetting_tasks)


def _forgetting_tasks(reset: Callable[[], None]) -> Callable[[], None]:
    def forget() -> None:
        with _lock:
            for task in itertools.chain.from_iterable(_tasks.values()):
                task.status = "CANCELLING"
            _tasks.clear()
        reset()

    return forget


def _start(request: dict[str, Any], _url: str) -> dict[str, Any]:
    source_arn, destination_arn = request.get("SourceArn", ""), request.get("DestinationArn")
    source = _existing_queue(source_arn, "SourceArn")
    if destination_arn:
        _existing_queue(destination_arn, "DestinationArn")
    if not _is_dead_letter_queue(source_arn):
        raise _invalid("Source queue must be configured as a Dead Letter Queue.")
    per_second = request.get("MaxNumberOfMessagesPerSecond")
    if per_second is not None and not 1 <= per_second <= _FASTEST:
        raise _invalid(
            "Value for parameter MaxNumberOfMessagesPerSecond is invalid. "
            f"Reason: You must enter a number that's between 1 and {_FASTEST}."
        )
    task = _Task(source_arn, destination_arn, per_second, len(_visible(source)))
    with _lock:
        if any(other.status in _ACTIVE for other in _tasks[source_arn]):
            raise _invalid(
                "There is already a task running. Only one active task is allowed for a source queue "
                "arn at a given time."
            )
        _tasks[source_arn].insert(0, task)
    concurrency.spawn_background(_run, task, source, thread_name="cutover-message-move")
    return {"TaskHandle": task.handle}


def _list(request: dict[str, Any], _url: str) -> dict[str, Any]:
    source_arn = request.get("SourceArn", "")
    _existing_queue(source_arn, "SourceArn")
    wanted = request.get("MaxResults") or 1
    if not 1 <= wanted <= _MOST_LISTED:
        raise _invalid(
            "Value for parameter MaxResults is invalid. Reason: MaxResults must be between 1 and 10."
        )
    with _lock:
        return {"Results": [task.described() for task in _tasks[source_arn][:wanted]]}


def _cancel(request: dict[str, Any], _url: str) -> dict[str, Any]:
    with _lock:
        for task in itertools.chain.from_iterable(_tasks.values()):
            if task.handle == request.get("TaskHandle") and task.status == "RUNNING":
                task.status = "CANCELLING"
                return {"ApproximateNumberOfMessagesMoved": task.moved}
    raise _error("ResourceNotFoundException", "Task does not exist.", 404)


def _run(task: _Task, source: dict[str, Any]) -> None:
    while task.status == "RUNNING" and task.moved < task.to_move and (messages := _visible(source)):
        task.failure = seam.with_queues(partial(_move, messages[0], source, task.destination_arn))
        if task.failure:
            break
        task.moved += 1
        if task.per_second:
            time.sleep(1 / task.per_second)
    ended = {"RUNNING": "COMPLETED", "CANCELLING": "CANCELLED"}
    task.status = "FAILED" if task.failure else ended[task.status]


def _move(message: dict[str, Any], source: dict[str, Any], destination_arn: str | None) -> str | None:
    """Move one message; return why that is not possible, or None."""
    origin = destination_arn or message["sys"].get("DeadLetterQueueSourceArn")
    if not origin:
        return _NO_ORIGIN
    destination = seam.original(sqs, "_queue_by_arn")(origin)
    if destination is None:
        return _NO_QUEUE
    entry = {
        "Id": "0",
        "MessageBody": message["body"],
        "MessageAttributes": message.get("message_attributes"),
        "MessageGroupId": message.get("group_id"),
        "MessageDeduplicationId": str(uuid.uuid4()) if destination["is_fifo"] else None,
    }
    if seam.send_messages(destination, [entry]):
        return _REFUSED
    source["messages"] = [other for other in source["messages"] if other is not message]
    return None


def _visible(queue: dict[str, Any]) -> list[dict[str, Any]]:
    now = time.time()
    return [message for message in queue["messages"] if message["visible_at"] <= now]


def _is_dead_letter_queue(arn: str) -> bool:
    policies = (queue["attributes"].get("RedrivePolicy") for queue in seam.original(sqs, "_queues").values())
    return any(policy and json.loads(policy)["deadLetterTargetArn"] == arn for policy in policies)


def _existing_queue(arn: str, parameter: str) -> dict[str, Any]:
    queue: dict[str, Any] | None = seam.original(sqs, "_queue_by_arn")(arn)
    if queue is None:
        raise _error(
            "ResourceNotFoundException",
            f"The resource that you specified for the {parameter} parameter doesn't exist.",
            404,
        )
    return queue


def _invalid(message: str) -> Exception:
    return _error("InvalidParameterValue", message, 400)


def _error(code: str, message: str, status: int) -> Exception:
    error: Exception = seam.original(sqs, "_Err")(code, message, status)
    return error
