"""The notebooks as pages of the site."""

from __future__ import annotations

import json
from pathlib import Path

from website.pages import ROOT, Site, address


def add_notebooks(site: Site) -> list[str]:
    """A page for each notebook, and one that lists them. Returns their addresses."""
    folder = ROOT / "notebooks"
    site.add("notebooks/README.md")
    pages = ["notebooks/index.md"]
    for path in sorted(folder.glob("*.ipynb")):
        name = path.relative_to(ROOT).as_posix()
        page = address(name)
        assert page is not None
        site.write(page, site.adapted(_markdown(path), name, page) + f"\n[Download this notebook]({path.name})\n")
        site.copy(name, f"notebooks/{path.name}")
        pages.append(page)
    return pages


def _markdown(path: Path) -> str:
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
    return "\n\n".join(parts) + "\n"
