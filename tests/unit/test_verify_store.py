"""The store folds as the ledger does, whatever the ids; a killed verification goes on where it was."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migration.aws.bulk.fold_sql import fold_into, speak_trino
from migration.aws.bulk.side_store import DuckDBStore
from migration.compare.both_sides import Part
from migration.compare.store import Begun
from migration.compare.verify.verification import Parts
from migration.compare.verify.verify import Verification
from migration.model.cause import Cause
from migration.model.errors import ConflictError, UsageError
from migration.model.facts import Lane
from migration.model.fold import Activity, Row, fingerprint, fold_all
from tests.doubles.both_sides import MemorySides
from tests.doubles.clock import MemoryClock
from tests.verify_world import NEW, OLD, MemoryWorld, System, activities, activity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from migration.compare.both_sides import Chunk
    from migration.compare.verify.verification import VerifyReport

ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
employees, programs = ids.filter(lambda text: "\n" not in text), ids.filter(lambda text: text != "#total")
facts = st.lists(
    st.tuples(
        st.builds(
            Activity,
            employees,
            ids,
            programs,
            ids,
            st.integers(0, 10_000),
            st.just("2026-01-01T00:00:00.000Z"),
        ),
        st.sampled_from(Lane),
    ),
    unique_by=lambda fact: fact[0].identity,
    max_size=12,
)


def folded(stored: Sequence[tuple[Activity, Lane]]) -> dict[Row, Parts]:
    """The fold that the ledger check uses, which never saw any SQL."""
    rows: defaultdict[Row, Parts] = defaultdict(Parts)
    for lane in Lane:
        for row, fold in fold_all(one for one, of in stored if of is lane).items():
            rows[row] += Parts(live=fold) if lane is Lane.LIVE else Parts(base=fold)
    return dict(rows)


def system_of(stored: Sequence[tuple[Activity, Lane]]) -> System:
    system = System(MemoryWorld())
    for one, lane in stored:
        system.accept(one, lane)
    return system


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        speak_trino(connection)
        yield connection


@settings(max_examples=60, deadline=None)
@given(facts)
def test_the_sql_folds_as_the_ledger_does(
    connection: duckdb.DuckDBPyConnection, stored: list[tuple[Activity, Lane]]
) -> None:
    columns = "employee_id VARCHAR, event_id VARCHAR, program_id VARCHAR, points BIGINT, lane VARCHAR"
    connection.execute(f"CREATE OR REPLACE TABLE facts ({columns})")
    for one, lane in stored:
        values = [one.employee_id, one.event_id, one.program_id, one.points, lane]
        connection.execute("INSERT INTO facts VALUES (?, ?, ?, ?, ?)", values)
    fold_into(connection, "folds", "SELECT * FROM facts")
    found = {Row(row[0] or None, row[1]): row[2:] for row in connection.execute("FROM folds").fetchall()}
    assert found == {
        row: (
            *(parts.live.points, parts.live.events, parts.live.fingerprint),
            *(parts.base.points, parts.base.events, parts.base.fingerprint),
        )
        for row, parts in folded(stored).items()
    }


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(facts)
def test_any_healthy_system_is_clean(tmp_path: Path, stored: list[tuple[Activity, Lane]]) -> None:
    report = verify(system_of(stored).world.source(), DuckDBStore(tmp_path))  # type: ignore[arg-type] # memory's
    assert not report.differences
    assert not report.undecided


class Killed(MemorySides):
    """A source whose process is killed after so many chunks."""

    chunks_left = 0

    def chunks(
        self, part: Part, positions: Mapping[int, bytes | None], since: str | None = None
    ) -> Iterator[Chunk]:
        for chunk in MemorySides.chunks(self, part, positions, since):
            if self.chunks_left == 0:
                raise KeyboardInterrupt
            self.chunks_left -= 1
            yield chunk


def faulty_tables() -> MemorySides:
    system = System(MemoryWorld())
    for one in activities():
        system.accept(one)
    system.fold(activities()[3], times=-1)
    return system.world.source()  # type: ignore[return-value] # memory's


def verify(source: MemorySides, store: DuckDBStore, *, resume: bool = False) -> VerifyReport:
    try:
        return Verification(source, store, MemoryClock()).run(resume=resume)
    finally:
        store.close(keep=True)


@pytest.mark.slow
@pytest.mark.parametrize("chunks", [0, 1, 5, 20, 40, 60])
def test_a_killed_verification_goes_on_where_it_was(
    tmp_path: Path, chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migration.aws.bulk.side_store.COMMIT_LINES", 3)
    healthy = faulty_tables()
    killed = Killed(healthy.facts, healthy.rows, True, healthy.events, healthy.legacy_rows)  # noqa: FBT003
    killed.chunks_left = chunks
    whole = verify(healthy, DuckDBStore(tmp_path / "whole"))
    with pytest.raises(KeyboardInterrupt):
        verify(killed, DuckDBStore(tmp_path / "killed"))
    resumed = verify(healthy, DuckDBStore(tmp_path / "killed"), resume=True)
    assert resumed.differences == whole.differences
    assert [one.kind for one in resumed.differences] == [Cause.LOST]
    assert (resumed.sums, resumed.keys, resumed.as_of) == (whole.sums, whole.keys, whole.as_of)


def test_there_must_be_something_to_resume_and_the_setup_must_be_the_same(tmp_path: Path) -> None:
    source = MemorySides()
    with pytest.raises(UsageError, match="no verification was interrupted"):
        verify(source, DuckDBStore(tmp_path), resume=True)
    verify(source, DuckDBStore(tmp_path))
    store = DuckDBStore(tmp_path)
    with pytest.raises(UsageError, match="4 segments"):
        Verification(source, store, MemoryClock(), "facts in 4 segments").run(resume=True)
    store.close(keep=False)
    assert not list(tmp_path.glob("*.duckdb*"))


def test_two_processes_do_not_verify_in_one_folder(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from migration.aws.bulk.side_store import DuckDBStore\n"
        "store = DuckDBStore(pathlib.Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(ConflictError, match="another process"):
            DuckDBStore(tmp_path)
        other.communicate()


def test_young_facts_are_apart_and_late_ones_are_added_once(tmp_path: Path) -> None:
    system = System(MemoryWorld())
    old, new, late = (activity(number) for number in range(3))
    system.store(old, at=OLD)
    system.store(new, at=NEW)
    store = DuckDBStore(tmp_path)
    store.begin(Begun("2026-03-01T09:30:00.000Z", ""))
    list(store.add(Part.FACTS, system.world.source().chunks(Part.FACTS, {})))
    store.fold()
    system.store(late, at=OLD)
    for _ in range(2):
        store.add_new(system.world.source().chunks(Part.FACTS, {}))
    [reading] = store.programs([{}])
    assert reading.settled.live.events == 1
    assert {fact.activity.event_id for fact in reading.young} == {new.event_id, late.event_id}
    [one] = store.named([fingerprint(late.identity)]).facts
    assert one.activity == late
    store.close(keep=False)
