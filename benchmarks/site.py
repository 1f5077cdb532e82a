"""Screenshots of the documentation site, on a screen and on a phone.

    python benchmarks/site.py SITE --out FOLDER

SITE is what `make docs` has built. Each page is written as NAME-wide.png and NAME-phone.png; some are dark.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright

SIZES = {"wide": (1280, 900), "phone": (390, 844)}
PAGES = {
    "gallery": ("", "light"),
    "gallery-dark": ("", "dark"),
    "tour": ("tour/", "light"),
    "tables": ("tables/", "light"),
    "train": ("commands/train/", "light"),
    "recipe": ("recipes/gan/", "dark"),
    "python": ("api/", "light"),
    "book": ("book/1-the-game/", "light"),
    "chinese": ("zh/", "light"),
    "chinese-book": ("zh/book/1-the-game/", "dark"),
    "notebooks": ("notebooks/", "light"),
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(site: Path) -> Iterator[str]:
    """A server of the files of a site, on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("site", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(PAGES), choices=list(PAGES))
    parser.add_argument("--whole", action="store_true", help="the whole page, not only what a screen shows")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with served(arguments.site) as url, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in arguments.only:
            for size, (width, height) in SIZES.items():
                address, scheme = PAGES[name]
                page = browser.new_page(
                    viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
                )
                page.goto(url + address)
                page.wait_for_load_state("networkidle")
                path = arguments.out / f"{name}-{size}.png"
                page.screenshot(path=path, full_page=arguments.whole)
                print(path)
                page.close()
        browser.close()


if __name__ == "__main__":
    main()
