"""A state machine of hypothesis, run in rounds, each from a seed of its own."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hypothesis.stateful import RuleBasedStateMachine

FINDING = settings(
    phases=[Phase.generate],
    report_multiple_bugs=False,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)
"""For a defect that was put in: it need only be found."""


def rounds_asked(runs: int, a_round: int) -> range:
    """Give the seeds of so many runs; `make model` asks for others, and for more."""
    first = int(os.environ.get("CUTOVER_SEED", "0"))
    return range(first, first + math.ceil(int(os.environ.get("CUTOVER_MIGRATIONS", str(runs))) / a_round))


def run_rounds(machine: type[RuleBasedStateMachine], seeds: Iterable[int], given: settings) -> None:
    """Run a round from each seed; without one, CI's profile of hypothesis would repeat a single round."""
    for number in seeds:
        a_round = seed(number)(type(machine.__name__, (machine,), {}))
        run_state_machine_as_test(a_round, settings=given)
