"""A certificate in a real browser: complete without a script, legible anywhere, printed, and never run."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from migration.certificate.certificate import HASH, certificate_fields
from migration.report.certificate_page import certificate_page
from tests.browser.report_page import CONTRAST, HACKED, ReportPage, opened
from tests.certificate_world import HOSTILE, certificate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

pytestmark = pytest.mark.slow


class Sheet(ReportPage):
    """A certificate's page."""

    def open(self, *, complete: bool = True, hostile: bool = False, proven: bool = True) -> str:
        fields = certificate_fields(certificate(complete=complete, hostile=hostile, proven=proven))
        self.show(certificate_page(fields))
        return str(fields[HASH])


@pytest.fixture
def page(chromium: Chrome, tmp_path: Path) -> Iterator[Sheet]:
    yield from opened(Sheet(chromium, tmp_path / "certificate.html"))


def body(page: Sheet) -> str:
    return page.browser.find_element(By.TAG_NAME, "body").text


def test_a_final_one_says_so_with_everything_that_proves_it(page: Sheet) -> None:
    content_hash = page.open()
    verdict = page.browser.find_element(By.CLASS_NAME, "verdict")
    assert verdict.text.startswith("Complete, and proven")
    text = body(page)
    proofs = (content_hash, "3fa9c01d77be", "cutover verify", "1.175 s", "error_rate: 9 of 1,180", "$0.0024")
    for said in proofs:
        assert said in text
    assert not page.browser.find_elements(By.CLASS_NAME, "stamp")
    assert page.browser.title == "Certificate of cutover, activities"


def test_a_draft_is_clearly_one_and_says_what_is_missing(page: Sheet) -> None:
    page.open(complete=False, proven=False)
    assert page.browser.find_element(By.CLASS_NAME, "stamp").is_displayed()
    assert page.browser.find_element(By.CLASS_NAME, "verdict").text.startswith("DRAFT: 2 things missing")
    assert "no acknowledgement ledger was given" in body(page)
    assert page.browser.title.startswith("Draft of the certificate")


def test_the_plot_marks_every_rehearsal_and_rollback_and_stays_in_its_frame(page: Sheet) -> None:
    page.open()
    plot = page.browser.find_element(By.CSS_SELECTOR, ".plot svg")
    assert "1 rollbacks, 2 rehearsals" in plot.accessible_name
    assert len(page.browser.find_elements(By.CSS_SELECTOR, ".plot .drill")) == 2
    assert len(page.browser.find_elements(By.CSS_SELECTOR, ".plot .back-mark")) == 1
    outside = """
    const frame = document.querySelector('.plot svg').getBoundingClientRect();
    return [...document.querySelectorAll('.plot svg text, .plot svg path')].filter((one) => {
      const box = one.getBoundingClientRect();
      return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
    }).map((one) => one.textContent || one.getAttribute('d'));
    """
    assert page.script(outside) == []


def test_names_on_the_plot_do_not_run_into_each_other(page: Sheet) -> None:
    page.open()
    overlapping = """
    const boxes = [...document.querySelectorAll('.plot svg text')]
      .map((one) => [one.textContent, one.getBoundingClientRect()]);
    return boxes.flatMap(([name, one], index) => boxes.slice(index + 1).filter(([, other]) =>
      one.left < other.right && other.left < one.right &&
      one.top + 3 < other.bottom && other.top + 3 < one.bottom
    ).map(([other]) => `${name} / ${other}`));
    """
    assert page.script(overlapping) == []


def test_it_prints_as_a_document(page: Sheet) -> None:
    page.open()
    printed = page.browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"]
    pages = len(re.findall(rb"/Type /Page\b", base64.b64decode(printed)))
    assert 2 <= pages <= 5


def test_hostile_names_are_text_and_run_nothing(page: Sheet) -> None:
    page.open(hostile=True)
    assert HOSTILE in body(page)
    assert not page.script(HACKED)
    assert page.script("return document.scripts.length") == 1, "the data, which is no script"
    assert page.script("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1100])
def test_no_width_needs_sideways_scrolling_and_text_can_be_read(page: Sheet, scheme: str, width: int) -> None:
    page.emulate(width, scheme)
    page.open()
    assert page.script("return document.documentElement.scrollWidth <= innerWidth")
    page.script("document.querySelectorAll('.stamp').forEach((one) => one.remove())")
    assert page.script(CONTRAST) == []
