"""One real Chromium for all browser tests; for each a new site, and a page that must leave no complaint."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.browser.dashboard_page import Dashboard
from tests.browser.scripted_site import Answer, Site, board, entry, running

if TYPE_CHECKING:
    from collections.abc import Iterator

CHROMIUM: Final = "/usr/bin/chromium"
DRIVER: Final = "/usr/bin/chromedriver"
FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--lang=en-US",
    "--window-size=1200,900",
)
PACE: Final = {"data-refresh-ms": 150, "data-timeout-ms": 5_000, "data-retry-ms": 100}


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    missing = [path for path in (CHROMIUM, DRIVER) if not Path(path).exists()]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"browser tests must run in CI, but {' and '.join(missing)} is missing")
    if missing:
        pytest.skip(f"{' and '.join(missing)} is missing; install Debian's chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    browser = webdriver.Chrome(options=options, service=Service(DRIVER))
    browser.set_page_load_timeout(30)
    yield browser
    browser.quit()


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve a board of three employees, the ranking of two programs and the board of one."""
    site = Site(PACE)
    people = [entry(1, "ada", 900, 2), entry(2, "grace", 800, 1), entry(3, "linus", 700, 3)]
    site.answers[""] = Answer(board(people))
    programs = [entry(1, "mentoring", 1500, 1), entry(2, "first aid", 900, 2)]
    site.answers["board=programs"] = Answer(board(programs, name="programs"))
    mentoring = board([entry(1, "grace", 400, 1)], name="program#mentoring", age=timedelta(seconds=4))
    site.answers["program=mentoring"] = Answer(mentoring)
    with running(site):
        yield site


@pytest.fixture
def page(chromium: webdriver.Chrome, site: Site) -> Iterator[Dashboard]:
    """Give a page that is not opened yet; afterwards, fail on any script error or policy violation."""
    page = Dashboard(chromium, site)
    page.emulate()
    page.complaints()
    yield page
    complaints = page.complaints()
    page.chromium("Emulation.clearDeviceMetricsOverride")
    chromium.get("about:blank")
    assert not complaints
    assert not site.strays
