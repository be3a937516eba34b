"""What an acknowledgement ledger says that legacy counted again or not at all, by aggregate and event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

from migration.compare.diff.row_reasons import named
from migration.compare.ledger.verdict import Place
from migration.model.cause import Cause
from migration.model.fold import Fold, Identity, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from migration.compare.ledger.verdict import Finding


Suspects = Mapping[Row, Mapping[str, Fold]]


def suspects_of(findings: Iterable[Finding]) -> Suspects:
    """Turn the findings about legacy's folds into what each would do to the rows that it shows in."""
    suspects: defaultdict[Row, dict[str, Fold]] = defaultdict(dict)
    for one in findings:
        if one.place is not Place.FOLDS or not (one.employee_id and one.event_id and one.program_id):
            continue
        times = one.times or (1 if one.kind is Cause.DOUBLED else -1)
        for row in (Row(one.employee_id, one.program_id), Row(None, one.program_id)):
            if str(row) in one.rows:
                name = named(Identity(one.employee_id, one.event_id), row)
                suspects[row][name] = Fold(one.points or 0, 1) * times
    return suspects
