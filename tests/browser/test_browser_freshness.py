"""Freshness: old data never passes for fresh, whatever the endpoint does, and the page recovers by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.scripted_site import BROKEN, HANGING, Answer, board, entry, no_snapshot_yet

if TYPE_CHECKING:
    from tests.browser.dashboard_page import Dashboard
    from tests.browser.scripted_site import Site

pytestmark = pytest.mark.slow

ENTRIES = [entry(1, "ada", 900, 1)]


def seconds_old(page: Dashboard) -> int:
    found = re.search(r"(\d+) s old", page.text("badge"))
    assert found, page.text("badge")
    return int(found[1])


def test_the_age_grows_every_second_without_a_request_or_an_announcement(page: Dashboard, site: Site) -> None:
    site.pace["data-refresh-ms"] = 600_000
    site.answers[""] = Answer(board(ENTRIES, age=timedelta(seconds=20)))
    page.open()
    page.wait_for_badge("Fresh · 2")
    page.script("""
        window.announcements = 0;
        new MutationObserver(() => window.announcements += 1)
          .observe(document.getElementById('announcer'), {childList: true, subtree: true});
    """)
    first = seconds_old(page)
    page.eventually(lambda: seconds_old(page) >= first + 2)
    assert page.script("return window.announcements") == 0
    assert len(site.asked()) == 1


def test_the_age_is_the_servers_whatever_the_visitors_clock_says(page: Dashboard, site: Site) -> None:
    script = "const now = Date.now; Date.now = () => now() - 7200_000;"
    added = page.browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    site.answers[""] = Answer(board(ENTRIES, age=timedelta(seconds=100)))
    page.open()
    page.wait_for_badge("Fresh · 10")
    page.chromium("Page.removeScriptToEvaluateOnNewDocument", **added)


def test_the_age_goes_on_growing_while_the_answer_is_revalidated(page: Dashboard, site: Site) -> None:
    site.answers[""] = Answer(board(ENTRIES, age=timedelta(seconds=50)))
    page.open()
    page.wait_for_badge("Fresh")
    page.eventually(lambda: sum(seen.status == 304 for seen in site.asked()) >= 3, "revalidated by ETag")
    page.eventually(lambda: seconds_old(page) >= 52)


def test_the_age_grows_even_if_a_cache_repeats_an_old_date(page: Dashboard, site: Site) -> None:
    site.date = format_datetime(datetime.now(UTC), usegmt=True)
    site.answers[""] = Answer(board(ENTRIES, age=timedelta(seconds=50)))
    page.open()
    page.wait_for_badge("Fresh")
    page.eventually(lambda: seconds_old(page) >= 52)


def test_stale_data_is_marked_with_the_reasons_and_announced(page: Dashboard, site: Site) -> None:
    page.open()
    page.wait_for_badge("Fresh")
    old = board(ENTRIES, age=timedelta(seconds=372), stale_after=timedelta(seconds=60))
    reasons = [*old["stale_reasons"], "nothing has been folded yet"]
    site.answers[""] = Answer(old | {"stale_reasons": reasons})
    page.wait_for_badge("Stale · 6 min old")
    text = page.wait_for_notice("This data is stale")
    since = f"No snapshot since {old['generated_at']}"
    assert f"{since}; nothing has been folded yet." in text
    assert since in page.heard("announcer")
    assert page.names() == ["ada"]
    site.answers[""] = Answer(board(ENTRIES))
    page.wait_for_badge("Fresh")
    assert not page.shows("notice")
    assert page.heard("announcer") == "Everyone: Fresh."


def test_a_failure_keeps_the_last_data_marked_and_the_page_recovers(page: Dashboard, site: Site) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    site.answers[""] = BROKEN
    page.wait_for_badge("Not updating")
    text = page.wait_for_notice("These are the last known results")
    assert "the server answered 500" in text
    assert re.search(r"the last successful refresh was at \d+:\d\d:\d\d", text)
    assert page.names() == ["ada", "grace", "linus"]
    assert "s old" in page.text("badge")
    assert "These are the last known results" in page.heard("announcer")
    site.answers[""] = Answer(board([entry(1, "grace", 1, 1)]))
    page.wait_for_names("grace")
    page.wait_for_badge("Fresh")
    assert not page.shows("notice")


def test_retries_wait_longer_each_time_up_to_a_limit(page: Dashboard, site: Site) -> None:
    site.pace["data-retry-ms"] = 40
    site.answers[""] = BROKEN
    page.open()
    page.eventually(lambda: len(site.asked()) >= 8)
    gaps_ms = [1000 * (later.at_s - sooner.at_s) for sooner, later in pairwise(site.asked())]
    least_ms = [40, 80, 160, 320, 640, 1280, 1280]
    assert all(gap >= least - 5 for gap, least in zip(gaps_ms, least_ms, strict=False)), gaps_ms


def test_a_person_can_try_again_at_once(page: Dashboard, site: Site) -> None:
    site.pace["data-retry-ms"] = 600_000
    site.answers[""] = BROKEN
    page.open()
    page.wait_for_notice("The board cannot be loaded The server answered 500.")
    page.eventually(lambda: re.search(r"Next try in \d{3} s\.", page.text("countdown")))
    site.answers[""] = Answer(board(ENTRIES))
    page.find("retry-now").click()
    page.wait_for_names("ada")


def test_an_endpoint_that_hangs_is_given_up(page: Dashboard, site: Site) -> None:
    site.pace["data-timeout-ms"] = 1_000
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    site.answers[""] = HANGING
    page.wait_for_notice("no answer within 1 s")
    assert page.names() == ["ada", "grace", "linus"]
    site.answers[""] = Answer(board(ENTRIES))
    page.wait_for_names("ada")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer("<h1>Bad gateway</h1>", 502), "the server answered 502"),
        (Answer("<h1>Hello</h1>"), "the answer was not a leaderboard"),
        (Answer({"entries": "none"}), "the answer was not a leaderboard"),
        (Answer(None), "the answer was not a leaderboard"),
        (Answer({"message": "Not Found"}, 404), "the server answered 404"),
        (no_snapshot_yet(0), "the pipeline has no snapshot any more"),
    ],
)
def test_every_bad_answer_has_its_reason(page: Dashboard, site: Site, answer: Answer, reason: str) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    site.answers[""] = answer
    page.wait_for_notice(reason)
    assert page.names() == ["ada", "grace", "linus"]


def test_a_server_that_went_away_is_not_taken_for_an_answer(page: Dashboard, site: Site) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    page.chromium("Network.enable")
    page.chromium("Network.setBlockedURLs", urls=["*/leaderboard*"])
    page.wait_for_notice("the server cannot be reached")
    page.chromium("Network.setBlockedURLs", urls=[])
    page.wait_for_badge("Fresh")


def test_before_the_first_snapshot_the_page_waits_as_long_as_it_is_told(page: Dashboard, site: Site) -> None:
    site.answers[""] = no_snapshot_yet(1)
    page.open()
    page.wait_for_notice("The first snapshot is on its way")
    assert page.text("badge") == "Waiting for data"
    page.eventually(lambda: len(site.asked()) >= 2)
    first, second = site.asked()[:2]
    assert second.at_s - first.at_s >= 0.99
    site.answers[""] = Answer(board(ENTRIES))
    page.wait_for_names("ada")
    assert not page.shows("notice")


def test_a_throttled_page_keeps_to_retry_after(page: Dashboard, site: Site) -> None:
    site.answers[""] = Answer({"message": "Too Many Requests"}, 429, {"Retry-After": "1"})
    page.open()
    page.eventually(lambda: len(site.asked()) >= 2)
    first, second = site.asked()[:2]
    assert second.at_s - first.at_s >= 0.99


def test_a_page_that_slept_does_not_call_its_data_fresh(page: Dashboard, site: Site) -> None:
    page.open()
    page.wait_for_badge("Fresh")
    site.answers[""] = HANGING
    asked = len(site.asked())
    page.eventually(lambda: len(site.asked()) > asked)
    page.script("const now = Date.now; Date.now = () => now() + 3600_000;")
    page.eventually(lambda: page.text("badge") in {"Checking · 60 min old", "Checking · 59 min old"})


def test_a_page_hidden_during_a_request_asks_nothing_after_it(page: Dashboard, site: Site) -> None:
    site.answers[""] = HANGING
    page.open()
    page.eventually(site.asked)
    first_tab = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    page.open("#program=mentoring")
    page.wait_for_names("grace")
    site.released.set()
    page.eventually(lambda: len(site.asked("program=mentoring")) >= 20)
    assert len(site.asked()) == 1
    site.answers[""] = Answer(board(ENTRIES))
    page.browser.close()
    page.browser.switch_to.window(first_tab)
    page.wait_for_names("ada")


def test_a_hidden_page_asks_nothing_and_refreshes_when_it_is_seen_again(page: Dashboard, site: Site) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    first_tab = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    page.open("#program=mentoring")
    page.wait_for_names("grace")
    asked = len(site.asked())
    # Long enough for a hidden page that does not pause: its timers still run once a second.
    page.eventually(lambda: len(site.asked("program=mentoring")) >= 20)
    assert len(site.asked()) == asked
    site.answers[""] = Answer(board(ENTRIES))
    page.browser.close()
    page.browser.switch_to.window(first_tab)
    page.wait_for_names("ada")


def test_a_key_is_asked_for_sent_and_kept_for_the_tab(page: Dashboard, site: Site) -> None:
    site.answers = {query: Answer(a.body, key="s3cret") for query, a in site.answers.items()}
    page.open()
    page.eventually(lambda: page.shows("key-form"))
    assert page.text("badge") == "Locked"
    assert page.find("key").accessible_name == "API key"
    asked = len(site.asked())
    page.find("key").send_keys("wrong", Keys.ENTER)
    page.eventually(lambda: "refused" in page.text("key-text"))
    assert [seen.headers["x-api-key"] for seen in site.asked()[asked:]] == ["wrong"]
    page.find("key").send_keys("s3cret", Keys.ENTER)
    page.wait_for_names("ada", "grace", "linus")
    assert not page.shows("key-form")
    assert page.focused() == "main"
    page.open("?again")
    page.wait_for_names("ada", "grace", "linus")
    assert page.script("return [localStorage.length, document.cookie]") == [0, ""]
