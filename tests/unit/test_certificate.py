"""A certificate says what journal, ledger and comparisons say, and what is missing; its hash holds."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from migration.certificate.certificate import (
    HASH,
    Certificate,
    LedgerTotals,
    certificate_fields,
    content_hash,
    is_genuine,
)
from migration.certificate.clients import read_clients
from migration.certificate.cost import Counts, cost_lines, total
from migration.certificate.course import read_course
from migration.model.acknowledgements import SendOutcome as Ended
from migration.model.acknowledgements import answer_entry, send_entry
from migration.model.answers import Answer
from migration.model.guardrails import Outcome
from migration.model.journal import Entry, EntryKind
from migration.model.side import Side
from migration.model.stages import Stage
from migration.report.certificate_file import examine
from migration.report.certificate_page import certificate_page
from tests.certificate_world import HOSTILE, PLAN, certificate, journal, ledger_lines


def test_moves_are_the_changes_of_traffic_each_with_what_it_took() -> None:
    course = read_course(journal())
    assert course.legs[0].stage is Stage.DUALWRITE
    assert course.legs[-1].stage is Stage.COMPLETE
    assert all(leg.settled_s is not None for leg in course.legs)
    assert [leg.writes for leg in course.legs if leg.stage is Stage.LIVE] == [1, 1, 5, 25, 1, 5, 25, 50, 100]
    assert course.legs[-2].reads == 100.0
    (back,) = course.rollbacks
    assert (back.was, back.text, back.settled_s) == ("live (writes 25 %, reads 25 %)", "shadow", 1.7)
    assert "9 of 1,180" in back.cause
    assert course.plans == [PLAN]


def test_a_rehearsal_is_no_rollback() -> None:
    course = read_course(journal(complete=False))
    assert course.rollbacks == []
    assert [leg.drill for leg in course.legs] == [False, False, True, True]
    assert [(drill.path, drill.ok, drill.seconds) for drill in course.drills] == [
        ("reads", True, 1.3),
        ("writes", True, 1.3),
    ]
    assert course.drilled("reads")


def test_the_last_rehearsal_counts() -> None:
    entries = journal(complete=False)
    failed = replace(entries[-1], id="2026-03-02T05:00:00.000Z#ffff", detail={"path": "reads", "ok": False})
    course = read_course([*entries, failed])
    assert not course.drilled("reads")
    assert course.drilled("writes")


def test_guardrails_are_counted_by_outcome_with_their_last_evidence() -> None:
    evidence = {one.name: one for one in read_course(journal()).evidence}
    assert evidence["error_rate"].looks[Outcome.FAIL] == 1
    assert evidence["error_rate"].last is Outcome.PASS
    assert evidence["folds"].why.startswith("2,263 facts")
    assert evidence["latency"].dry


@pytest.mark.parametrize(
    "detail", [{}, {"was": {}}, {"verdicts": None}, {"was": 1, "to": 2}, {"seconds": "soon"}]
)
@pytest.mark.parametrize("kind", EntryKind)
def test_an_entry_without_what_is_looked_for_proves_nothing(
    kind: EntryKind, detail: dict[str, object]
) -> None:
    entry = Entry("2026-03-01T09:30:00.000Z#abcd", kind, "ana@desk:1", 1, "step", "text", detail)
    course = read_course([entry])
    assert course.legs == []
    assert course.entries == 1
    assert not course.drilled("reads")


def test_pausing_moves_no_traffic() -> None:
    entries = journal(complete=False)
    last = next(one for one in reversed(entries) if one.kind is EntryKind.DONE)
    now = last.detail["to"]
    paused = replace(
        last,
        id="2026-03-02T06:00:00.000Z#ffff",
        detail={"was": now, "to": {**now, "epoch": now["epoch"] + 1}},
    )
    course = read_course([*entries, paused])
    assert len(course.legs) == 4
    assert course.holds == 1


def line(number: int, at: float, took: float, outcome: Ended = Ended.ACKNOWLEDGED) -> list[str]:
    answer = answer_entry(f"r-{number}", Answer(outcome), ["202"], at + took, 1000 * took)
    return [json.dumps(send_entry(f"r-{number}", Side.LEGACY, b"{}", at)), json.dumps(answer)]


def test_the_longest_wait_is_one_in_which_somebody_waited() -> None:
    quick = [part for number in range(3) for part in line(number, number, 0.1)]
    slow = line(3, 3, 2.5)
    later = line(4, 100, 0.2)
    clients = read_clients([*quick, *slow, *later])
    assert clients is not None
    assert clients.waited is not None
    assert clients.between is not None
    assert (clients.waited.seconds, clients.between.seconds) == (2.5, 94.7)
    assert clients.success == 1.0


def test_others_answers_end_a_wait_and_refusals_do_not() -> None:
    lines = [*line(0, 0, 4), *line(1, 1, 1), *line(2, 3.5, 1.5, Ended.REJECTED)]
    clients = read_clients(lines)
    assert clients is not None
    assert clients.waited is not None
    assert clients.waited.seconds == 2.0, "from 0 to 2 until the second's, from 2 to 4 until the first's"
    assert (clients.acknowledged, clients.rejected) == (2, 1)


def test_what_was_never_decided_counts_against_success() -> None:
    clients = read_clients([*ledger_lines(lost=40), "{cut short"])
    assert clients is not None
    assert clients.failed == 40
    assert clients.success == pytest.approx(0.99)
    assert clients.retried == 1
    assert read_clients([]) is None


def test_a_cost_is_counts_times_prices_and_says_so() -> None:
    lines = cost_lines(
        Counts(facts=2_000_000, comparisons=1_000_000, read_units=8e6, comparing_s=0, entries=0)
    )
    assert [round(one.dollars, 4) for one in lines] == [1.25, 1.0, 0.2, 1.25]
    assert total(lines) == pytest.approx(3.7)
    assert "2,000,000 facts" in lines[0].arithmetic
    assert cost_lines(Counts()) == []


def test_a_whole_certificate_misses_nothing() -> None:
    whole = certificate()
    assert whole.final
    assert whole.missing == []


def test_a_draft_says_what_is_missing() -> None:
    draft = certificate(complete=False, proven=False)
    assert not draft.final
    assert draft.missing[0] == "the migration is not complete, it is in shadow"
    assert any("no acknowledgement ledger" in one for one in draft.missing)
    nothing = Certificate("activities", "local", Stage.OFF, "", "2026-03-01T09:30:00.000Z", read_course([]))
    assert len(nothing.missing) == 7


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {
                "ledger": {
                    "pipeline": LedgerTotals(
                        clean=False, acknowledged=3, stored=3, folded=2, findings={"lost": 1}
                    )
                }
            },
            "the ledger check has findings",
        ),
        ({"ledger": {}}, "the ledger was not checked against the tables"),
        ({"shadow": None}, "no comparisons of both sides' boards are kept"),
    ],
)
def test_a_final_one_says_too_what_it_does_not_prove(changes: dict[str, object], said: str) -> None:
    assert replace(certificate(), **changes).missing == [said]  # type: ignore[arg-type]


def test_guardrails_that_came_last_to_something_else_are_named_unless_they_only_tell() -> None:
    whole = certificate()
    worse = [replace(one, last=Outcome.FAIL) for one in whole.course.evidence]
    missing = replace(whole, course=replace(whole.course, evidence=worse)).missing
    assert "guardrail folds came last to fail" in missing
    assert not any("latency" in one for one in missing)


def test_the_hash_is_over_everything_and_survives_the_file() -> None:
    fields = certificate_fields(certificate())
    assert len(fields[HASH]) == 64
    assert is_genuine(json.loads(json.dumps(fields, indent=2)))
    assert is_genuine(dict(reversed(fields.items()))), "the order of keys says nothing"
    for name in fields.keys() - {HASH, "kind"}:
        assert not is_genuine({**fields, name: "altered"}), name
    with pytest.raises(ValueError, match="no certificate"):
        is_genuine({"kind": "diff"})


def test_a_page_is_examined_with_its_data_and_its_letters() -> None:
    page = certificate_page(certificate_fields(certificate()))
    assert examine(page).problem is None
    assert examine(page.replace("error_rate: 9 of 1,180", "error_rate: 0 of 1,180")).problem is not None
    seen = page.replace(
        '<td class="number" data-label="Lost">0</td>', '<td class="number" data-label="Lost">7</td>'
    )
    assert seen != page
    assert "the page says something else" in str(examine(seen).problem)


def test_whoever_hashes_an_altered_copy_anew_is_not_found_out_by_the_copy_alone() -> None:
    fields = {**certificate_fields(certificate()), "migration": "another"}
    forged = {**fields, HASH: content_hash(fields)}
    assert is_genuine(forged), "as docs/certificate.md says; the journal is the record"


def test_hostile_names_are_text() -> None:
    page = certificate_page(certificate_fields(certificate(hostile=True)))
    assert HOSTILE not in page
    assert page.count("<script") == 1
    assert examine(page).problem is None


@pytest.mark.parametrize("complete", [True, False])
def test_a_page_is_whole_without_a_script(*, complete: bool) -> None:
    page = certificate_page(certificate_fields(certificate(complete=complete)))
    assert "script-src &#39;none&#39;" in page
    assert ('class="stamp"' in page) is not complete
    assert ("DRAFT" in page) is not complete


def test_a_stage_of_the_plot_is_told_from_when_it_began() -> None:
    fields = certificate_fields(certificate())
    live = [leg["at"] for leg in fields["timeline"] if leg["stage"] == "live"]
    page = certificate_page(fields)
    assert f"<title>live from {live[0]}</title>" in page
    assert f"<title>live from {live[-1]}</title>" not in page
