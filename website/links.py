"""Dead links of a built site: to pages, anchors, pictures, styles and scripts, over the languages of the site."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit


class _Page(HTMLParser):
    """The links and the anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = {""}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors |= {value for value in (values.get("id"), values.get("name")) if value}
        if tag != "link" or values.get("rel") not in ("canonical", "alternate", "prev", "next"):
            self.links += [value for value in (values.get("href"), values.get("src")) if value]


def dead(built: Path) -> list[str]:
    """Links of a built site that lead nowhere, as "page -> link". Links to other machines are not followed."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(built.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        here = path.relative_to(built).as_posix()
        if path.name == "404.html":  # shown at any address, so its links begin with that of the site
            continue
        for link in page.links:
            parts = urlsplit(urljoin(f"http://site/{here}", link))
            if parts.netloc != "site":
                continue
            target = built / unquote(parts.path).lstrip("/")
            target = target / "index.html" if target.is_dir() else target
            anchors = pages[target].anchors if target in pages else {unquote(parts.fragment)}
            if not target.is_file() or unquote(parts.fragment) not in anchors:
                found.append(f"{here} -> {link}")
    return found
