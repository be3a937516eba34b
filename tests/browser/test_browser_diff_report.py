"""The page of a diff in real Chromium, opened from a file: what it shows, finds, saves and prints; safety."""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from migration.report.diff_page import diff_page
from tests.browser.report_page import CONTRAST, HACKED, HOSTILE, ReportPage, opened
from tests.diff_world import World, ago

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

pytestmark = pytest.mark.slow

TIMES = " \N{MULTIPLICATION SIGN} "
ROWS = """
return [...document.querySelectorAll('#rows tbody tr:not(.detail)')].map(row => ({
  where: row.cells[0].textContent, who: row.cells[1].textContent, what: row.cells[2].textContent,
  off: row.cells[6].textContent, judgement: row.dataset.judgement, why: row.cells[8].textContent,
}));
"""


def small() -> World:
    """Three employees: one doubled by legacy, one fact not folded, and one who is only moved."""
    world = World()
    ada, grace, _ = (world.add(name, f"v-{name}", 10 + n) for n, name in enumerate(("ada", "grace", "linus")))
    world.count(ada)
    world.fold(grace, -1)
    world.add("grace", "g-2", 10, "q")
    return world


class Report(ReportPage):
    """A diff's page."""

    def open(self, world: World) -> None:
        self.show(diff_page(world.diff()))

    def rows(self) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = self.script(ROWS)
        return rows

    def judge(self, value: str) -> None:
        self.browser.find_element(By.CSS_SELECTOR, f"#judgements input[value={value}]").click()


@pytest.fixture
def report(chromium: Chrome, tmp_path: Path) -> Iterator[Report]:
    yield from opened(Report(chromium, tmp_path / "diff.html"))


def test_the_verdict_and_the_figures_come_first(report: Report) -> None:
    report.open(small())
    verdict = report.browser.find_element(By.CLASS_NAME, "verdict")
    assert re.match(r"\d+ differences to repair", verdict.text)
    assert "differences unexplained 0" in report.text("figures")
    assert report.browser.title.startswith("Diff of test: ")


def test_every_difference_is_there_worst_first(report: Report) -> None:
    world = small()
    report.open(world)
    found = world.diff()
    lines = sum(line.line.change != "same" for board in found.boards for line in board.lines)
    rows = report.rows()
    assert len(rows) == lines + len(found.rows)
    assert report.text("found") == f"All {len(rows)} differences."
    judgements = [row["judgement"] for row in rows]
    assert judgements == sorted(judgements, reverse=True)


def test_a_search_finds_employees_events_programs_and_causes(report: Report) -> None:
    report.open(small())
    for text, who in (("GRACE", "grace"), ("v-ada", "ada"), ("counted a retry", "ada")):
        report.search(text)
        rows = report.rows()
        assert rows
        assert all(who in row["who"] + row["why"] for row in rows), text
        assert re.fullmatch(rf"{len(rows)} of \d+ differences\.", report.text("found"))
    report.search("nobody")
    assert "Nothing matches" in report.text("rows")
    report.browser.find_element(By.ID, "clear").click()
    assert report.text("found").startswith("All ")
    assert report.browser.switch_to.active_element.get_attribute("id") == "search"


def test_filters_combine(report: Report) -> None:
    report.open(small())
    report.choose("where", "global")
    assert {row["where"] for row in report.rows()} == {"Global"}
    report.choose("what", "moved")
    assert {row["what"] for row in report.rows()} == {"moved"}
    report.choose("what", "")
    report.judge("explained")
    assert {row["judgement"] for row in report.rows()} == {"explained"}
    report.choose("cause", "lost")
    assert "Nothing matches" in report.text("rows")


def test_columns_sort_both_ways_and_say_so(report: Report) -> None:
    report.open(small())
    report.choose("where", "#employee")
    header = report.browser.find_element(By.CSS_SELECTOR, "#rows th[data-key=who] button")
    for direction, reverse in (("ascending", False), ("descending", True)):
        header.click()
        cell = report.browser.find_element(By.CSS_SELECTOR, "#rows th[data-key=who]")
        assert cell.get_attribute("aria-sort") == direction
        names = [row["who"] for row in report.rows()]
        assert names == sorted(names, reverse=reverse)


def test_details_show_the_chain_with_the_link_that_is_off(report: Report) -> None:
    report.open(small())
    report.choose("where", "#employee")
    report.search("v-grace")
    opener = report.browser.find_element(By.CSS_SELECTOR, "#rows tbody .link")
    opener.click()
    assert opener.get_attribute("aria-expanded") == "true"
    steps = [step.text for step in report.browser.find_elements(By.CSS_SELECTOR, ".chain .step")]
    assert steps == ["=", "=", "=", "\N{MINUS SIGN}11"]
    assert "v-grace" in report.browser.find_element(By.CSS_SELECTOR, ".reasons").text
    opener.click()
    assert not report.browser.find_elements(By.CLASS_NAME, "chain")


def test_the_plots_show_one_board_and_lead_to_its_rows(report: Report) -> None:
    report.open(small())
    report.choose("board", "global")
    people = report.browser.find_elements(By.CSS_SELECTOR, "#slopes .person")
    titles = [person.find_element(By.TAG_NAME, "title").get_property("textContent") for person in people]
    assert {str(title).split(":")[0] for title in titles} == {"ada", "grace", "linus"}
    assert len(report.browser.find_elements(By.CSS_SELECTOR, "#curve .curve")) == 3
    assert "1 of 3 on both boards have the same points." in report.text("histogram")
    for plot in ("slopes", "curve", "histogram"):
        picture = report.browser.find_element(By.CSS_SELECTOR, f"#{plot} svg")
        assert picture.get_attribute("role") == "img"
        assert picture.accessible_name
    report.script(
        "document.querySelector('#slopes .person[data-judgement=to_repair]')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    assert {row["who"].split(TIMES)[0] for row in report.rows()} <= {"grace", "linus", "ada"}
    assert report.browser.find_element(By.ID, "search").get_property("value") in {"grace", "linus", "ada"}
    board = report.browser.find_element(By.CSS_SELECTOR, "#boards tr[data-board='program#q'] button")
    board.click()
    assert Select(report.browser.find_element(By.ID, "board")).first_selected_option.text == "Program q"


def test_a_large_report_is_paged_and_shows_all_of_a_board_on_demand(report: Report) -> None:
    world = World()
    for number in range(150):
        one = world.add(f"e-{number:03}", "v", 1000 - number)
        world.count(one)
    report.open(world)
    assert len(report.rows()) == 100
    assert re.fullmatch(r"Page 1 of \d+", report.text("page"))
    first = report.rows()[0]
    report.browser.find_element(By.ID, "after").click()
    assert report.text("page").startswith("Page 2 of ")
    assert report.rows()[0] != first
    report.search("e-149")
    assert not report.browser.find_element(By.ID, "after").is_displayed()
    assert len(report.browser.find_elements(By.CSS_SELECTOR, "#slopes .person")) == 30
    report.browser.find_element(By.ID, "depth").click()
    assert len(report.browser.find_elements(By.CSS_SELECTOR, "#slopes .person")) == 100


def test_printing_takes_all_that_matches(report: Report) -> None:
    world = World()
    for number in range(120):
        world.count(world.add(f"e-{number}", "v", 200 - number))
    report.open(world)
    report.script("dispatchEvent(new Event('beforeprint'))")
    printed = len(report.rows())
    assert f"All {printed} differences." == report.text("found")
    report.script("dispatchEvent(new Event('afterprint'))")
    assert len(report.rows()) == 100
    assert len(report.browser.execute_cdp_cmd("Page.printToPDF", {})["data"]) > 10_000


def test_what_matches_is_saved_as_csv_that_no_spreadsheet_runs(report: Report, tmp_path: Path) -> None:
    world = World()
    for number, name in enumerate(("=1+1", 'quote " and, comma', "plain")):
        world.count(world.add(name, "v", 5 + number))
    report.open(world)
    report.browser.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    report.choose("where", "#employee")
    report.script(
        "URL.createObjectURL = (blob) => { window.saved = blob; return 'blob:none'; };"
        "HTMLAnchorElement.prototype.click = () => {};"
    )
    report.browser.find_element(By.ID, "save").click()
    text = report.browser.execute_async_script("const done = arguments[0]; saved.text().then(done);")
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["employee_id"] for row in rows} == {"'=1+1", 'quote " and, comma', "plain"}
    assert {row["why"] for row in rows} == {"legacy counted a retry again"}


def test_hostile_ids_are_shown_as_their_own_text_and_run_nothing(report: Report) -> None:
    world = World()
    for number, name in enumerate(HOSTILE):
        world.count(world.add(name, f"v {name}", 100 + number, name))
    report.open(world)
    report.choose("where", "#employee in program")
    assert {row["who"] for row in report.rows()} == {f"{name}{TIMES}{name}" for name in HOSTILE}
    for name in HOSTILE[:6]:
        report.search(name)
        assert name in {row["who"].split(TIMES)[0] for row in report.rows()}
    for opener in report.browser.find_elements(By.CSS_SELECTOR, "#rows tbody .link"):
        opener.click()
    for name in HOSTILE:
        report.choose("board", f"program#{name}")
    assert not report.script(HACKED)
    assert json.loads(report.script("return document.getElementById('data').textContent"))["stack"] == "test"


def test_the_policy_runs_the_pages_own_script_and_nothing_else(report: Report) -> None:
    report.open(small())
    report.script(
        "const script = document.createElement('script');"
        "script.textContent = 'window.hacked = true'; document.body.append(script);"
        "document.body.insertAdjacentHTML('beforeend', '<i onclick=\"window.hacked = true\"></i>');"
        "document.body.lastChild.click();"
    )
    assert not report.script("return window.hacked")
    log = report.browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert all("Content Security Policy" in line["message"] for line in log)
    assert report.script("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1300])
def test_no_width_needs_sideways_scrolling_and_text_can_be_read(
    report: Report, scheme: str, width: int
) -> None:
    report.emulate(width, scheme)
    world = small()
    world.fold(world.add("x" * 128, "e" * 128, 5, "p" * 128, at=ago(hours=1)), -1)
    report.open(world)
    assert report.script("return document.documentElement.scrollWidth <= innerWidth")
    assert report.script(CONTRAST) == []


def test_every_control_has_a_name_and_is_reached_by_keyboard(report: Report) -> None:
    report.open(small())
    for control in report.browser.find_elements(By.CSS_SELECTOR, "button, input, select"):
        if control.is_displayed():
            assert control.accessible_name
    body = report.browser.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert report.browser.switch_to.active_element.text == "Skip to the differences"
    report.browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert report.browser.switch_to.active_element.get_attribute("id") == "differences"
    assert report.browser.find_element(By.ID, "found").aria_role == "status"


def test_no_differences_are_an_answer(report: Report) -> None:
    world = World()
    world.add("ada", "v", 5)
    report.open(world)
    assert "No differences" in report.browser.find_element(By.CLASS_NAME, "verdict").text
    assert "both sides and the truth agree" in report.text("rows")
    assert "1 of 1 on both boards have the same points." in report.text("histogram")


def test_sides_without_anything_are_an_answer(report: Report) -> None:
    report.open(World())
    assert "No differences" in report.browser.find_element(By.CLASS_NAME, "verdict").text
