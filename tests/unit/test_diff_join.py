"""The join against adding up in plain Python, with texts that no file format likes."""

from __future__ import annotations

import random
from typing import Any

import pytest

from migration.aws.bulk.side_store import passing_store
from migration.compare.both_sides import Part
from migration.compare.reading import read
from migration.compare.store import Begun
from migration.compare.verify.verification import Parts
from migration.model.facts import Lane, StoredFact
from migration.model.fold import TOTAL, Activity, Fold, Identity, Row, fingerprint
from migration.model.side import Side
from tests.diff_world import World, row_of
from tests.doubles.both_sides import MemorySides

AWKWARD = (
    "",
    "NULL",
    "null",
    "\\N",
    "\x01\x02 ",
    'quote " and "" twice',
    "comma, semicolon; tab\t",
    "line\nbreak\r\nand more\r",
    "nul \x00 inside",
    " spaces ",
    "1e5",
    "-0",
    "'; DROP TABLE sums; --",
    "🦊 שלום",
    "é",
    "\ufeffbom",
    "{{x}} $y %s ?",
)


def test_awkward_texts_come_out_as_they_went_in() -> None:
    world = World()
    for number, text in enumerate(AWKWARD):
        world.fold(world.add(f"e {text}", f"v {text}", number + 1, f"p {text}"), -1)
    report = world.diff(board="global")
    for text in AWKWARD:
        (reason,) = row_of(report, Row(f"e {text}", f"p {text}")).reasons
        assert reason.events == (f"v {text}",)
    assert len(report.rows) == 3 * len(AWKWARD)


def test_sums_of_any_size_are_exact() -> None:
    world = World()
    for number in range(2_000):
        world.add("e", f"v{number}", 10_000)
    world.misfolded[Row("e", TOTAL)] = Fold(0, 0, 10**37)
    row = row_of(world.diff(), Row("e", TOTAL))
    assert row.sums.pipeline.fingerprint - row.sums.truth.fingerprint == 10**37


def test_shards_of_a_program_are_summed_and_reserved_ids_left_out() -> None:
    world = World()
    for number in range(10):
        world.add("e", f"v{number}", number + 1)
    sides = Sharded(**{name: getattr(world.sides(), name) for name in MemorySides.__slots__})
    at = "2026-03-01T09:29:00.000Z"
    pulse = Activity("#pulse", "now", "#pulse", "pulse", 0, at)
    sides.facts[pulse.identity] = StoredFact(pulse, Lane.LIVE, Side.PIPELINE, at)
    rows = (Row("#pulse", "#pulse"), Row("#pulse", TOTAL), Row(None, "#pulse"), Row(None, "#freshness"))
    sides.rows |= {row: Parts(Fold(0, 1, 7)) for row in rows}
    report = world.diff(sides)
    assert not report.rows
    assert sum(level.rows for level in report.levels) == 3
    assert report.read == {
        "legacy's aggregates": 2,
        "the pipeline's aggregates": 4,
        "legacy's events": 10,
        "facts": 10,
    }


class Sharded(MemorySides):
    """Tables whose programs have two shards each."""

    def _lines(self, part: Part, since: str | None) -> list[dict[str, Any]]:
        lines = MemorySides._lines(self, part, since)
        if part is not Part.PROGRAM_ROWS:
            return lines
        return [{**line, "points": line["points"] - 1} for line in lines] + [
            {"program_id": line["program_id"], "points": 1} for line in lines
        ]


@pytest.mark.slow
def test_a_join_that_does_not_fit_its_memory_goes_to_disk_and_is_right() -> None:
    numbers = random.Random(1)
    rows = [(Row(f"employee-{n}", f"program-{n % 50}"), Fold(n % 97, 1, n)) for n in range(200_000)]
    wrong = set(numbers.sample(range(len(rows)), 40))
    legacy = {row: fold + Fold(1) if n in wrong else fold for n, (row, fold) in enumerate(rows)}
    pipeline = {row: Parts(fold) for row, fold in numbers.sample(rows, len(rows))}
    with passing_store("64MB") as store:
        store.begin(Begun("2026-03-01T09:30:00.000Z"))
        read(MemorySides(legacy_rows=legacy, rows=pipeline), store, Part, lambda *_: None)
        store.fold()
        lined_up = store.line_up()
        (level, *_) = lined_up.counts()
        assert level.rows == len(rows)
        found = lined_up.differing_employees()
        first, sightings = next(found)
        assert first[0].row.employee_id == "employee-0"
        assert sightings == []


def test_fingerprints_are_the_ledgers() -> None:
    world = World()
    world.add("e", "v", 5, fact=False)
    row = row_of(world.diff(), Row("e", TOTAL))
    assert row.sums.truth.fingerprint == fingerprint(Identity("e", "v"))
