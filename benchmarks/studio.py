"""Screenshots of the studio for its page.

    python benchmarks/studio.py RUNS --image IMAGE [--docs docs]

RUNS is a folder of runs, which is copied since a training is added: mnist and dcgan (images), classes (images with
labels), adult (a table), larger (images enlarged four times), and any others. IMAGE, a small one, is given to larger.
Each screenshot of Chromium is written to the docs as a PNG of at most 300 kB.
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

MAX_BYTES = 300_000  # of a screenshot
WIDE, TALL, PHONE = (1280, 900), (1280, 1240), (390, 844)
WAIT = 120_000  # milliseconds until a state must be reached
READY = {"Sample": "#sample-run", "Edit": "#edit-run", "Your file": "#file-run"}  # show which run a tab fits
TRAINED = "text=/in 0:(2[5-9]|[3-5][0-9])/"  # progress at which the training is shown: after 25 seconds


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
            assert process.stdout is not None  # it is a pipe
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
    page.wait_for_selector("button.card.selected")
    return page


def choose(page: Page, run: str, tab: str) -> None:
    """Select a run, open a tab, and wait until it fits the run."""
    select(page, run)
    open_tab(page, tab)
    page.wait_for_selector(f'{READY[tab]} [data-run="{run}"]')


def select(page: Page, run: str) -> None:
    page.click(f'button.card[data-run="{run}"]')
    page.wait_for_selector(f'button.card.selected[data-run="{run}"]')


def open_tab(page: Page, name: str) -> None:
    """Open a tab, which may be in the menu of those that do not fit."""
    tab = page.locator(f'[role=tab]:text-is("{name}"), .overflow-dropdown button:text-is("{name}")').first
    tab.wait_for(state="attached")
    if not tab.is_visible():
        page.click(".overflow-menu > button")
    tab.click()


def pick(page: Page, at: str, *options: str) -> None:
    """Choose options of a dropdown."""
    for option in options:
        page.click(f"{at} input")
        page.fill(f"{at} input", option)
        page.click(f'[role=option][aria-label="{option}"]')
    page.keyboard.press("Escape")


def show_runs(page: Page, _: Path) -> None:
    select(page, "mnist")
    page.wait_for_selector('#run-about [data-run="mnist"]')
    page.wait_for_selector("#run-sheet img")


def show_training(page: Page, _: Path) -> None:
    open_tab(page, "Train")
    page.click("#inspect")
    page.wait_for_selector("#about-data li")
    pick(page, "#recipe", "gan")
    page.locator("#name").get_by_role("textbox").fill("digits")
    page.locator("#time").get_by_role("textbox").fill("1m")
    page.click("#start")
    page.wait_for_selector("#train-status:has-text('digits')")
    page.wait_for_selector("#train-sheet img")
    page.wait_for_selector(f"#train-status >> {TRAINED}")


def show_samples(page: Page, _: Path) -> None:
    choose(page, "classes", "Sample")
    page.locator("#count input").fill("32")
    page.click("#sample")
    page.wait_for_selector("#gallery img")
    for index, end in ((2, "A"), (13, "B")):
        page.locator("#gallery button:has(img)").nth(index).click()
        page.wait_for_selector(f"#selection:has-text('Sample {index + 1} is')")
        page.click(f"#keep-{end}")
        page.wait_for_selector(f"#kept-{end} img")
    page.click("#walk")
    page.wait_for_selector("#walk-sheet img")


def show_edits(page: Page, _: Path) -> None:
    choose(page, "mnist", "Edit")
    page.wait_for_selector("#edited:has-text('mnist, ')")
    for number, presses in ((1, 22), (2, 12)):
        page.focus(f"#slider-{number} input[type=range]")
        for _press in range(presses):
            page.keyboard.press("ArrowRight")
        page.wait_for_selector(f"#edited:has-text('{number} {presses * 0.05:+.2f}')")
        page.click("#edit-keep")
        page.wait_for_selector(f"#edit-kept button:nth-of-type({number}) img")


def show_transformed(page: Page, image: Path) -> None:
    choose(page, "larger", "Your file")
    page.set_input_files("#upload input[type=file]", image)
    page.wait_for_selector("#upload img")
    page.click("#file-go")
    page.wait_for_selector("#file-status:has-text('became')")


def show_rows(page: Page, _: Path) -> None:
    choose(page, "adult", "Sample")
    pick(page, "#fields", "sex", "age")
    page.wait_for_selector('#sample-run [data-fields="sex, age"]')
    pick(page, "#ask-where-sex", "Female")
    page.locator("#ask-where-age-from").get_by_role("textbox").fill("30")
    page.locator("#ask-where-age-to").get_by_role("textbox").fill("50")
    page.click("#sample")
    page.wait_for_selector("#comparison figure")


def show_comparison(page: Page, _: Path) -> None:
    open_tab(page, "Compare")
    pick(page, "#runs", "mnist", "dcgan")
    page.click("#compare")
    page.wait_for_selector("#compared figure:nth-of-type(2) img")


def show_phone(page: Page, _: Path) -> None:
    choose(page, "mnist", "Edit")
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_selector("#edited img")


SHOTS: dict[str, tuple[Callable[[Page, Path], None], tuple[int, int], str]] = {
    "runs": (show_runs, WIDE, "light"),
    "sample": (show_samples, TALL, "light"),
    "edit": (show_edits, WIDE, "dark"),
    "file": (show_transformed, WIDE, "light"),
    "table": (show_rows, TALL, "light"),
    "compare": (show_comparison, WIDE, "light"),
    "phone": (show_phone, PHONE, "light"),
    "train": (show_training, TALL, "light"),
}


def write(screenshot: bytes, path: Path) -> None:
    with Image.open(io.BytesIO(screenshot)) as shot:
        shot.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path}: {size / 1000:.0f} kB")
    if size > MAX_BYTES:
        raise SystemExit(f"{path} has {size:,} bytes; the limit is {MAX_BYTES:,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--image", type=Path, required=True, help="a small image, given to the run larger")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    parser.add_argument("--only", nargs="*", default=list(SHOTS), choices=list(SHOTS))
    arguments = parser.parse_args()
    with served(arguments.runs) as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in arguments.only:
            act, size, scheme = SHOTS[name]
            page = opened(browser, url, size, scheme)
            act(page, arguments.image)
            page.wait_for_function("[...document.images].every(image => image.complete)")
            page.mouse.move(0, 0)
            write(page.screenshot(), arguments.docs / f"studio-{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
