"""Writes results of benchmarks into pages of the docs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def put(page: Path, script: str, lines: Sequence[str]) -> None:
    """Write lines between a page's two marks, `<!-- benchmarks/SCRIPT.py -->` and `<!-- end -->`."""
    begin, end = f"<!-- benchmarks/{Path(script).name} -->", "<!-- end -->"
    before, rest = page.read_text().split(begin)
    after = rest.split(end, 1)[1]
    page.write_text(f"{before}{begin}\n\n" + "\n".join(lines) + f"\n\n{end}{after}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown; all columns but the first are numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]
