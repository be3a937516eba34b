"""What the order of a batch is worth: the same facts cut into transactions by the same rule.

A transaction holds at most 100 actions, so facts that share rows should be neighbours. `pipeline` is the
order of pipeline/domain/batch.py, taken from its own `chunks`; the others are cut by its `cut`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from benchmarks.dynamodb import MeteredDynamoDB
from benchmarks.report import Report
from benchmarks.systems import messages, parse, running_pipeline
from benchmarks.workload import activities
from pipeline.domain.batch import MAX_ACTIONS, Chunk, chunks, cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from benchmarks.meter import Meter
    from benchmarks.settings import Settings
    from pipeline.domain.queued_fact import QueuedFact

    Batch = list[QueuedFact]
    Cut = Callable[[Batch], Iterable[Chunk]]


def by_arrival(batch: Batch) -> Batch:
    """Leave a batch as it came."""
    return batch


def by_program(batch: Batch) -> Batch:
    """Sort by program, then employee."""
    return sorted(batch, key=lambda f: (f.program_id, f.employee_id, f.event_id))


def by_employee(batch: Batch) -> Batch:
    """Sort by employee, then program."""
    return sorted(batch, key=lambda f: (f.employee_id, f.program_id, f.event_id))


def repeated_employees_first(batch: Batch) -> Batch:
    """Sort employees with several facts by employee, then all others by program."""
    facts = Counter(fact.employee_id for fact in batch)
    repeated = by_employee([fact for fact in batch if facts[fact.employee_id] > 1])
    return repeated + by_program([fact for fact in batch if facts[fact.employee_id] == 1])


ORDERS: Final[Mapping[str, Callable[[Batch], Batch]]] = {
    "arrival": by_arrival,
    "program, employee": by_program,
    "employee, program": by_employee,
    "repeated employees first, then program": repeated_employees_first,
}


def run(settings: Settings) -> list[Report]:
    """Fold the same facts in every order, at every batch size that needs more than one transaction."""
    facts = _facts(settings)
    cuts: dict[str, Cut] = {name: _cut_by(order) for name, order in ORDERS.items()}
    cuts["as the pipeline does"] = chunks
    rows = []
    for size in settings.batch_sizes:
        for name, cut_batch in cuts.items() if size >= MAX_ACTIONS else ():
            meter = _fold(facts, size, cut_batch)
            rows.append((name, size, *_figures(meter, len(facts))))
    return [
        Report(
            "orders",
            f"Folding {len(facts):,} facts sorted differently: write request units per activity",
            (
                "order",
                "batch_size",
                "transactions_per_1000",
                "units_without_index",
                "units_of_index",
                "units",
            ),
            tuple(rows),
            ("Folding alone: without the put of the fact, and without the time of the newest folded fact.",),
        )
    ]


def _cut_by(order: Callable[[Batch], Batch]) -> Cut:
    return lambda batch: cut(order(batch))


def _facts(settings: Settings) -> Batch:
    store = MeteredDynamoDB()
    with running_pipeline(store) as pipeline:
        pipeline.ingest(activities(settings.activities, settings.seed))
    return [parse(message["body"]) for message in messages(store.tables["facts"].items.values())]


def _fold(facts: Batch, batch_size: int, cut_batch: Cut) -> Meter:
    store = MeteredDynamoDB()
    with running_pipeline(store) as pipeline:
        tables = pipeline.fold_tables()
        for begin in range(0, len(facts), batch_size):
            for chunk in cut_batch(facts[begin : begin + batch_size]):
                tables.commit(chunk)
    return store.meter


def _figures(meter: Meter, facts: int) -> tuple[float, float, float, float]:
    return (
        meter.calls["TransactWriteItems"] * 1_000 / facts,
        meter.table_writes / facts,
        meter.index_writes / facts,
        (meter.table_writes + meter.index_writes) / facts,
    )
