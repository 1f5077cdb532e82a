"""Files about data, such as README.md, which are no part of them beside Parquet."""

from __future__ import annotations

from pathlib import Path

from sparring.data.sources import is_visible

ABOUT = (".md", ".txt", ".json")  # suffixes
MAX_LISTED = 3  # files that are listed by name


def lone(path: Path, suffix: str) -> list[Path]:
    """The only visible file in a folder, apart from those about the data, if it has this suffix; otherwise none."""
    visible = [p for p in path.iterdir() if not p.name.startswith((".", "_"))]
    files = [p for p in visible if p.suffix.lower() not in ABOUT]
    return files if len(files) == 1 and files[0].suffix.lower() == suffix and files[0].is_file() else []


def passed_over(path: Path) -> list[str]:
    """A note about the files in a folder that are about the data, if there are some."""
    names = [p.name for p in sorted(path.iterdir()) if p.suffix.lower() in ABOUT and is_visible(p.name)]
    more = ", ..." if len(names) > MAX_LISTED else ""
    return [f"passed over: {', '.join(names[:MAX_LISTED])}{more}"] if names else []
