"""The dashboard as a visitor has it: what is seen, what a screen reader says, and what a person can do.

Never waits for a fixed time; `eventually` asks again until the answer is yes or a deadline passes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from selenium.common.exceptions import StaleElementReferenceException, TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

    from tests.browser.scripted_site import Site

T = TypeVar("T")
DEADLINE_S: Final = 15

_ROWS: Final = """
return [...document.querySelectorAll('#rows tr')].map(row => {
  const heard = row.cloneNode(true);
  heard.querySelectorAll('[aria-hidden=true], .on-phone').forEach(node => node.remove());
  const texts = [...heard.cells].map(cell => cell.textContent.trim());
  return {rank: texts[0], move: texts[1], name: texts[2], events: texts[3], points: texts[4],
          shown_rank: row.cells[0].innerText.replace(/tied|\\s/g, ''), medal: row.dataset.medal ?? null};
});
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the board: the texts that a screen reader hears, and the rank as it is seen."""

    rank: str
    move: str
    name: str
    events: str
    points: str
    shown_rank: str
    medal: str | None


class Dashboard:
    """The page in a browser, opened from a scripted site."""

    def __init__(self, browser: Chrome, site: Site) -> None:
        self.browser = browser
        self.site = site

    def open(self, address: str = "") -> None:
        self.browser.get(self.site.url + address)

    def eventually(self, question: Callable[[], T], because: str = "") -> T:
        wait = WebDriverWait(self.browser, DEADLINE_S, 0.03, [StaleElementReferenceException])
        try:
            return wait.until(lambda _: question())
        except TimeoutException:
            screen = self.browser.find_element(By.TAG_NAME, "body").text
            raise AssertionError(f"never came true: {because}\non screen:\n{screen}") from None

    def script(self, text: str, *values: object) -> Any:
        return self.browser.execute_script(text, *values)

    def chromium(self, command: str, **parameters: object) -> None:
        self.browser.execute_cdp_cmd(command, parameters)

    def find(self, name: str) -> WebElement:
        return self.browser.find_element(By.ID, name)

    def shows(self, name: str) -> bool:
        return self.find(name).is_displayed()

    def text(self, name: str) -> str:
        """Read what is seen of an element, on one line."""
        return " ".join(self.find(name).text.split())

    def chosen(self, name: str) -> str:
        """Read what is chosen in a list, at one moment: the page may replace its options."""
        return str(self.script("return document.getElementById(arguments[0]).selectedOptions[0].text", name))

    def heard(self, name: str) -> str:
        return str(self.find(name).get_attribute("textContent"))

    def rows(self) -> list[Row]:
        return [Row(**row) for row in self.script(_ROWS)]

    def names(self) -> list[str]:
        return [row.name for row in self.rows()]

    def wait_for_names(self, *names: str) -> None:
        self.eventually(lambda: self.names() == list(names), f"the board shows {names}, not {self.names()}")

    def wait_for_badge(self, text: str) -> None:
        self.eventually(lambda: self.text("badge").startswith(text), f"the badge says {text}")

    def wait_for_notice(self, text: str) -> str:
        self.eventually(lambda: text in self.text("notice"), f"the notice says {text}")
        return self.text("notice")

    def search_for(self, text: str) -> None:
        self.find("search").clear()
        self.find("search").send_keys(text)

    def press(self, *keys: str) -> None:
        self.browser.switch_to.active_element.send_keys(*keys)

    def focused(self) -> str:
        """Tell what has the focus: its id, or else its text."""
        element = self.browser.switch_to.active_element
        return element.get_attribute("id") or element.text

    def tab_order(self, count: int) -> list[str]:
        order = []
        for _ in range(count):
            self.press(Keys.TAB)
            order.append(self.focused())
        return order

    def emulate(self, **features: str) -> None:
        """Emulate media features, such as prefers_color_scheme="dark"; without motion unless asked for."""
        wanted = {"prefers-reduced-motion": "reduce"} | {k.replace("_", "-"): v for k, v in features.items()}
        media = [{"name": name, "value": value} for name, value in wanted.items()]
        self.chromium("Emulation.setEmulatedMedia", media="", features=media)

    def resize(self, width: int, height: int = 740) -> None:
        size: Mapping[str, object] = {"width": width, "height": height}
        self.chromium("Emulation.setDeviceMetricsOverride", **size, deviceScaleFactor=1, mobile=width < 600)

    def complaints(self) -> list[str]:
        """Read what the console got since the last call, without the failed requests, which are scripted."""
        log = self.browser.get_log("browser")  # type: ignore[no-untyped-call]
        return [json.dumps(line) for line in log if "Failed to load resource" not in line["message"]]
