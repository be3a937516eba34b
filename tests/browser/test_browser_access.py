"""Access: in light and dark, on a phone, by keyboard and screen reader, in forced colours and on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.scripted_site import BROKEN, FORBIDDEN, Answer, board, entry, no_snapshot_yet

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.dashboard_page import Dashboard
    from tests.browser.scripted_site import Site

pytestmark = pytest.mark.slow

# Relative luminance and contrast as WCAG 2.2 defines them; the ground is the nearest one behind the text.
_CONTRAST: Final = """
const parse = text => {
  const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
  return {rgb: [r, g, b], a};
};
const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const luminance = ({rgb: [r, g, b]}) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const ground = node => {
  for (; node; node = node.parentElement) {
    const color = parse(getComputedStyle(node).backgroundColor);
    if (color.a === 1) return color;
    if (color.a > 0) throw new Error('half transparent ground');
  }
  throw new Error('no ground');
};
const contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
"""
_FAINT_TEXT: Final = (
    _CONTRAST
    + """
const faint = [];
const check = (node, style, text) => {
  const ratio = contrast(parse(style.color), ground(node));
  if (ratio < 4.5) faint.push(`${text.slice(0, 40)}: ${ratio.toFixed(2)}`);
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let checked = 0;
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  const isSeen = node.checkVisibility() && !node.closest('.sr, .skip, noscript, option');
  if (!walker.currentNode.data.trim() || !isSeen) continue;
  check(node, getComputedStyle(node), walker.currentNode.data);
  checked += 1;
}
for (const input of document.querySelectorAll('input, select')) {
  if (!input.checkVisibility()) continue;
  check(input, getComputedStyle(input, input.matches('input') ? '::placeholder' : null), input.id);
}
return [checked, faint];
"""
)
_FAINT_EDGES: Final = (
    _CONTRAST
    + """
const input = document.getElementById('search');
return [ground(input.parentElement), ground(input)]
  .map(color => contrast(parse(getComputedStyle(input).borderColor), color))
  .filter(ratio => ratio < 3);
"""
)
_TOO_WIDE: Final = """
const width = document.documentElement.clientWidth;
const wide = [...document.querySelectorAll('body *')]
  .filter(node => node.checkVisibility() && !node.closest('.sr, .skip, bdi, mark, select'))
  .map(node => [node.getBoundingClientRect(), node.id || node.className || node.tagName])
  .filter(([box]) => box.right > width + 0.5 || box.left < -0.5)
  .map(([box, name]) => name);
return [width, document.documentElement.scrollWidth, wide];
"""


def _fresh(page: Dashboard, site: Site) -> None:
    moves = [(2, "x" * 128), (1, "W W " * 30 + "end"), (None, "שלום"), (4, "ada")]
    entries = [entry(i, name, 12_345_678 - i, p) for i, (p, name) in enumerate(moves, 1)]
    site.answers[""] = Answer(board(entries, pending=1_234_567, lag_s=86_400))
    page.open()
    page.wait_for_badge("Fresh")


def _stale(page: Dashboard, site: Site) -> None:
    reasons = ["no snapshot since 2026-03-01T09:30:00.000Z"] * 3
    site.answers[""] = Answer(board([entry(1, "ada", 2, 1)], stale=True, stale_reasons=reasons))
    page.open("#search=a")
    page.wait_for_badge("Stale")


def _failed(page: Dashboard, site: Site) -> None:
    page.open("#search=grace")
    page.wait_for_badge("Fresh")
    site.answers[""] = BROKEN
    page.wait_for_badge("Not updating")


def _broken(page: Dashboard, site: Site) -> None:
    site.answers[""] = BROKEN
    page.open()
    page.wait_for_notice("The board cannot be loaded")


def _waiting(page: Dashboard, site: Site) -> None:
    site.answers[""] = no_snapshot_yet(60)
    page.open()
    page.wait_for_badge("Waiting")


def _locked(page: Dashboard, site: Site) -> None:
    site.answers[""] = FORBIDDEN
    page.open()
    page.wait_for_badge("Locked")


def _programs(page: Dashboard, site: Site) -> None:
    programs = [entry(1, "p" * 128, 9, 1), entry(2, "mentoring", 8, None)]
    site.answers["board=programs"] = Answer(board(programs, name="programs"))
    page.open("#board=programs")
    page.wait_for_badge("Fresh")


def _absent(page: Dashboard, site: Site) -> None:
    site.answers[f"program={'p' * 128}"] = Answer(board([entry(1, "ada", 1)], name="program#p"))
    page.open(f"#program={'p' * 128}&search={'q' * 128}")
    page.wait_for_badge("Fresh")


STATES = (_fresh, _stale, _failed, _broken, _waiting, _locked, _programs, _absent)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("reach", STATES)
def test_all_text_keeps_its_contrast(
    page: Dashboard, site: Site, reach: Callable[[Dashboard, Site], None], scheme: str
) -> None:
    page.emulate(prefers_color_scheme=scheme)
    reach(page, site)
    checked, faint = page.script(_FAINT_TEXT)
    assert checked >= 6
    assert faint == []
    assert page.script(_FAINT_EDGES) == []


@pytest.mark.parametrize("reach", STATES)
def test_a_phone_never_scrolls_sideways(
    page: Dashboard, site: Site, reach: Callable[[Dashboard, Site], None]
) -> None:
    page.resize(360)
    reach(page, site)
    width, content_width, too_wide = page.script(_TOO_WIDE)
    assert (width, content_width, too_wide) == (360, 360, [])


def test_dark_and_light_are_different_and_follow_the_system(page: Dashboard) -> None:
    ground = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    page.emulate(prefers_color_scheme="light")
    page.open()
    page.wait_for_badge("Fresh")
    assert min(page.script(ground)) > 200
    page.emulate(prefers_color_scheme="dark")
    assert max(page.script(ground)) < 60
    assert page.script("return getComputedStyle(document.querySelector('input')).colorScheme") == "light dark"


def test_the_keyboard_reaches_everything_in_reading_order(page: Dashboard) -> None:
    page.open("#board=programs")
    page.wait_for_names("mentoring", "first aid")
    order = page.tab_order(7)
    assert order == ["skip", "to-global", "to-programs", "program", "search", "mentoring", "first aid"]


def test_the_focus_can_be_seen(page: Dashboard) -> None:
    page.open()
    page.wait_for_badge("Fresh")
    outline = (
        "const s = getComputedStyle(document.activeElement); return `${s.outlineStyle} ${s.outlineWidth}`"
    )
    for _ in range(5):
        page.press(Keys.TAB)
        assert page.script(outline) == "solid 3px", page.focused()


def test_the_skip_link_shows_on_focus_and_leads_to_the_board(page: Dashboard) -> None:
    page.open("#program=mentoring")
    page.wait_for_badge("Fresh")
    page.press(Keys.TAB)
    assert page.script("return getComputedStyle(document.activeElement).clipPath") == "none"
    page.press(Keys.ENTER)
    assert page.focused() == "main"
    assert page.browser.current_url.endswith("#program=mentoring")


def test_landmarks_and_names_for_a_screen_reader(page: Dashboard) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    assert page.find("table").aria_role == "table"
    assert page.find("table").accessible_name == "Top 3 employees by points"
    assert page.find("search-form").aria_role == "search"
    assert page.find("search").accessible_name == "Search this board"
    assert page.find("program").accessible_name == "Board of one program"
    assert page.find("main").aria_role == "main"
    assert page.find("board").accessible_name == "Everyone"
    navigation = page.browser.find_element(By.TAG_NAME, "nav")
    assert (navigation.aria_role, navigation.accessible_name) == ("navigation", "Boards")
    assert page.browser.find_element(By.TAG_NAME, "header").aria_role == "banner"
    heads = page.browser.find_elements(By.CSS_SELECTOR, "thead th")
    assert [head.aria_role for head in heads] == ["columnheader"] * 5
    cells = page.browser.find_elements(By.CSS_SELECTOR, "#rows tr:first-child > *")
    assert [cell.aria_role for cell in cells] == ["cell", "cell", "rowheader", "cell", "cell"]


def test_freshness_is_announced_politely(page: Dashboard) -> None:
    page.open()
    page.wait_for_badge("Fresh")
    assert page.find("announcer").aria_role == "status"
    assert page.heard("announcer") == "Everyone: Fresh."


def test_each_state_has_its_own_shape_besides_its_colour(page: Dashboard, site: Site) -> None:
    shape = """
        return [...document.querySelectorAll('#badge svg *')]
          .filter(node => node.checkVisibility()).map(node => node.classList[0]);
    """
    for reach, name in ((_fresh, "fresh"), (_stale, "stale"), (_broken, "failed"), (_waiting, "waiting")):
        reach(page, site)
        assert page.script(shape) == [f"for-{name}"]


def test_rows_glide_only_for_those_who_want_motion(page: Dashboard, site: Site) -> None:
    for motion, glides in (("reduce", False), ("no-preference", True)):
        site.answers[""] = Answer(board([entry(1, "ada", 900, 1), entry(2, "grace", 800, 2)]))
        page.emulate(prefers_reduced_motion=motion)
        page.open()
        page.wait_for_names("ada", "grace")
        page.script("""
            window.glided = false;
            const animate = Element.prototype.animate;
            Element.prototype.animate = function (...all) {
              window.glided = true;
              return animate.apply(this, all);
            };
        """)
        site.answers[""] = Answer(board([entry(1, "grace", 950, 2), entry(2, "ada", 900, 1)]))
        page.wait_for_names("grace", "ada")
        assert page.script("return window.glided") is glides


def test_forced_colours_keep_the_outlines(page: Dashboard) -> None:
    page.emulate(forced_colors="active")
    page.open()
    page.wait_for_badge("Fresh")
    assert page.find("badge").value_of_css_property("border-style") == "solid"
    assert page.find("to-global").value_of_css_property("outline-style") == "solid"


def test_paper_gets_the_board_without_the_controls(page: Dashboard) -> None:
    page.open()
    page.wait_for_names("ada", "grace", "linus")
    page.chromium("Emulation.setEmulatedMedia", media="print", features=[])
    assert not page.shows("search-form")
    assert page.shows("table")
    assert page.shows("badge")
