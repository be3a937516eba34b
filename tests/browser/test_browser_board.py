"""Boards: ranks, ties, movement, totals, and the way from board to board."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from tests.browser.scripted_site import Answer, board, entry

if TYPE_CHECKING:
    from tests.browser.dashboard_page import Dashboard
    from tests.browser.scripted_site import Site

pytestmark = pytest.mark.slow


def test_equal_points_share_a_rank_that_is_seen_and_heard(page: Dashboard, site: Site) -> None:
    entries = [entry(1, "ada", 900), entry(2, "grace", 800), entry(2, "linus", 800), entry(4, "ken", 1)]
    site.answers[""] = Answer(board(entries))
    page.open()
    page.wait_for_names("ada", "grace", "linus", "ken")
    assert [row.shown_rank for row in page.rows()] == ["1", "=2", "=2", "4"]
    assert [row.rank for row in page.rows()] == ["1", "2 tied", "2 tied", "4"]
    assert [row.medal for row in page.rows()] == ["1", "2", "2", None]


def test_movement_is_told_in_words(page: Dashboard, site: Site) -> None:
    moves = {"rose": 4, "fell": 1, "stayed": 3, "came": None}
    site.answers[""] = Answer(board([entry(i, n, 90 - i, p) for i, (n, p) in enumerate(moves.items(), 1)]))
    page.open()
    page.wait_for_names(*moves)
    assert [row.move for row in page.rows()] == ["up 3", "down 1", "unchanged", "New"]


def test_the_first_snapshot_makes_nobody_a_newcomer(page: Dashboard, site: Site) -> None:
    site.answers[""] = Answer(board([entry(1, "ada", 2), entry(2, "grace", 1)]))
    page.open()
    page.wait_for_names("ada", "grace")
    assert {row.move for row in page.rows()} == {"no earlier snapshot"}


def test_a_new_snapshot_shows_without_a_reload(page: Dashboard, site: Site) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    page.script("window.unloaded = false")
    site.answers[""] = Answer(board([entry(1, "grace", 950, 2), entry(2, "ada", 900, 1)]))
    page.wait_for_names("grace", "ada")
    assert page.rows()[0].points == "950"
    assert page.script("return window.unloaded") is False


def test_totals_and_the_time_of_the_snapshot(page: Dashboard, site: Site) -> None:
    taken = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=2)
    stamp = taken.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    totals = {"points": 1_234_567, "events": 89_012, "lag_s": 340.2, "pending": 1204}
    site.answers[""] = Answer(board([entry(1, "ada", 1)], generated_at=stamp) | totals)
    page.chromium("Emulation.setTimezoneOverride", timezoneId="Asia/Kolkata")
    page.open()
    page.wait_for_names("ada")
    page.chromium("Emulation.setTimezoneOverride", timezoneId="")
    assert page.text("points") == "1,234,567"
    assert page.text("events") == "89,012"
    local = taken + timedelta(hours=5, minutes=30)
    assert page.text("taken").split()[0].endswith(local.strftime(":%M:%S"))
    assert page.find("taken").get_attribute("title") == f"{stamp} (UTC)"
    assert page.text("lag") == "5 min 1,204 queued"


def test_an_empty_board_says_so(page: Dashboard, site: Site) -> None:
    site.answers[""] = Answer(board([], lag_s=None))
    page.open()
    page.eventually(lambda: page.text("found").startswith("No activities yet."))
    assert not page.shows("table")
    assert page.text("points") == "0"
    assert page.text("lag").startswith("unknown")


def test_a_program_is_picked_from_the_list_and_back_leads_back(page: Dashboard, site: Site) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    choice = Select(page.find("program"))
    page.eventually(lambda: [o.text for o in choice.options] == ["Pick one…", "first aid", "mentoring"])
    choice.select_by_visible_text("mentoring")
    page.wait_for_names("grace")
    assert page.text("title") == "mentoring"
    assert page.browser.title == "mentoring · Leaderboard"
    assert page.browser.current_url == site.url + "#program=mentoring"
    page.browser.back()
    page.wait_for_names("ada", "grace", "linus")
    assert page.chosen("program") == "Pick one…"
    page.browser.forward()
    page.wait_for_names("grace")


def test_the_ranking_of_programs_links_to_their_boards(page: Dashboard, site: Site) -> None:
    site.answers["program=first aid"] = Answer(board([entry(1, "ken", 5)], name="program#first aid"))
    page.open()
    page.find("to-programs").click()
    page.wait_for_names("mentoring", "first aid")
    assert page.text("subject") == "Program"
    assert page.text("caption") == "Top 2 programs by points"
    page.browser.find_element(By.LINK_TEXT, "first aid").click()
    page.wait_for_names("ken")
    assert page.text("subject") == "Employee"


def test_a_deep_link_opens_its_board(page: Dashboard, site: Site) -> None:
    page.open("#program=mentoring")
    page.wait_for_names("grace")
    assert page.chosen("program") == "mentoring"
    assert page.find("to-global").get_attribute("aria-current") == "false"
    assert not site.asked("")


def test_the_board_in_view_is_marked_in_the_navigation(page: Dashboard) -> None:
    page.open("#board=programs")
    page.wait_for_names("mentoring", "first aid")
    assert page.find("to-programs").get_attribute("aria-current") == "page"
    page.find("to-global").click()
    page.wait_for_names("ada", "grace", "linus")
    assert page.find("to-global").get_attribute("aria-current") == "page"


def test_an_unknown_board_is_named_so_and_appears_once_it_exists(page: Dashboard, site: Site) -> None:
    page.open("#program=tomorrow")
    page.wait_for_notice("There is no such board")
    assert page.text("badge") == "No such board"
    assert not page.shows("board")
    site.answers["program=tomorrow"] = Answer(board([entry(1, "ken", 5)], name="program#tomorrow"))
    page.wait_for_names("ken")
    assert not page.shows("notice")


def test_a_slow_answer_for_a_board_that_was_left_is_dropped(page: Dashboard, site: Site) -> None:
    site.answers["program=mentoring"] = Answer(board([entry(1, "late", 5)]), hangs=True)
    page.open("#program=mentoring")
    page.eventually(lambda: site.asked("program=mentoring"))
    page.script("""
        window.tones = [];
        new MutationObserver(() => tones.push(document.getElementById('badge').dataset.tone))
          .observe(document.getElementById('badge'), {attributes: true});
    """)
    page.find("to-global").click()
    page.wait_for_names("ada", "grace", "linus")
    site.released.set()
    asked = len(site.asked())
    page.eventually(lambda: len(site.asked()) >= asked + 2)
    assert page.names() == ["ada", "grace", "linus"]
    assert set(page.script("return window.tones")) == {"checking", "fresh"}


def test_rows_are_left_alone_while_the_snapshot_is_the_same(page: Dashboard, site: Site) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    page.script("window.row = document.querySelector('#rows tr')")
    asked = len(site.asked())
    page.eventually(lambda: len(site.asked()) >= asked + 3)
    assert page.script("return document.contains(window.row)")


def test_the_focus_stays_on_its_program_through_a_new_snapshot(page: Dashboard, site: Site) -> None:
    page.open("#board=programs")
    page.wait_for_names("mentoring", "first aid")
    page.script("document.querySelector('#rows tr:last-child a').focus()")
    programs = [entry(1, "first aid", 2000, 2), entry(2, "mentoring", 1500, 1)]
    site.answers["board=programs"] = Answer(board(programs, name="programs"))
    page.wait_for_names("first aid", "mentoring")
    assert page.focused() == "first aid"


def test_provenance_names_the_snapshot(page: Dashboard) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    assert re.fullmatch(r"Snapshot 20\S+Z, fingerprint 98765432109876543210", page.text("provenance"))
