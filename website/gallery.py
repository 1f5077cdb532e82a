"""The front page: results, each with the command that made it."""

from __future__ import annotations

import html
import tomllib
from pathlib import Path
from typing import Any

from PIL import Image

from website.pages import ROOT, Site, url

ITEMS: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "gallery.toml").read_text(encoding="utf-8"))[
    "item"
]
BEFORE = """\
---
hide: [navigation, toc, path]
---

# Sparring

**Sparring trains, evaluates, explores and deploys generative adversarial networks (GANs) for any kind of data**, on a
laptop's CPU or on GPUs: on the command line, in Python, and on a [web page](studio.md). You bring files as they are:
images, tables, time series, sounds, music, films, texts, molecules.

```
sparring train photos/ --time 10m --out runs/photos
sparring sample runs/photos -n 64 -o sheet.png
```

[Install](installing.md){ .md-button .md-button--primary }
[Tour](tour.md){ .md-button }
[Book](book/index.md){ .md-button }

## Gallery
"""


def add_gallery(site: Site) -> None:
    """Write the front page."""
    cards = "\n".join(map(card, ITEMS))
    site.write("index.md", f'{BEFORE}\n<div class="gallery" markdown="1">\n\n{cards}\n</div>\n')


def card(item: dict[str, Any]) -> str:
    """A result in Markdown: its picture, a player if it has a sound, and the commands."""
    with Image.open(ROOT / "docs" / item["picture"]) as image:
        width, height = image.size
    shown = (
        f'<a href="{url(item["page"])}"><img src="{item["picture"]}" alt="{html.escape(item["alt"])}" '
        f'width="{width}" height="{height}" loading="lazy"></a>'
    )
    if "sound" in item:
        title = html.escape(item["title"])
        shown += f'\n\n<audio controls preload="none" src="{item["sound"]}" aria-label="{title}"></audio>'
    kind = "gallery-card gallery-film" if item.get("film") else "gallery-card"
    commands = "\n".join(item["commands"])
    return (
        f'<section class="{kind}" markdown="1">\n\n{shown}\n\n### {item["title"]}\n\n'
        f"```\n{commands}\n```\n\n[How it was made]({item['page']})\n\n</section>\n"
    )
