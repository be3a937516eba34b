"""What a person may set for a stack (`cutover:*` in Pulumi.<stack>.yaml), checked before anything is made.

Decides which values are allowed one by one; contradictions.py, which are together. It never makes a resource.
The values that a stack leaves out are in defaults.py; configuration.py reads the given ones.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cutover_infra.json_settings import check_control, check_object, check_shape

NAMESPACE: Final = "cutover"
QUEUE_RETENTION: Final = timedelta(days=4)
DEAD_LETTER_RETENTION: Final = timedelta(days=14)
LOG_RETENTION_DAYS: Final = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827)
NOT_RESERVED: Final = -1


class Stack(StrEnum):
    """An environment; one Pulumi stack each."""

    DEV = "dev"
    STAGING = "staging"
    PROD = "prod"
    LOCAL = "local"


class Phase(StrEnum):
    """The infrastructure's state: legacy alone, the pipeline next to it, or the pipeline alone."""

    LEGACY = "legacy"
    EXPAND = "expand"
    CONTRACT = "contract"


class FrontKind(StrEnum):
    """What a client's request meets first."""

    FUNCTION_URL = "function_url"
    API_GATEWAY = "api_gateway"


class Auth(StrEnum):
    """What a client must bring."""

    NONE = "none"
    IAM = "iam"
    API_KEY = "api_key"


class Architecture(StrEnum):
    """The processor that functions run on."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


class LogLevel(StrEnum):
    """The least important line that functions log."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


# The two texts of a field are what it is for (title) and what it may be (description); errors and
# docs/deploying.md say the same words.
def _whole(low: int, high: int, purpose: str) -> Any:  # noqa: ANN401 - a field's default has the field's type
    return Field(ge=low, le=high, title=purpose, description=f"a whole number from {low} to {high}")


def _one_of(values: type[StrEnum], purpose: str) -> Any:  # noqa: ANN401 - as above
    return Field(title=purpose, description=f"one of {', '.join(values)}")


def _switch(purpose: str) -> Any:  # noqa: ANN401 - as above
    return Field(title=purpose, description="true or false")


def _text(pattern: str, allowed: str, purpose: str) -> Any:  # noqa: ANN401 - as above
    return Field(pattern=f"^({pattern})$", title=purpose, description=allowed)


def _reservable(value: int) -> int:
    if value == 0:
        raise ValueError("0 would stop the function")
    return value


def _log_retention(value: int) -> int:
    if value not in LOG_RETENTION_DAYS:
        raise ValueError("CloudWatch does not know this retention")
    return value


Reservation = Annotated[int, AfterValidator(_reservable)]
_RESERVATION: Final = "-1 (not reserved) or a whole number from 1 to 1000"


class Settings(BaseModel):
    """A stack's settings, complete and valid. Durations carry their unit in the name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: Stack
    phase: Phase = _one_of(Phase, "the infrastructure's state")

    front: FrontKind = _one_of(FrontKind, "what a client's request meets first")
    auth: Auth = _one_of(Auth, "what a client must bring")
    throttle_rate: int = _whole(1, 10_000, "requests a second that the API admits")
    throttle_burst: int = _whole(1, 10_000, "requests at once that the API admits")
    cors_origin: str = _text(
        r"\*|https?://[A-Za-z0-9.-]+(:\d{1,5})?",
        "* or one origin such as https://boards.example.com, without a path",
        "the other site whose pages may read boards",
    )
    owns_api_account: bool = _switch(
        "whether this stack sets the region's API Gateway log role, which others share"
    )

    memory_mb: int = _whole(128, 10_240, "memory, and with it CPU, of the entry, ingest, serve and rebuild")
    aggregate_memory_mb: int = _whole(128, 10_240, "memory of aggregate, mirror, snapshot and comparator")
    request_timeout_s: int = _whole(3, 29, "timeout of functions that clients wait for")
    job_timeout_s: int = _whole(3, 900, "timeout of snapshot, rebuild and comparator")
    # Aggregate starts no transaction in its last 12 s, since one may take as long.
    aggregate_timeout_s: int = _whole(20, 900, "timeout of aggregate and of mirror")
    reserved_concurrency: Reservation = Field(
        ge=-1,
        le=1000,
        title="reserved concurrency of the entry's two functions, ingest and serve, each",
        description=_RESERVATION,
    )
    job_reserved_concurrency: Reservation = Field(
        ge=-1,
        le=1000,
        title="reserved concurrency of snapshot, rebuild and comparator, each",
        description=_RESERVATION,
    )
    architecture: Architecture = _one_of(Architecture, "the processor that functions run on")
    powertools_layer: str = _text(
        r"none|arn:[^:]+:lambda:[^:]+:\d{12}:layer:[^:]+:\d+",
        "none or the ARN of a layer's version, which may hold {region} and {architecture}",
        "the layer with Powertools and pydantic",
    )
    log_level: LogLevel = _one_of(LogLevel, "the least important line that functions log")
    log_retention_days: Annotated[int, AfterValidator(_log_retention)] = Field(
        title="how long logs are kept", description=f"one of {', '.join(map(str, LOG_RETENTION_DAYS))}"
    )

    capture_parallelism: int = _whole(1, 10, "batches that each pipe has under way for a shard of the stream")
    queue_visibility_s: int = _whole(120, 43_200, "how long a message that is being worked on stays hidden")
    max_receive_count: int = _whole(5, 100, "receives after which a message goes to the dead-letter queue")
    aggregate_batch_size: int = _whole(1, 10_000, "messages that aggregate gets at most at once")
    aggregate_window_s: int = _whole(0, 300, "how long a batch of aggregate or mirror may wait to fill")
    aggregate_max_concurrency: int = _whole(2, 1000, "invocations of aggregate at once")
    fold_horizon_days: int = _whole(1, 90, "age past which a message is parked instead of folded")
    dedup_ttl_days: int = _whole(1, 365, "how long a folded fact's dedup entry is kept")
    program_shards: int = _whole(1, 100, "rows that share the writes to one program")

    migration: str = _text(
        r"[a-z][a-z0-9-]{0,63}",
        "lower-case letters, digits and hyphens, as in cutover.toml",
        "the migration's name",
    )
    baked_control: Annotated[str, AfterValidator(check_control)] = Field(
        title="the stage of a front door that has not yet read the control table",
        description='a control item as JSON, such as {"stage":"off"}',
    )
    legacy_shape: Annotated[str, AfterValidator(check_shape)] = Field(
        title="how legacy's tables name their attributes, where not as here",
        description='JSON, such as {"events":{"points":"score"}}',
    )
    mirror_batch_size: int = _whole(1, 10_000, "messages that mirror gets at most at once")
    mirror_max_concurrency: int = _whole(2, 1000, "invocations of mirror at once")

    watchdog_timeout_s: int = _whole(
        20, 900, "how long one run of the watchdog may watch; one begins each minute"
    )
    watchdog_interval_s: int = _whole(1, 60, "time from one look of the watchdog to the next")
    watchdog_looks: int = _whole(1, 20, "looks in a row in which a guardrail fails before it rolls back")
    watchdog_grace_s: int = _whole(
        0, 300, "how long a breach must last before the watchdog acts while `cutover run` is alive"
    )
    guardrails: Annotated[str, AfterValidator(check_object)] = Field(
        title="the guardrails' limits that the watchdog goes by, where not the defaults",
        description='the part `[guardrails]` of cutover.toml as JSON, such as {"dead_letters":5}',
    )
    hooks: Annotated[str, AfterValidator(check_object)] = Field(
        title="the webhooks that the watchdog tells of a rollback",
        description='the part `[hooks]` of cutover.toml as JSON, such as {"after":[{"post":"https://…"}]}',
    )
    bulk_engine: bool = _switch("whether phase expand has the backfill's engine aws; it takes pitr")
    # Each looks at the control table once a second; a hundred do that without anyone noticing.
    bulk_workers: int = _whole(
        1, 200, "functions that copy at once with engine aws, reserved where others are"
    )
    bulk_memory_mb: int = _whole(128, 10_240, "memory, and with it CPU, of each of these")

    board_size: int = _whole(1, 1000, "entries of a board")
    board_shards: int = _whole(1, 100, "partitions of the index that boards are read from; never lower it")
    snapshot_minutes: int = _whole(1, 60, "time from one snapshot to the next")
    snapshot_ttl_days: int = _whole(1, 365, "how long past snapshots are kept")
    stale_after_s: int = _whole(10, 86_400, "lag past which a board says that it is stale")
    legacy_rebuild_minutes: int = _whole(1, 1440, "time from one rebuild of legacy's leaderboard to the next")

    pitr: bool = _switch("whether tables can be restored to any second of the last 35 days")
    protection: bool = _switch("whether AWS and Pulumi refuse to delete tables and queues")
    alarm_email: str = _text(
        r"none|[^@\s]+@[^@\s]+\.[^@\s]+", "none or an e-mail address", "who is told of alarms"
    )
