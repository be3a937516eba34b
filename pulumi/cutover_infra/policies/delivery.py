"""Rules for what carries facts: nothing is dropped, doubled, or dead-lettered by a wrong time or count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutover_infra.policies.model import (
    FUNCTION,
    MAPPING,
    PIPE,
    QUEUE,
    SCHEDULE,
    Declared,
    ResourceRule,
    Rule,
    StackRule,
    Violation,
    denies_plain,
    of_type,
    parsed,
    violation,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FEWEST_RECEIVES: Final = 5
TIMEOUTS_HIDDEN: Final = 6
_DAY_S: Final = 86_400
_PIPE_DEAD_LETTERS: Final = ("sourceParameters", "dynamodbStreamParameters", "deadLetterConfig", "arn")
_SCHEDULE_DEAD_LETTERS: Final = ("target", "deadLetterConfig", "arn")
_ALARM: Final = "aws:cloudwatch/metricAlarm:MetricAlarm"


def dead_lettered(resources: Sequence[Declared]) -> Iterator[Violation]:
    """Every queue has a dead-letter queue, or is one."""
    targets = _dead_letter_arns(resources)
    for queue in of_type(resources, QUEUE):
        if not queue.get("redrivePolicy") and queue.get("arn") not in targets:
            yield violation(
                queue, "loses what cannot be processed; make it with make_queue and a dead-letter queue"
            )


def carriers_dead_letter(resource: Declared) -> Iterator[str]:
    """A pipe and a schedule have a dead-letter queue."""
    paths = {PIPE: _PIPE_DEAD_LETTERS, SCHEDULE: _SCHEDULE_DEAD_LETTERS}
    if resource.type in paths and not resource.get(*paths[resource.type]):
        yield "loses what cannot be delivered; set dead_letter_config"


def watched(resources: Sequence[Declared]) -> Iterator[Violation]:
    """Every dead-letter queue has an alarm on its depth."""
    alarmed = {
        alarm.get("dimensions", "QueueName")
        for alarm in of_type(resources, _ALARM)
        if alarm.get("metricName") == "ApproximateNumberOfMessagesVisible"
    }
    targets = _dead_letter_arns(resources)
    for queue in of_type(resources, QUEUE):
        if queue.get("arn") in targets and queue.get("name") not in alarmed:
            yield violation(queue, "fills without anyone hearing of it; add an alarm in alarms.py")


def patient(resource: Declared) -> Iterator[str]:
    """A message is received at least five times before it is given up."""
    redrive = parsed(resource.get("redrivePolicy")) if resource.type == QUEUE else {}
    if redrive and int(redrive["maxReceiveCount"]) < FEWEST_RECEIVES:
        yield f"gives messages up too early; set cutover:max_receive_count to {FEWEST_RECEIVES} or more"


def mapped(resource: Declared) -> Iterator[str]:
    """A mapping limits its concurrency and returns only the messages that failed."""
    if resource.type != MAPPING:
        return
    if not resource.get("scalingConfig", "maximumConcurrency"):
        yield "takes all concurrency there is; set scaling_config maximum_concurrency"
    if "ReportBatchItemFailures" not in (resource.get("functionResponseTypes") or []):
        yield "returns whole batches for one message; set function_response_types to ReportBatchItemFailures"


def hidden(resources: Sequence[Declared]) -> Iterator[Violation]:
    """A message stays hidden for six timeouts of the function that folds it, and the batching window."""
    for mapping, function, queue in _consumers(resources):
        window_s = int(mapping.get("maximumBatchingWindowInSeconds") or 0)
        needed_s = TIMEOUTS_HIDDEN * int(function.get("timeout") or 3) + window_s
        if int(queue.get("visibilityTimeoutSeconds") or 30) < needed_s:
            problem = (
                f"shows messages again while they are folded; set cutover:queue_visibility_s to {needed_s}"
            )
            yield violation(queue, problem)


def folded_once(resources: Sequence[Declared]) -> Iterator[Violation]:
    """A dedup entry outlives the fold horizon and every retention that can redeliver."""
    queues = {queue.get("arn"): queue for queue in of_type(resources, QUEUE)}
    for _, function, queue in _consumers(resources):
        variables = function.get("environment", "variables") or {}
        if "DEDUP_TTL_DAYS" not in variables:
            continue
        dead_letters = queues.get(parsed(queue.get("redrivePolicy")).get("deadLetterTargetArn"))
        retained = [
            each.get("messageRetentionSeconds") or 4 * _DAY_S for each in (queue, dead_letters) if each
        ]
        days = int(variables["FOLD_HORIZON_DAYS"]) + sum(retained) / _DAY_S
        if int(variables["DEDUP_TTL_DAYS"]) <= days:
            problem = f"may fold a redriven message twice; set cutover:dedup_ttl_days to more than {days:g}"
            yield violation(function, problem)


def over_tls(resources: Sequence[Declared]) -> Iterator[Violation]:
    """Every queue refuses requests without TLS."""
    guarded = {
        policy.get("queueUrl")
        for policy in of_type(resources, "aws:sqs/queuePolicy:QueuePolicy")
        if denies_plain(parsed(policy.get("policy")))
    }
    for queue in of_type(resources, QUEUE):
        if queue.get("url") not in guarded:
            yield violation(queue, "answers without TLS; make it with make_queue or make_dead_letter_queue")


def _dead_letter_arns(resources: Sequence[Declared]) -> set[object]:
    return {
        *(
            parsed(queue.get("redrivePolicy")).get("deadLetterTargetArn")
            for queue in of_type(resources, QUEUE)
        ),
        *(pipe.get(*_PIPE_DEAD_LETTERS) for pipe in of_type(resources, PIPE)),
        *(schedule.get(*_SCHEDULE_DEAD_LETTERS) for schedule in of_type(resources, SCHEDULE)),
    } - {None}


def _consumers(resources: Sequence[Declared]) -> Iterator[tuple[Declared, Declared, Declared]]:
    """Give each mapping with its function and its queue."""
    queues = {queue.get("arn"): queue for queue in of_type(resources, QUEUE)}
    functions = {
        function.get(key): function for function in of_type(resources, FUNCTION) for key in ("arn", "name")
    }
    for mapping in of_type(resources, MAPPING):
        function = functions.get(mapping.get("functionName"))
        queue = queues.get(mapping.get("eventSourceArn"))
        if function and queue:
            yield mapping, function, queue


RULES: Final[tuple[Rule, ...]] = (
    StackRule("dead-letter-queues", "Every queue has a dead-letter queue or is one.", dead_lettered),
    ResourceRule("dead-letter-carriers", "Pipes and schedules have one too.", carriers_dead_letter),
    StackRule("dead-letters-heard", "Every dead-letter queue has an alarm.", watched),
    ResourceRule("patient-redrive", "Messages are received at least five times.", patient),
    ResourceRule("bounded-mappings", "Mappings limit concurrency and report failures singly.", mapped),
    StackRule("hidden-long-enough", "Messages stay hidden for six function timeouts.", hidden),
    StackRule("folded-once", "Dedup entries outlive everything that redelivers.", folded_once),
    StackRule("queues-over-tls", "Queues refuse requests without TLS.", over_tls),
)
