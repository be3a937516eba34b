"""Control: the table with the migration's stage and journal; it outlives legacy, as the record of it all.

Only what says so itself expires, by `expires_at`: comparisons do, state, lease and journal never.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cutover_infra.component import Component
from cutover_infra.tables import Shape, make_table

if TYPE_CHECKING:
    from cutover_infra.component import Deployment


class Control(Component):
    """The control table."""

    def __init__(self, deployment: Deployment) -> None:
        """Make the table."""
        super().__init__("migration:Control", "control", deployment, cost_center="control")
        # Comparisons and what door instances counted expire; state and journal have no such attribute.
        shape = Shape(hash_key="migration", range_key="record", ttl="expires_at")
        self.table = make_table(self, deployment, "control", shape)
        self.register_outputs({"table": self.table.name})
