"""What counts as done: history that was copied before mirroring began lacks what came in between."""

from __future__ import annotations

import pytest

from migration.cutover.chronicle import Chronicle
from migration.model.backfill import BackfillPhase, Job
from migration.model.moments import moment_text

MIRRORING_S = 1_772_357_400.0


def job(began_s: float, phase: BackfillPhase = BackfillPhase.INSTALLED) -> Job:
    return Job(1, 2, 500, moment_text(began_s), phase=phase)


@pytest.mark.parametrize(("began_s", "counts"), [(-0.001, False), (0, True), (3_600, True)])
def test_a_backfill_counts_if_it_began_after_mirroring_did(began_s: float, *, counts: bool) -> None:
    so_far = Chronicle(dualwritten_at=MIRRORING_S)
    assert so_far.with_backfill(job(MIRRORING_S + began_s)).backfilled is counts


@pytest.mark.parametrize("phase", [one for one in BackfillPhase if one is not BackfillPhase.INSTALLED])
def test_a_backfill_counts_when_it_is_installed(phase: BackfillPhase) -> None:
    so_far = Chronicle(dualwritten_at=MIRRORING_S)
    assert not so_far.with_backfill(job(MIRRORING_S + 1, phase)).backfilled
    assert not so_far.with_backfill(None).backfilled
