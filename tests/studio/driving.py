"""Helpers of the browser tests: start the studio by its command, and use its page as people do.

No helper waits for a fixed time. Each waits for a state of the page that the studio sets when it is done.
"""

import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to open the page with"),
]
FAILED = "Failed to load resource: {}"
EXPECTED = (
    *("the server responded with a status of " + status  # answers to wrong passwords
      for status in ("400 (Bad Request)", "401 (Unauthorized)", "422 (Unprocessable Entity)")),
    "net::ERR_CONNECTION_REFUSED",  # a page asks a studio that has ended
)  # fmt: skip
WAIT = 180_000  # milliseconds until a state must be reached, on a machine that is busy
ENDING = 180  # seconds in which the studio must end: the models of its trainings are written
READY = {"Runs": "#run-about", "Sample": "#sample-run", "Edit": "#edit-run", "Your file": "#file-run"}  # see `ready`


@dataclass
class Served:
    """A running studio."""

    process: subprocess.Popen
    url: str
    runs: Path

    def end(self) -> tuple[int, str]:
        """Press Ctrl-C. Returns the exit status and what was printed."""
        self.process.send_signal(signal.SIGINT)
        printed, _ = self.process.communicate(timeout=ENDING)
        return self.process.returncode, printed


def serve(runs, *words):
    """A studio for a folder of runs, started on the command line."""
    pytest.importorskip("gradio", reason="the studio needs gradio")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "sparring", "studio", str(runs), f"--port={port}", "--device=cpu", *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=runs.parent,
    )  # fmt: skip
    line = process.stdout.readline()
    url = f"http://127.0.0.1:{port}"
    assert f"the studio is at {url}" in line, line + process.stdout.read()
    return Served(process, url, runs)


def choose(page, name, tab):
    """Select a run by its card, then open a tab."""
    select(page, name)
    open_tab(page, tab)
    ready(page, name, tab)


def select(page, name):
    """Select a run by its card."""
    open_tab(page, "Runs")
    page.click(f'button.card[data-run="{name}"]')
    page.wait_for_selector(f'button.card.selected[data-run="{name}"]')


def open_tab(page, name):
    """Open a tab, which may be in the menu of those that do not fit."""
    tab = page.locator(f'[role=tab]:text-is("{name}"), .overflow-dropdown button:text-is("{name}")').first
    tab.wait_for(state="attached")
    if not tab.is_visible():
        page.click(".overflow-menu > button")
    tab.click()
    page.wait_for_selector(f'[role=tab][aria-selected=true]:text-is("{name}")', state="attached")


def ready(page, name, tab):
    """Wait until a tab fits a run: until then, what is entered would be reset."""
    if tab in READY:
        page.wait_for_selector(f'{READY[tab]} [data-run="{name}"]')
    if tab == "Edit":
        text(page, "#edited", f"{name}, ")


def text(page, at, part):
    """The text of an element once it has a part."""
    element = page.locator(at).filter(has_text=part)
    element.wait_for()
    return element.inner_text()


def number(page, at, pattern, other_than=None):
    """The number that a pattern (with one group) finds in the text of an element, once it finds another one."""
    found = page.wait_for_function(
        """([at, pattern, before]) => {
          const found = new RegExp(pattern).exec(document.querySelector(at)?.innerText);
          const value = found && +found[1].replaceAll(',', '');
          return found && value !== before && {value};
        }""",
        arg=[at, pattern, other_than],
    )
    return found.json_value()["value"]


def pick(page, at, *options):
    """Choose options of a dropdown."""
    box = page.locator(at)
    for option in options:
        box.locator("input").click()
        box.locator("input").fill(option)
        page.click(f'[role=option][aria-label="{option}"]')
        page.wait_for_function(
            """([at, option]) => document.querySelector(`${at} input`).value === option ||
                [...document.querySelectorAll(`${at} .token`)].some(token => token.innerText.includes(option))""",
            arg=[at, option],
        )
    page.keyboard.press("Escape")


def image(page, at, other_than=None):
    """The address of the image that an element shows, once it is another one and loaded."""
    page.wait_for_function(
        """([at, before]) => {
          const image = document.querySelector(`${at} img`);
          image?.scrollIntoView({block: 'center'});  // images outside of the window may not be loaded
          return image && image.src && image.src !== before && image.complete && image.naturalWidth;
        }""",
        arg=[at, other_than],
    )
    return page.locator(f"{at} img").first.evaluate("image => image.src")


def content(page, address):
    """The bytes at an address of the page."""
    return page.request.get(address).body()


def download(page, at):
    """The name and the content of a file behind a button."""
    with page.expect_download() as waiting:
        page.click(at)
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def listed(page, at, name, other_than=None):
    """The content of a file in a list of files, once it is there, and at another address than before."""
    return content(page, address_of(page, at, name, other_than))


def address_of(page, at, name, other_than=None):
    """The address of a file in a list of files, once it is there and another one."""
    link = f'{at} tr:has(td[aria-label="{name}"]) a[download]'
    page.wait_for_function(
        "([link, before]) => (document.querySelector(link)?.href ?? before) !== before", arg=[link, other_than]
    )
    return page.locator(link).evaluate("link => link.href")


def error(page, message):
    """Wait for an error message, and close it."""
    toast = page.locator('[data-testid="toast-body"]').filter(has_text=message)
    toast.wait_for()
    toast.get_by_test_id("toast-close").click()
    toast.wait_for(state="detached")
