"""A report's page in a browser: opened from a file, looked at, and held to what all reports promise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

HACKED = (
    "return 'hacked' in window || document.querySelectorAll('main script, main img, [onload]').length > 0"
)
HOSTILE = (
    "<script>window.hacked = true</script>",
    "</script><script>window.hacked = true</script>",
    "<!--<script>",
    "]]>",
    "<img src=x onerror='window.hacked = true'>",
    '"><svg onload=window.hacked=true>',
    "$policy ${data} $$",
    "&lt;b&gt;&amp;",
    "\u2028\u2029",
    "__proto__",
    "constructor",
    "=HYPERLINK(1)",
    "🦊 fox 👩‍👩‍👧‍👧",
    "שלום (1) abc",
    "x" * 128,
)
CONTRAST = """
const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
function ground(node) {
  for (; node; node = node.parentElement) {
    const color = numbers(getComputedStyle(node).backgroundColor);
    if (color.length === 3 || color[3] === 1) return color;
  }
  return [255, 255, 255];
}
const weak = [];
const texts = 'p, td, th, dt, dd, li, label, button, span, time, text, legend';
for (const node of document.querySelectorAll(texts)) {
  if (!node.textContent.trim() || !node.getClientRects().length || node.disabled) continue;
  const style = getComputedStyle(node);
  const color = node instanceof SVGElement ? style.fill : style.color;
  const shades = [light(numbers(color)), light(ground(node))];
  const ratio = (Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05);
  if (ratio < 4.5) weak.push(`${node.tagName} ${node.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
}
return weak;
"""


class ReportPage:
    """A page in a browser."""

    def __init__(self, browser: Chrome, path: Path) -> None:
        self.browser = browser
        self.path = path

    def show(self, page: str) -> None:
        self.path.write_text(page, encoding="utf-8")
        self.browser.get(self.path.as_uri())

    def script(self, text: str, *arguments: object) -> Any:
        return self.browser.execute_script(text, *arguments)

    def text(self, name: str) -> str:
        return " ".join(self.browser.find_element("id", name).text.split())

    def search(self, text: str) -> None:
        field = self.browser.find_element("id", "search")
        field.send_keys(Keys.CONTROL, "a", Keys.DELETE)
        field.send_keys(text)

    def choose(self, name: str, value: str) -> None:
        Select(self.browser.find_element("id", name)).select_by_value(value)

    def emulate(self, width: int, scheme: str) -> None:
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})

    def complaints(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.browser.get_log("browser")  # type: ignore[no-untyped-call]
        return found


Page = TypeVar("Page", bound=ReportPage)


def opened(page: Page) -> Iterator[Page]:
    """Give a page that is not opened yet; afterwards, fail on any script error or policy violation."""
    browser = page.browser
    page.complaints()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    yield page
    complaints = page.complaints()
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get("about:blank")
    assert complaints == []
