"""What was read of both sides, in a DuckDB file: folded, compared and lined up there, in bounded memory.

Lines and the position after them are committed together, so a killed process resumes without reading anything
twice, and nothing is counted twice. It never reads DynamoDB, and it judges nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from migration.aws.bulk.database import MEMORY_LIMIT, opened, passing_folder
from migration.aws.bulk.fold_sql import fold_into, statements
from migration.aws.bulk.lined_up import BesideFolds, pool_of
from migration.compare.both_sides import Part
from migration.compare.store import Begun, Suspects
from migration.compare.verify.judge import FoundElsewhere
from migration.compare.verify.verification import Keys, LegacyProgram, Parts, Sum, WideReading
from migration.model.facts import Lane, StoredFact
from migration.model.fold import Activity, Fold, Row
from migration.model.side import Side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from migration.compare.both_sides import Chunk
    from migration.compare.miscounts import Pool

DATABASE: Final = "sides-128.duckdb"  # another layout gets another name, so that nobody resumes the former
COMMIT_LINES: Final = 50_000  # lines that are committed together
_SQL: Final = statements("sides.sql")
_TABLES: Final = {
    Part.LEGACY_EMPLOYEE_ROWS: "legacy's rows",
    Part.EMPLOYEE_ROWS: "rows",
    Part.LEGACY_PROGRAM_ROWS: "legacy's rows",
    Part.PROGRAM_ROWS: "rows",
    Part.LEGACY_EVENTS: "legacy's events",
    Part.FACTS: "facts",
}


@dataclass(slots=True)
class _Buffer:
    """Chunks that wait to be committed."""

    chunks: list[Chunk] = field(default_factory=list)
    count: int = 0

    def take(self, chunk: Chunk) -> bool:
        """Take a chunk; tells whether it is time to commit."""
        self.chunks.append(chunk)
        self.count += chunk.count
        return self.count >= COMMIT_LINES


class DuckDBStore:
    """One reading in a folder of its own.

    Raises:
        ConflictError: when another process has it open.
    """

    def __init__(self, folder: Path, memory_limit: str = MEMORY_LIMIT) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._spool = folder / "lines.jsonl"
        self._db = opened(folder / DATABASE, memory_limit)
        self._db.execute(_SQL["begun"])

    @property
    def begun(self) -> Begun | None:
        """What is kept here, if anything."""
        found = self._db.execute("SELECT as_of, setup FROM begun").fetchone()
        return None if found is None else Begun(*found)

    def begin(self, begun: Begun) -> None:
        """Forget everything, and begin a reading."""
        with self._at_once():
            self._db.execute(_SQL["schema"])
            self._db.execute("DELETE FROM begun")
            self._db.execute("INSERT INTO begun VALUES (?, ?)", [begun.as_of, begun.setup])

    def positions(self, part: Part) -> Mapping[int, bytes | None]:
        """Tell where each segment goes on."""
        return dict(self._db.execute(_SQL["positions"], [part]).fetchall())

    def add(self, part: Part, chunks: Iterable[Chunk]) -> Iterator[int]:
        """Keep chunks together with their positions; yields how many lines were committed."""
        buffer = _Buffer()
        for chunk in chunks:
            if buffer.take(chunk):
                yield self._commit(part, buffer)
                buffer = _Buffer()
        yield self._commit(part, buffer)

    def add_new(self, chunks: Iterable[Chunk]) -> None:
        """Keep the facts among these that are not known yet, apart from the others; they are young."""
        self._insert("late facts", chunks)
        fold_into(self._db, "late_folds", _SQL["late facts"])

    def fold(self) -> None:
        """Fold what was added."""
        with self._at_once():
            fold_into(self._db, "folds", _SQL["settled facts"])
            fold_into(self._db, "young_folds", _SQL["young facts"])
            fold_into(self._db, "late_folds", _SQL["late facts"])
            fold_into(self._db, "legacy_folds", _SQL["legacy's facts"])

    def compare(self) -> None:
        """Find out what differs of what was folded."""
        with self._at_once():
            self._db.execute(_SQL["differing"])
            self._db.execute(_SQL["legacy differing"])
            self._db.execute(_SQL["apart"], [bool(self.positions(Part.LEGACY_EVENTS))])
            self._db.execute(_SQL["suspects"])

    def line_up(self) -> BesideFolds:
        """Set the aggregates of both sides beside what was folded."""
        fold_into(self._db, "missed_folds", _SQL["missed facts"])
        self._db.execute(_SQL["line up"])
        return BesideFolds(self._db, _SQL)

    def program_rows(self) -> Mapping[Row, Parts]:
        """Give every program's row as it was read, shards summed."""
        return self._program_folds("program rows")

    def suspects(self, most: int) -> Suspects:
        """Name employees whose rows, facts and events do not agree, less what only young facts make."""
        names = [name for (name,) in self._db.execute(_SQL["first suspects"], [most]).fetchall()]
        [(count,)] = self._db.execute(_SQL["count suspects"]).fetchall()
        return Suspects(names, count)

    def programs(self, samples: Sequence[Mapping[Row, Parts]]) -> Sequence[WideReading]:
        """Set the programs' rows against their facts; gives those that are not equal in the last sample."""
        settled = self._program_folds("program folds")
        young = self._program_folds("young program folds")
        readings = []
        for row in sorted({*settled, *young, *(row for sample in samples for row in sample)}, key=str):
            of_row = [sample.get(row, Parts()) for sample in samples]
            due = settled.get(row, Parts())
            if of_row[-1] != due + young.get(row, Parts()):
                facts = self._db.execute(_SQL["young facts of a program"], [row.program_id]).fetchall()
                readings.append(WideReading(row, of_row, due, [_fact(fact) for fact in facts]))
        return readings

    def legacy_programs(self) -> Mapping[Row, LegacyProgram]:
        """Give legacy's row of every program, and what it must hold."""
        return {
            Row(None, program): LegacyProgram(*(_fold(numbers[at : at + 2]) for at in range(0, 8, 2)))
            for program, *numbers in self._db.execute(_SQL["legacy's programs"]).fetchall()
        }

    def legacy_pool(self, program_id: str) -> Pool:
        """Sort legacy's events of a program by points; ids are `employee event`."""
        return pool_of(self._db.execute(_SQL["legacy's pool"], [program_id]).fetchall())

    def named(self, fingerprints: Iterable[int]) -> FoundElsewhere:
        """Find what has one of these fingerprints."""
        wanted = [list(fingerprints)]
        facts = self._db.execute(_SQL["named facts"], wanted).fetchall()
        events = self._db.execute(_SQL["named events"], wanted).fetchall()
        return FoundElsewhere([_fact(fact) for fact in facts], [Activity(*event) for event in events])

    def sums(self) -> Sequence[Sum]:
        """Sum up both sides, as far as employees' rows tell."""
        return [
            Sum(name, _fold(numbers[:3]), _fold(numbers[3:]))
            for _, name, *numbers in self._db.execute(_SQL["sums"]).fetchall()
        ]

    def keys(self) -> Sequence[Keys]:
        """Count what was compared."""
        return [Keys(*counts) for _, *counts in self._db.execute(_SQL["keys"]).fetchall()]

    def close(self, *, keep: bool) -> None:
        """Let go of the files; remove them unless they are kept for a resumption."""
        if not keep:
            self._db.execute("PRAGMA disable_checkpoint_on_shutdown")  # nobody writes up what he removes
        self._db.close()
        self._spool.unlink(missing_ok=True)
        if not keep:
            for name in (DATABASE, f"{DATABASE}.wal"):
                (self._folder / name).unlink(missing_ok=True)

    def _commit(self, part: Part, buffer: _Buffer) -> int:
        with self._at_once():
            self._insert(_TABLES[part], buffer.chunks)
            for segment, position in {one.segment: one.position for one in buffer.chunks}.items():
                self._db.execute("INSERT INTO positions VALUES (?, ?, ?)", [part, segment, position])
        return buffer.count

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        self._db.begin()
        yield
        self._db.commit()

    def _insert(self, what: str, chunks: Iterable[Chunk]) -> None:
        with self._spool.open("wb") as spool:
            spool.writelines(chunk.lines for chunk in chunks)
        if self._spool.stat().st_size:
            self._db.execute(_SQL[f"insert {what}"], [str(self._spool)])

    def _program_folds(self, name: str) -> dict[Row, Parts]:
        return {
            Row(None, program): Parts(_fold(numbers[:3]), _fold(numbers[3:]))
            for program, *numbers in self._db.execute(_SQL[name]).fetchall()
        }


def _fold(numbers: Sequence[int | None]) -> Fold:
    return Fold(*(number or 0 for number in numbers))


def _fact(values: Sequence[Any]) -> StoredFact:
    *activity, ingested_at, lane, side = values
    return StoredFact(Activity(*activity), Lane(lane), Side(side), ingested_at)


@contextmanager
def passing_store(memory_limit: str = MEMORY_LIMIT) -> Iterator[DuckDBStore]:
    """Give a store that is gone afterwards."""
    with passing_folder() as folder, emptied_store(folder, memory_limit) as store:
        yield store


@contextmanager
def emptied_store(folder: Path, memory_limit: str = MEMORY_LIMIT) -> Iterator[DuckDBStore]:
    """Give a store in a folder in which nothing is kept afterwards."""
    store = DuckDBStore(folder, memory_limit)
    try:
        yield store
    finally:
        store.close(keep=False)
