"""Search: who is found, who is not in the window, and the keyboard's way to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.scripted_site import Answer, board, entry

if TYPE_CHECKING:
    from tests.browser.dashboard_page import Dashboard
    from tests.browser.scripted_site import Site

pytestmark = pytest.mark.slow


@pytest.fixture
def page(page: Dashboard) -> Dashboard:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    return page


def test_a_search_keeps_the_matches_with_their_ranks_and_marks_them(page: Dashboard) -> None:
    page.search_for("LIN")
    page.wait_for_names("linus")
    assert page.rows()[0].rank == "3"
    assert page.browser.find_element(By.TAG_NAME, "mark").text == "lin"
    assert page.text("found") == "1 of 3 match “LIN”."
    assert page.find("found").aria_role == "status"


def test_who_is_not_in_the_window_is_told_so(page: Dashboard) -> None:
    page.search_for("nobody")
    page.eventually(lambda: page.text("found") == "“nobody” is not in the top 3.")
    assert not page.shows("table")


def test_slash_goes_to_the_search_and_escape_clears_it(page: Dashboard) -> None:
    page.press("/")
    assert page.focused() == "search"
    page.press("gra/")
    page.eventually(lambda: page.text("found") == "“gra/” is not in the top 3.")
    page.press(Keys.ESCAPE)
    page.wait_for_names("ada", "grace", "linus")
    assert page.find("search").get_attribute("value") == ""


def test_a_search_can_be_shared_as_a_link_and_adds_no_history(page: Dashboard, site: Site) -> None:
    before = page.script("return history.length")
    page.search_for("grace")
    page.eventually(lambda: page.browser.current_url.endswith("#search=grace"))
    assert page.script("return history.length") == before
    page.open("#program=mentoring&search=gr%61ce")
    page.eventually(lambda: page.text("found") == "1 of 1 match “grace”.")
    assert page.find("search").get_attribute("value") == "grace"
    assert site.asked("program=mentoring")


def test_a_search_goes_along_from_board_to_board_of_employees(page: Dashboard) -> None:
    page.open("#program=mentoring&search=ada")
    page.eventually(lambda: page.text("found") == "“ada” is not in the top 1.")
    page.find("to-global").click()
    page.wait_for_names("ada")


def test_a_search_holds_through_a_new_snapshot(page: Dashboard, site: Site) -> None:
    page.search_for("ada")
    page.wait_for_names("ada")
    site.answers[""] = Answer(board([entry(1, "grace", 950, 2), entry(2, "ada", 900, 1)]))
    page.eventually(lambda: [row.rank for row in page.rows()] == ["2"])
    assert page.names() == ["ada"]


def test_typing_is_searched_once_when_it_pauses(page: Dashboard) -> None:
    page.script("""
        window.counts = [];
        const seen = () => counts.push(document.getElementById('found').textContent);
        new MutationObserver(seen).observe(document.getElementById('found'), {childList: true});
        const search = document.getElementById('search');
        const setTimeout = window.setTimeout;
        window.delays = [];
        window.setTimeout = (call, ms) => { delays.push(ms); return setTimeout(call, ms) };
        for (const text of ['g', 'gr', 'gra', 'grac', 'grace']) {
          search.value = text;
          search.dispatchEvent(new Event('input'));
        }
        window.setTimeout = setTimeout;
    """)
    page.wait_for_names("grace")
    assert page.script("return counts") == ["1 of 3 match “grace”."]
    assert min(page.script("return delays")) >= 100


def test_letters_that_grow_in_lower_case_are_found_and_not_cut_wrong(page: Dashboard, site: Site) -> None:
    site.answers[""] = Answer(board([entry(1, "İİİadil", 2), entry(2, "bo", 1)]))
    page.search_for("adil")
    page.wait_for_names("İİİadil")
