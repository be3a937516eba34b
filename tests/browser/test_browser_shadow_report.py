"""The page of a shadow report in real Chromium: hours of comparisons, plotted, searched, saved, printed."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from migration.compare.shadow.report import ShadowReport
from migration.report.shadow_page import shadow_page
from tests.browser.report_page import CONTRAST, HACKED, HOSTILE, ReportPage, opened
from tests.shadow_world import Story, comparisons

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

    from migration.compare.shadow.comparison import Comparison

pytestmark = pytest.mark.slow

PLOTS = ("agreement", "ages", "latencies", "counts")
ROWS = """
return [...document.querySelectorAll('#rows tbody tr')].map(row => ({
  who: row.cells[0].querySelector('.id')?.textContent, seen: row.cells[4]?.textContent,
  judgement: row.dataset.judgement, why: row.cells[6]?.textContent, text: row.textContent,
}));
"""


class Shadow(ReportPage):
    """A shadow report's page."""

    def open(self, story: Story | None = None, of: list[Comparison] | None = None) -> ShadowReport:
        report = ShadowReport("test", "activities", of or comparisons(story=story))
        self.show(shadow_page(report))
        return report

    def rows(self) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = self.script(ROWS)
        return rows


@pytest.fixture
def page(chromium: Chrome, tmp_path: Path) -> Iterator[Shadow]:
    yield from opened(Shadow(chromium, tmp_path / "shadow.html"))


def test_the_verdict_and_the_figures_come_first(page: Shadow) -> None:
    page.open(Story(unexplained=range(90, 93)))
    verdict = page.browser.find_element(By.CLASS_NAME, "verdict")
    assert verdict.text.startswith("459 comparisons in 8.0 h: unexplained differences in 3 of them")
    assert verdict.get_attribute("data-judgement") == "unexplained"
    assert "with something unexplained 3" in page.text("figures")
    assert page.browser.title.startswith("Shadow report of test: ")


def test_every_measure_is_plotted_and_named_for_those_who_cannot_see_it(page: Shadow) -> None:
    page.open()
    for plot in PLOTS:
        picture = page.browser.find_element(By.CSS_SELECTOR, f"#{plot} svg")
        assert picture.get_attribute("role") == "img"
        assert "2026-03-01 20:30 to 2026-03-02 04:29" in picture.accessible_name
        assert "last, 04:29" in page.text(f"{plot}-readout")
    assert len(page.browser.find_elements(By.CSS_SELECTOR, "#agreement .curve")) == 3
    assert len(page.browser.find_elements(By.CSS_SELECTOR, "#counts [data-judgement]")) == 3
    stages = {text.text for text in page.browser.find_elements(By.CSS_SELECTOR, "#agreement text")}
    assert {"shadow", "live"} <= stages


def test_a_gap_in_the_measuring_is_a_gap_in_the_line(page: Shadow) -> None:
    moves = "return document.querySelector('#ages .curve').getAttribute('d').match(/M/g).length"
    page.open(Story(silent=range(0)))
    assert page.script(moves) == 1
    page.open()
    assert page.script(moves) == 2


def test_a_point_under_the_pointer_is_read_out(page: Shadow) -> None:
    page.open()
    plot = page.browser.find_element(By.CSS_SELECTOR, "#agreement svg")
    before = page.text("agreement-readout")
    ActionChains(page.browser).move_to_element(plot).perform()
    during = page.text("agreement-readout")
    assert during.startswith("03-02 00:")
    assert "pipeline and truth 0.99" in during
    ActionChains(page.browser).move_to_element(page.browser.find_element(By.TAG_NAME, "h1")).perform()
    assert page.text("agreement-readout") == before


def test_boards_and_measures_can_be_chosen(page: Shadow) -> None:
    page.open()
    curve = "return document.querySelector('#agreement .curve').getAttribute('d')"
    first = page.script(curve)
    page.choose("measure", "2")
    assert page.script(curve) != first
    page.choose("board", "program#mentoring")
    name = page.browser.find_element(By.CSS_SELECTOR, "#agreement svg").accessible_name
    assert "tau-b, Program mentoring" in name


def test_plots_take_the_width_that_there_is(page: Shadow) -> None:
    page.open()
    width = "return document.querySelector('#agreement svg').viewBox.baseVal.width"
    wide = page.script(width)
    page.emulate(360, "light")
    page.browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]));")
    assert 280 <= page.script(width) < 360 < wide


def test_every_difference_is_there_worst_first_and_found_by_words(page: Shadow) -> None:
    report = page.open(Story(unexplained=range(90, 93)))
    rows = page.rows()
    assert len(rows) == len(report.differences)
    assert page.text("found") == f"All {len(rows)} differences."
    judgements = [row["judgement"] for row in rows]
    assert judgements == sorted(judgements, reverse=True)
    assert rows[0]["seen"].startswith("3 times")
    for text in ("GRACE", "ev-00000000", "first aid", "no named events"):
        page.search(text)
        found = page.rows()
        assert found
        assert all(text.lower() in row["text"].lower() for row in found), text
    page.search("nobody")
    assert "Nothing matches" in page.text("rows")
    page.browser.find_element(By.ID, "clear").click()
    assert page.text("found").startswith("All ")


def test_filters_combine(page: Shadow) -> None:
    page.open()
    page.choose("judged", "to_repair")
    assert {row["who"] for row in page.rows()} == {"linus"}
    page.choose("where", "program#mentoring")
    assert "Nothing matches" in page.text("rows")
    page.choose("judged", "")
    assert {row["judgement"] for row in page.rows()} == {"explained"}


def test_what_matches_is_saved_as_csv(page: Shadow) -> None:
    page.open()
    page.script(
        "URL.createObjectURL = (blob) => { window.saved = blob; return 'blob:none'; };"
        "HTMLAnchorElement.prototype.click = () => {};"
    )
    page.search("linus")
    page.browser.find_element(By.ID, "save").click()
    text = page.browser.execute_async_script("const done = arguments[0]; saved.text().then(done);")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == len(page.rows())
    assert {row["employee_id"] for row in rows} == {"linus"}


def test_many_differences_are_shown_in_part_and_printed_whole(page: Shadow) -> None:
    page.open(Story(names=tuple(f"e-{number:03}" for number in range(90)), hours=12))
    everyone = len(page.script("return JSON.parse(document.getElementById('data').textContent).differences"))
    assert everyone > len(page.rows()) == 100
    page.script("dispatchEvent(new Event('beforeprint'))")
    assert len(page.rows()) == everyone
    page.script("dispatchEvent(new Event('afterprint'))")
    assert len(page.rows()) == 100
    assert len(page.browser.execute_cdp_cmd("Page.printToPDF", {})["data"]) > 10_000
    page.browser.find_element(By.ID, "more").click()
    assert len(page.rows()) == everyone


def test_hostile_ids_are_shown_as_their_own_text_and_run_nothing(page: Shadow) -> None:
    page.open(Story(names=(*HOSTILE[:9], *HOSTILE[-6:])))
    assert {row["who"] for row in page.rows()} <= set(HOSTILE)
    for name in HOSTILE[:6]:
        page.search(name)
        assert name in {row["who"] for row in page.rows()}
    assert not page.script(HACKED)
    assert page.script("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1300])
def test_no_width_needs_sideways_scrolling_and_text_can_be_read(
    page: Shadow, scheme: str, width: int
) -> None:
    page.emulate(width, scheme)
    page.open(Story(unexplained=range(90, 93), names=("x" * 128, *HOSTILE[-6:], *"abcd")))
    assert page.script("return document.documentElement.scrollWidth <= innerWidth")
    assert page.script(CONTRAST) == []


def test_every_control_has_a_name_and_is_reached_by_keyboard(page: Shadow) -> None:
    page.open()
    for control in page.browser.find_elements(By.CSS_SELECTOR, "button, input, select"):
        if control.is_displayed():
            assert control.accessible_name
    page.browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert page.browser.switch_to.active_element.text == "Skip to the differences"


def test_one_comparison_is_a_report(page: Shadow) -> None:
    page.open(of=comparisons()[:1])
    assert "1 comparison in 0 min" in page.browser.find_element(By.CLASS_NAME, "verdict").text
    assert "There were no differences" in page.text("rows")
