"""Screenshots of the studio for its page.

    python benchmarks/studio.py RUNS --picture PICTURE [--docs docs]

RUNS is a folder of runs, which are copied to a temporary one since a training is added: mnist and dcgan (pictures),
classes (pictures with labels), adult (a table), larger (pictures made four times as large), and for company whatever
else is there. PICTURE, a small one, is given to larger. Each shot of Chromium is written to the docs as a PNG of at
most 300 kB.
"""

from __future__ import annotations

import argparse
import io
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

LARGEST = 300_000  # bytes of a screenshot
WIDE, PHONE = (1280, 900), (390, 844)
WAIT = 120_000  # milliseconds


@contextmanager
def served(runs: Path) -> Iterator[str]:
    """A studio over a copy of runs."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as free:
        shutil.copytree(runs, Path(folder) / "runs", ignore=shutil.ignore_patterns("checkpoints"))
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        words = [sys.executable, "-m", "sparring", "studio", "runs", f"--port={port}"]
        process = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None  # since it is asked for above
            print(process.stdout.readline().strip())
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def opened(browser: Browser, url: str, size: tuple[int, int], scheme: str) -> Page:
    page = browser.new_page(
        viewport={"width": size[0], "height": size[1]}, color_scheme="dark" if scheme == "dark" else "light"
    )
    page.set_default_timeout(WAIT)
    page.goto(url)
    page.wait_for_selector("button.card")
    return page


def choose(page: Page, run: str, tab: str) -> None:
    page.click(f'button.card[data-run="{run}"]')
    page.wait_for_selector(f'button.card.chosen[data-run="{run}"]')
    page.click(f'[role=tab]:text-is("{tab}")')
    page.wait_for_timeout(4000)


def pick(page: Page, at: str, *options: str) -> None:
    for option in options:
        page.click(f"{at} input")
        page.fill(f"{at} input", option)
        page.click(f'[role=option][aria-label="{option}"]')
    page.keyboard.press("Escape")


def looked_through(page: Page, _: Path) -> None:
    page.click('button.card[data-run="mnist"]')
    page.wait_for_selector("#run-sheet img")
    page.wait_for_selector("#run-facts figure")
    page.wait_for_selector('[role=tab]:text-is("Sample")')
    page.wait_for_timeout(1500)


def trained(page: Page, _: Path) -> None:
    page.click('[role=tab]:text-is("Train")')
    page.click("#look")
    page.wait_for_selector("#about-data li")
    pick(page, "#recipe", "gan")
    page.locator("#name").get_by_role("textbox").fill("digits")
    page.locator("#time").get_by_role("textbox").fill("1m")
    page.click("#start")
    page.wait_for_selector("#train-state:has-text('digits')")
    page.wait_for_selector("#train-sheet img")
    page.wait_for_timeout(25_000)


def sampled(page: Page, _: Path) -> None:
    choose(page, "classes", "Sample")
    page.click("#sample")
    page.wait_for_selector("#samples-npz")
    for place, end in ((2, "A"), (13, "B")):
        page.locator("#gallery button:has(img)").nth(place).click()
        page.wait_for_timeout(1000)
        page.click(f"#keep-{end}")
        page.wait_for_selector(f"#kept-{end} img")
    page.click("#way")
    page.wait_for_selector("#way-sheet img")


def edited(page: Page, _: Path) -> None:
    choose(page, "mnist", "Edit")
    page.wait_for_selector("#edited img")
    for number, presses in ((1, 22), (2, 12)):
        page.focus(f"#slider-{number} input[type=range]")
        for _press in range(presses):
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(2000)
        page.click("#edit-keep")
        page.wait_for_timeout(1500)


def translated(page: Page, picture: Path) -> None:
    choose(page, "larger", "Your picture")
    page.set_input_files("#upload input[type=file]", picture)
    page.wait_for_selector("#upload img")
    page.click("#picture-go")
    page.wait_for_selector("#picture-said:has-text('became')")


def asked(page: Page, _: Path) -> None:
    choose(page, "adult", "Table")
    pick(page, "#ask", "sex", "age")
    page.wait_for_selector("#ask-sex")
    pick(page, "#ask-sex", "Female")
    page.locator("#ask-age-from").get_by_role("textbox").fill("30")
    page.locator("#ask-age-to").get_by_role("textbox").fill("50")
    page.click("#table-sample")
    page.wait_for_selector("#table-plots figure")


def compared(page: Page, _: Path) -> None:
    page.click('[role=tab]:text-is("Compare")')
    pick(page, "#runs", "mnist", "dcgan")
    page.click("#compare")
    page.wait_for_selector("#compared figure:nth-of-type(2) img")


def carried(page: Page, _: Path) -> None:
    page.click('button.card[data-run="mnist"]')
    page.wait_for_selector('button.card.chosen[data-run="mnist"]')
    page.wait_for_timeout(3000)
    page.evaluate("window.scrollTo(0, 0)")
    page.click(".overflow-menu > button")
    page.click('.overflow-dropdown button:text-is("Edit")')
    page.wait_for_selector("#edited img")


SHOTS: dict[str, tuple[Callable[[Page, Path], None], tuple[int, int], str]] = {
    "runs": (looked_through, WIDE, "light"),
    "sample": (sampled, (1280, 1240), "light"),
    "edit": (edited, WIDE, "dark"),
    "picture": (translated, WIDE, "light"),
    "table": (asked, (1280, 1240), "light"),
    "compare": (compared, WIDE, "light"),
    "phone": (carried, PHONE, "light"),
    "train": (trained, (1280, 1240), "light"),
}


def written(content: bytes, path: Path) -> None:
    with Image.open(io.BytesIO(content)) as shot:
        shot.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path}: {size / 1000:.0f} kB")
    if size > LARGEST:
        raise SystemExit(f"{path} has {size:,} bytes; at most {LARGEST:,} are wanted")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--picture", type=Path, required=True, help="a small one, given to the run larger")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    parser.add_argument("--only", nargs="*", default=list(SHOTS), choices=list(SHOTS))
    asked = parser.parse_args()
    with served(asked.runs) as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in asked.only:
            act, size, scheme = SHOTS[name]
            page = opened(browser, url, size, scheme)
            act(page, asked.picture)
            page.wait_for_timeout(1500)
            page.mouse.move(0, 0)
            written(page.screenshot(), asked.docs / f"studio-{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
