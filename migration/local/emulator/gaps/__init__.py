"""Where ministack 1.5.33 differs from AWS in what this project builds on: one module per gap.

Each module says what ministack does, what AWS does, and how the difference is filled. `docs/local-aws.md`
lists the gaps that stay open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from migration.local.emulator.gaps import (
    athena_dialect,
    athena_results,
    batch_size,
    expressions,
    message_move,
    number_precision,
    pipe_api,
    pipe_delivery,
    query_filter,
    reserved_concurrency,
    seam,
    table_export,
    update_clauses,
    worker_log,
    worker_path,
    worker_update,
)

if TYPE_CHECKING:
    from migration.local.emulator.fault_rules import Rules


def fill(rules: Rules) -> None:
    """Fill every gap, once, before the server starts.

    Raises:
        DriftError: ministack is not the version that the fillers were written for.
    """
    seam.require_version()
    pipe_api.fill()
    pipe_delivery.fill(rules)
    message_move.fill()
    batch_size.fill()
    expressions.fill()
    number_precision.fill()
    update_clauses.fill()
    query_filter.fill()
    reserved_concurrency.fill()
    table_export.fill()
    athena_dialect.fill()
    athena_results.fill()
    worker_log.fill()
    worker_path.fill()
    worker_update.fill()
