"""Facts: the fact table, the system of record, and the stream that everything downstream follows.

The stream is never switched off: switched on again it has a new ARN, and the pipe reads the old one for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutover_infra.component import Component
from cutover_infra.tables import Shape, make_table

if TYPE_CHECKING:
    from cutover_infra.component import Deployment


class Facts(Component):
    """The fact table; `table` has a stream of new images."""

    def __init__(self, deployment: Deployment, owner: Component) -> None:
        """Make the table."""
        super().__init__("pipeline:Facts", "facts", deployment, owner, cost_center="facts")
        self.table = make_table(
            self, deployment, "facts", Shape(hash_key="employee_id", range_key="event_id", stream=True)
        )
        self.register_outputs({"table": self.table.name})
