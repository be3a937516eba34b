"""The policies: what every deployment of the program must hold to, in every stack and phase."""

from typing import Final

from cutover_infra.policies import access, bulk, data, delivery, running
from cutover_infra.policies.model import Rule

RULES: Final[tuple[Rule, ...]] = (*data.RULES, *delivery.RULES, *access.RULES, *running.RULES, *bulk.RULES)
