"""How tests use the page of a studio: the real command, and what people press."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to open the page with"),
]
REFUSED = "Failed to load resource: the server responded with a status of {}"
WRONG = ("400 (Bad Request)", "401 (Unauthorized)", "422 (Unprocessable Entity)")  # passwords
WAIT = 60_000  # milliseconds until something has to be there, on a machine that does other things too


@dataclass
class Served:
    """A studio that runs."""

    process: subprocess.Popen
    url: str
    runs: Path

    def ended(self) -> tuple[int, str]:
        """Ctrl-C: the exit status, and what it has said."""
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=60)
        return self.process.returncode, said


def serve(runs, *words):
    """A studio over a folder of runs, started as it is typed."""
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
    """A run by its card, then a tab."""
    open_tab(page, "Runs")
    page.click(f'button.card[data-run="{name}"]')
    page.wait_for_selector(f'button.card.chosen[data-run="{name}"]')
    open_tab(page, tab)


def open_tab(page, name):
    page.click(f'[role=tab]:text-is("{name}")')


def enter(field, value):
    """A value into a field, once more where the page had not yet drawn it all: it then puts back what was there."""
    until = time.monotonic() + WAIT / 1000
    while time.monotonic() < until:
        field.fill(value)
        field.page.wait_for_timeout(200)
        if field.input_value() == value:
            return
    raise AssertionError(f"{field} keeps {field.input_value()!r} when {value!r} is typed")


def pick(page, at, *options):
    """Options of a dropdown."""
    for option in options:
        page.click(f"{at} input")
        page.fill(f"{at} input", option)
        page.click(f'[role=option][aria-label="{option}"]')
    page.keyboard.press("Escape")


def picture(page, at, unlike=b""):
    """The bytes of the picture that is shown, once it is another."""
    page.wait_for_selector(f"{at} img")
    until = time.monotonic() + WAIT / 1000
    while time.monotonic() < until:
        source = page.locator(f"{at} img").first.get_attribute("src")
        found = page.request.get(source).body()
        if found != unlike:
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"{at} still shows the same picture")


def settled(page, at):
    """The picture that is shown, once it stays: after a choice that of the run before may still be there."""
    found = picture(page, at)
    for _ in range(20):
        page.wait_for_timeout(1000)
        before, found = found, picture(page, at)
        if found == before:
            return found
    raise AssertionError(f"{at} shows one picture after the other")


def download(page, at):
    """The name and the content of a file."""
    with page.expect_download() as waiting:
        page.click(at)
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def said(page, text):
    """An error's line, as a message that goes away."""
    page.wait_for_selector(f'[data-testid="toast-body"]:has-text("{text}")')
