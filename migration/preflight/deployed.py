"""A stack as it is deployed, as far as preflight judges it: what was described, never what was intended.

Values only. What AWS did not tell is a value too: `Missing` when the thing is not there, `Unread` when the
question was refused or is not answered here. A check never takes either for an answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from migration.model.legacy.layout import WrittenLayout
    from migration.model.state import State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Missing:
    """It is not there; `what` names it."""

    what: str


@dataclass(frozen=True, slots=True)
class Unread:
    """It could not be read.

    Attributes:
        why: in AWS's words.
        answered: whether this AWS answers the question at all; False is a gap of a local one.
    """

    why: str
    answered: bool = True


Read: TypeAlias = T | Missing | Unread


@dataclass(frozen=True, slots=True)
class Table:
    """A DynamoDB table.

    Attributes:
        name: its name.
        stream_arn: the stream that it writes to now; None without.
        stream_view: what the stream holds of an item.
        expires_by: the attribute by which items expire; None when they do not.
        restorable: whether it can be restored to any second.
    """

    name: str
    stream_arn: str | None
    stream_view: str | None
    expires_by: Read[str | None]
    restorable: Read[bool]


@dataclass(frozen=True, slots=True)
class Pipe:
    """A pipe from the fact table's stream to a queue.

    Attributes:
        name: its name.
        state, why: what it does now, and AWS's reason.
        source, target: the stream's and the queue's ARN.
        patterns: its filters, as JSON text; a record passes by any of them.
        start: where in the stream it began.
        record_age_s: the age at which it gives a record up; -1 for never.
        dead_letters: the ARN of the queue for what it gives up.
        template: the message that it makes.
    """

    name: str
    state: str
    why: str
    source: str
    target: str
    patterns: tuple[str, ...]
    start: str
    record_age_s: int
    dead_letters: str | None
    template: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue; the redrive's part is None in a dead-letter queue."""

    arn: str
    visibility_s: int
    retention_s: int
    receives: int | None = None
    dead_letters: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function; `reserved` is its share of the account's concurrency."""

    name: str
    handler: str
    timeout_s: int
    environment: Mapping[str, str]
    reserved: Read[int | None] = None


@dataclass(frozen=True, slots=True)
class Door:
    """A function that clients come to.

    Attributes:
        function: it, or one of its versions.
        handler: that makes it a door.
        pinned: the side that it must be pinned to, for an alias's version; None for a door that chooses.
    """

    function: Read[Function]
    handler: str
    pinned: str | None = None


@dataclass(frozen=True, slots=True)
class QueueMapping:
    """How a function is fed from a queue."""

    source: str
    state: str
    reports_failures: bool
    at_once: int | None
    batch: int
    window_s: int


@dataclass(frozen=True, slots=True)
class Leg:
    """A way of facts: stream, pipe, queue, function. `capture` leads to the folds, `mirror` to legacy."""

    name: str
    pipe: Read[Pipe]
    queue: Read[Queue]
    dead_letters: Read[Queue]
    pipe_dead_letters: Read[Queue]
    function: Read[Function]
    mappings: Read[tuple[QueueMapping, ...]]


@dataclass(frozen=True, slots=True)
class TableSample:
    """Some items of a legacy table, read through the plan."""

    table: str
    read: int
    misfits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LegacyTable:
    """One of legacy's tables."""

    described: Read[Table]
    sample: Read[TableSample]


@dataclass(frozen=True, slots=True)
class PlannedStack:
    """What the plan says of the stack.

    Attributes:
        migration, stack, hash: as in the plan file.
        layout: how legacy's tables are written; in words why they cannot be, when they cannot.
        tables: legacy's tables by the variable that names each in the reverse mirror's function.
    """

    migration: str
    stack: str
    hash: str
    layout: WrittenLayout | str
    tables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Skew:
    """This machine's clock against AWS's: how far it is ahead, and by how much that can be wrong."""

    ahead_s: float
    give_or_take_s: float


@dataclass(frozen=True, slots=True)
class Grant:
    """Whether the operator may do something.

    Attributes:
        action, resource: what, on what.
        allowed: None when that is not known.
        how: how it was found out: simulated, tried, or why not at all.
    """

    action: str
    resource: str
    allowed: bool | None
    how: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """Everything that preflight judges.

    Attributes:
        read_at: epoch seconds.
        stack: the environment, such as `prod`.
        plan: what the plan says of it.
        who: the operator's ARN.
        grants: what the operator may do.
        skew: of this machine's clock.
        control, state: the control table, and where the migration stands.
        facts, dedup: the pipeline's tables.
        folds: the pipeline's aggregates.
        readers: the names of what AWS knows to read the fact table's stream.
        legs: capture and mirror.
        events, rows: legacy's event table and its aggregates.
        doors: the entry's functions; of aliases that switch traffic, the versions.
        direct: facts that clients sent to the pipeline itself, of those that were looked at.
    """

    read_at: float
    stack: str
    plan: PlannedStack
    who: str
    grants: tuple[Grant, ...]
    skew: Read[Skew]
    control: Read[Table]
    state: Read[State]
    facts: Read[Table]
    dedup: Read[Table]
    folds: tuple[Read[Table], ...]
    readers: Read[tuple[str, ...]]
    legs: tuple[Leg, ...]
    events: LegacyTable
    rows: tuple[LegacyTable, ...]
    doors: tuple[Door, ...]
    direct: Read[tuple[int, int]]
