"""Safety: an id is never more than text, and the page talks to nobody but its server, under its prefix."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from selenium.webdriver.common.by import By

from pipeline.handlers import serve
from tests.browser.scripted_site import PREFIX, Answer, board, entry

if TYPE_CHECKING:
    from tests.browser.dashboard_page import Dashboard
    from tests.browser.scripted_site import Site

pytestmark = pytest.mark.slow

HOSTILE = (
    "<script>window.hacked = true</script>",
    "<img src=x onerror='window.hacked = true'>",
    '"><svg onload=window.hacked=true>',
    "javascript:window.hacked=true",
    "&lt;b&gt;&amp;",
    "${window.hacked = true}{{constructor.constructor('window.hacked=true')()}}",
    "' onclick='window.hacked = true",
    "🦊 fox 👩‍👩‍👧‍👧",
    "שלום (1) abc",
    "x" * 128,
    "__proto__",
    "a  b+c%20d#e?f&g=h/i\\j",
)
HACKED = (
    "return 'hacked' in window || document.querySelectorAll('main script, main img, [onclick]').length > 0"
)


def test_hostile_employee_ids_are_shown_as_their_own_text(page: Dashboard, site: Site) -> None:
    site.answers[""] = Answer(board([entry(i, name, 100 - i) for i, name in enumerate(HOSTILE, 1)]))
    page.open()
    page.wait_for_names(*HOSTILE)
    for name in HOSTILE[:3]:
        page.search_for(name)
        page.wait_for_names(name)
        assert name in page.text("found")
    assert not page.script(HACKED)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_program_id_is_a_link_an_option_and_a_title(page: Dashboard, site: Site, name: str) -> None:
    site.answers["board=programs"] = Answer(board([entry(1, name, 9, 1)], name="programs"))
    site.answers[f"program={name}"] = Answer(board([entry(1, "ada", 9, 1)], name=f"program#{name}"))
    page.open("#board=programs")
    page.eventually(lambda: page.names() == [name])
    page.browser.find_element(By.CSS_SELECTOR, "#rows a").click()
    page.wait_for_names("ada")
    assert page.heard("title") == name
    assert page.find("program").get_property("value") == name
    assert page.browser.current_url == f"{site.url}#program={quote(name, safe=chr(39) + '!()*')}"
    assert page.script("return document.querySelector('#title bdi').title") == name
    assert not page.script(HACKED)


def test_reasons_and_stamps_of_the_server_are_text_too(page: Dashboard, site: Site) -> None:
    bad = HOSTILE[1]
    site.answers[""] = Answer(board([], stale=True, stale_reasons=[bad], version=bad, fingerprint=bad))
    page.open(f"#search={quote(bad)}")
    page.wait_for_notice(bad)
    assert bad in page.text("provenance")
    assert not page.script(HACKED)


def test_the_policy_is_in_force(page: Dashboard) -> None:
    policy = serve._asset("/").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ")
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    page.script("""
        const script = document.createElement('script');
        script.textContent = 'window.hacked = true';
        document.body.append(script);
    """)
    assert not page.script("return window.hacked")
    assert any("Content Security Policy" in line for line in page.complaints())


def test_every_request_stays_under_the_pages_own_prefix(page: Dashboard, site: Site) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    page.find("to-programs").click()
    page.wait_for_names("mentoring", "first aid")
    entries = page.script("return performance.getEntries().map(entry => [entry.entryType, entry.name])")
    loaded = [url for kind, url in entries if kind in {"navigation", "resource"} and url[:5] != "data:"]
    assert {url.split("?")[0].split("#")[0] for url in loaded} == {
        site.url + name for name in ("", "app.js", "style.css", "leaderboard")
    }
    assert site.url.endswith(PREFIX)


def test_no_inline_style_or_handler_is_in_the_page(page: Dashboard) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    inline = page.script("""
        return [...document.querySelectorAll('*')]
          .flatMap(node => [...node.attributes].map(attribute => attribute.name))
          .filter(name => name === 'style' || name.startsWith('on'));
    """)
    assert inline == []
