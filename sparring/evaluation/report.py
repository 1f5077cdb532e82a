"""An evaluation on the screen, in a run's folder and on its card."""

from __future__ import annotations

import io
import re
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from sparring.files import write_bytes, write_json
from sparring.metrics.results import Evaluation
from sparring.runs.folder import RunFolder

HEADING = "## Judged"
BEST = {"low": "↓", "high": "↑", "real": "≈"}
LEGEND = "↓ lower is better, ↑ higher is better, ≈ as real is best"


def table(evaluation: Evaluation) -> Table:
    """For the screen."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    first, *others = evaluation.head
    shown.add_column(first, no_wrap=True)
    for name in others:
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("")
    for cells in _cells(evaluation):
        shown.add_row(*map(escape, cells))
    return shown


def markdown(evaluation: Evaluation) -> list[str]:
    """For the card, lines of a table."""
    rows = ["| " + " | ".join(cells) + " |" for cells in _cells(evaluation)]
    numbers = "---:|" * (len(evaluation.head) - 1)
    return [f"| {' | '.join(evaluation.head)} | |", f"|---|{numbers}---|", *rows]


def _cells(evaluation: Evaluation) -> list[list[str]]:
    return [
        [number.name, *("-" if value is None else str(value) for value in (number, *others)), BEST[number.best]]
        for number, others in evaluation.rows()
    ]


def record(run: Path, evaluation: Evaluation) -> None:
    """Write an evaluation to a run's folder: as JSON, with its picture where it has one, and as a part of its card in
    place of an older one.
    """
    folder = RunFolder(run)
    write_json(folder.evaluation, evaluation.content())
    shown: list[str] = []
    if evaluation.picture is not None:
        content = io.BytesIO()
        evaluation.picture.save(content, "PNG")
        write_bytes(folder.picture, content.getvalue())
        shown = [f"![samples beside real data]({folder.picture.name})", ""]
    if not folder.card.is_file():  # a model's folder, that was saved elsewhere
        return
    found = [f"- {finding}" for finding in evaluation.findings] or ["- nothing stands out as wrong"]
    part = "\n".join(
        [HEADING, "", *markdown(evaluation), "", *shown, *found, "", f"{LEGEND}. {evaluation.protocol}.", ""]
    )
    older = re.sub(rf"\n*^{HEADING}\n.*?(?=^## |\Z)", "", folder.card.read_text(), flags=re.MULTILINE | re.DOTALL)
    write_bytes(folder.card, f"{older.rstrip()}\n\n{part}".encode())
