"""An evaluation on the screen, in a run's folder and on its model card."""

from __future__ import annotations

import io
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from sparring.files import write_bytes, write_json
from sparring.metrics.results import Evaluation
from sparring.runs.folder import RunFolder

HEADING = "## Evaluation"
OLD_HEADING = "## Judged"  # in cards of older versions
LEGEND = "↓ lower is better, ↑ higher is better, ≈ the value of real data is best"


def table(evaluation: Evaluation) -> Table:
    """The metrics as a table for the screen."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    first, *others = evaluation.head
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for cells in evaluation.cells():
        table.add_row(*map(escape, cells))
    return table


def markdown(evaluation: Evaluation) -> list[str]:
    """The metrics as the lines of a table in Markdown."""
    rows = ["| " + " | ".join(cells) + " |" for cells in evaluation.cells()]
    alignment = "---:|" * (len(evaluation.head) - 1)
    return [f"| {' | '.join(evaluation.head)} | |", f"|---|{alignment}---|", *rows]


def finding_lines(evaluation: Evaluation) -> list[str]:
    """The findings as a list, one line each."""
    return [f"- {finding}" for finding in evaluation.findings] or ["- no problems found"]


def record(run: Path, evaluation: Evaluation) -> None:
    """Write an evaluation to a run's folder: as JSON, its picture if it has one, and a section of the model card that
    replaces an older one.
    """
    folder = RunFolder(run)
    write_json(folder.evaluation, evaluation.content())
    picture: list[str] = []
    if evaluation.picture is not None:
        content = io.BytesIO()
        evaluation.picture.save(content, "PNG")
        write_bytes(folder.picture, content.getvalue())
        picture = [f"![samples next to real data]({folder.picture.name})", ""]
    lines = [*markdown(evaluation), "", *picture, *finding_lines(evaluation), "", f"{LEGEND}. {evaluation.protocol}."]
    folder.write_section(HEADING, lines, older=[OLD_HEADING])
