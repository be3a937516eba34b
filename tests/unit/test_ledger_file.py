"""The acknowledgement ledger on disk: a crash loses nothing that was answered."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from migration.aws.files.ledger_file import LedgerFile, load_ledger
from migration.model.acknowledgements import SendOutcome
from migration.model.answers import Answer
from migration.model.errors import UsageError
from migration.model.fold import Activity, Identity
from migration.model.side import Side

if TYPE_CHECKING:
    from pathlib import Path

BODY = (
    b'{"event_id":"ev-1","employee_id":"emp-1","program_id":"prog-1","activity_type":"task_completed",'
    b'"points":10,"occurred_at":"2026-03-01T11:30:00.1239+02:00"}'
)
ACTIVITY = Activity("emp-1", "ev-1", "prog-1", "task_completed", 10, "2026-03-01T09:30:00.123Z")
ACKNOWLEDGED = Answer(SendOutcome.ACKNOWLEDGED, 202, "emp-1", "ev-1")


def write(path: Path, *answers: Answer | None, body: bytes = BODY, run: str = "a") -> None:
    with LedgerFile(path, run) as ledger:
        for answer in answers:
            send = ledger.sending(Side.PIPELINE, body, 1.0)
            if answer is not None:
                ledger.answered(send, answer, ["202"], 2.0, 1000.0)


def test_what_was_acknowledged_is_read_back_as_tables_hold_it(tmp_path: Path) -> None:
    path = tmp_path / "made" / "ledger.jsonl"
    write(path, ACKNOWLEDGED)
    side = load_ledger(path).sides[Side.PIPELINE]
    assert side.acknowledged[ACTIVITY.identity][0].activity == ACTIVITY


def test_later_loads_are_appended_and_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, ACKNOWLEDGED, run="a")
    write(path, ACKNOWLEDGED, None, run="b")
    side = load_ledger(path).sides[Side.PIPELINE]
    assert (side.sent, side.acknowledgements, side.unknown_sends) == (3, 2, 1)
    assert side.acknowledged[ACTIVITY.identity][0].sends == 2


def test_an_unnamed_activity_takes_the_answered_event_id(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(
        path,
        Answer(SendOutcome.ACKNOWLEDGED, 202, "emp-1", "hash"),
        body=BODY.replace(b'"event_id":"ev-1",', b""),
    )
    side = load_ledger(path).sides[Side.PIPELINE]
    assert list(side.acknowledged) == [Identity("emp-1", "hash")]
    assert list(side.unnamed.values()) == [{Identity("emp-1", "hash")}]


def test_the_clients_own_ids_win_over_what_a_side_answers(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, Answer(SendOutcome.ACKNOWLEDGED, 202, "emp-2", "ev-2"))
    assert list(load_ledger(path).sides[Side.PIPELINE].acknowledged) == [ACTIVITY.identity]


def test_an_acknowledged_body_that_is_no_activity_is_kept_and_will_be_found_lost(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, ACKNOWLEDGED, body=b"\xff")
    assert list(load_ledger(path).sides[Side.PIPELINE].acknowledged) == [Identity("emp-1", "ev-1")]


def test_a_line_that_was_cut_short_is_counted_and_the_next_run_starts_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, ACKNOWLEDGED)
    path.write_bytes(path.read_bytes()[:-30])
    write(path, ACKNOWLEDGED, run="b")
    ledger = load_ledger(path)
    side = ledger.sides[Side.PIPELINE]
    assert (ledger.unreadable, side.acknowledgements, side.unknown_sends) == (1, 1, 1)


@pytest.mark.parametrize("line", ["", "[]", '{"kind":"send"}', '{"kind":"answer","send":"nobody"}', '"text"'])
def test_lines_that_say_nothing_are_counted(tmp_path: Path, line: str) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, ACKNOWLEDGED)
    path.write_text(path.read_text() + line + "\n")
    ledger = load_ledger(path)
    assert (ledger.unreadable, ledger.sides[Side.PIPELINE].acknowledgements) == (1, 1)


def test_of_a_body_that_no_side_takes_only_the_start_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, None, body=b"x" * 1_000_000)
    assert path.stat().st_size < 1_000


def test_a_file_that_is_something_else_is_neither_read_nor_written_to(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n")
    with pytest.raises(UsageError, match="not an acknowledgement ledger"):
        load_ledger(path)
    with pytest.raises(UsageError, match="left as it is"):
        LedgerFile(path, "a")
    assert path.read_text() == "my notes\n"


def test_a_missing_ledger_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_ledger(tmp_path / "none.jsonl")
    assert caught.value.next_command == "cutover local load --rate 50 --duration 10"


ENDLESS = """
import sys, itertools
from pathlib import Path
from migration.aws.files.ledger_file import LedgerFile
from migration.model.acknowledgements import SendOutcome
from migration.model.side import Side
from migration.model.answers import Answer
with LedgerFile(Path(sys.argv[1]), "killed") as ledger:
    for number in itertools.count():
        body = b'{"event_id":"ev-%d","employee_id":"e","program_id":"p","activity_type":"task_completed",' \
               b'"points":1,"occurred_at":"2026-03-01T09:30:00Z"}' % number
        send = ledger.sending(Side.PIPELINE, body, 1.0)
        ledger.answered(send, Answer(SendOutcome.ACKNOWLEDGED, 202, "e", f"ev-{number}"), ["202"], 2.0, 1.0)
        print(number, flush=True)
"""


def test_a_killed_process_loses_no_acknowledgement_that_it_had_taken_down(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    command = [sys.executable, "-c", ENDLESS, str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    seen = [int(process.stdout.readline()) for _ in range(200)]
    process.send_signal(signal.SIGKILL)
    seen += [int(line) for line in process.stdout.read().splitlines() if line]
    process.wait()
    acknowledged = load_ledger(path).sides[Side.PIPELINE].acknowledged
    assert {f"ev-{number}" for number in seen} <= {identity.event_id for identity in acknowledged}


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    write(path, ACKNOWLEDGED)
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text().splitlines()[0])["schema_version"] == 1


def test_a_closed_ledger_refuses_lines_instead_of_writing_them_elsewhere(tmp_path: Path) -> None:
    path, other = tmp_path / "ledger.jsonl", tmp_path / "other.txt"
    with LedgerFile(path, "a") as ledger:
        pass
    with other.open("wb"), pytest.raises(OSError, match="Bad file descriptor"):
        ledger.sending(Side.PIPELINE, BODY, 1.0)
    assert other.read_bytes() == b""
