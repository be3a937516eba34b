"""What each stack has where its Pulumi.<stack>.yaml says nothing: the one place where stacks differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cutover_infra.settings import Stack

if TYPE_CHECKING:
    from collections.abc import Mapping

_LAYER: Final = (
    "arn:aws:lambda:{region}:017000801446:layer:AWSLambdaPowertoolsPythonV3-python313-{architecture}:27"
)

_COMMON: Final[Mapping[str, object]] = {
    "phase": "legacy",
    "front": "function_url",
    "auth": "none",
    "throttle_rate": 50,
    "throttle_burst": 100,
    "cors_origin": "*",
    "owns_api_account": False,
    "memory_mb": 256,
    "aggregate_memory_mb": 512,
    "request_timeout_s": 15,
    "job_timeout_s": 50,
    "aggregate_timeout_s": 60,
    "reserved_concurrency": -1,
    "job_reserved_concurrency": -1,
    "architecture": "arm64",
    "powertools_layer": _LAYER,
    "log_level": "INFO",
    "log_retention_days": 7,
    "capture_parallelism": 1,
    "queue_visibility_s": 420,
    "max_receive_count": 5,
    "aggregate_batch_size": 1000,
    "aggregate_window_s": 1,
    "aggregate_max_concurrency": 5,
    "migration": "activities",
    "baked_control": '{"stage":"off"}',
    "legacy_shape": "{}",
    # What a batch has no time for counts as received; legacy's rows may be hot, and then each takes seconds.
    "mirror_batch_size": 100,
    # Legacy has one row a program: more at once would mostly meet each other there.
    "mirror_max_concurrency": 2,
    "watchdog_timeout_s": 60,
    "watchdog_interval_s": 2,
    "watchdog_looks": 3,
    "watchdog_grace_s": 20,
    "guardrails": "{}",
    "hooks": "{}",
    # A dead-lettered message keeps its first time, so 15 days (1 in the stream, 14 in the queues) let every
    # redrive fold; the entries that keep it from folding twice outlive that by the queues' retentions.
    "fold_horizon_days": 15,
    "dedup_ttl_days": 40,
    "program_shards": 2,
    "bulk_engine": True,
    "bulk_workers": 25,
    # A put takes a function about 2 ms of a whole processor, which is 1,769 MB.
    "bulk_memory_mb": 512,
    "board_size": 100,
    "board_shards": 2,
    "snapshot_minutes": 1,
    "snapshot_ttl_days": 7,
    "stale_after_s": 180,
    "legacy_rebuild_minutes": 5,
    "pitr": True,
    "protection": False,
    "alarm_email": "none",
}

DEFAULTS: Final[Mapping[Stack, Mapping[str, object]]] = {
    Stack.DEV: _COMMON,
    Stack.STAGING: {
        **_COMMON,
        "front": "api_gateway",
        "auth": "iam",
        "throttle_rate": 200,
        "throttle_burst": 400,
        "owns_api_account": True,
        "memory_mb": 512,
        "aggregate_memory_mb": 1024,
        "reserved_concurrency": 20,
        "job_reserved_concurrency": 1,
        "log_retention_days": 14,
        "aggregate_max_concurrency": 10,
    },
    Stack.PROD: {
        **_COMMON,
        "front": "api_gateway",
        "auth": "iam",
        "throttle_rate": 1000,
        "throttle_burst": 2000,
        "owns_api_account": True,
        "memory_mb": 512,
        "aggregate_memory_mb": 1024,
        "reserved_concurrency": 100,
        "job_reserved_concurrency": 1,
        "log_retention_days": 90,
        "capture_parallelism": 4,
        "aggregate_max_concurrency": 50,
        "program_shards": 10,
        "bulk_workers": 100,
        "board_shards": 4,
        "snapshot_ttl_days": 30,
        "protection": True,
    },
    Stack.LOCAL: {
        **_COMMON,
        "phase": "expand",
        # The local AWS runs handlers on its own interpreter, which has Powertools.
        "powertools_layer": "none",
        "log_retention_days": 1,
        # Small stories are told in small batches; a short timeout lets a lost batch return soon.
        "aggregate_batch_size": 100,
        "aggregate_timeout_s": 20,
        "queue_visibility_s": 121,
        "legacy_rebuild_minutes": 1,
        "bulk_workers": 4,
    },
}
