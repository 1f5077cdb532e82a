"""The notebooks run from top to bottom, in the time that their page promises, and show progress that is redrawn."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAX_SECONDS = 60.0  # of processor time, without that of starting Python

pytestmark = pytest.mark.slow


def executed(path, folder, monkeypatch):
    """A notebook with the outputs of its cells, run in a folder of its own."""
    nbformat = pytest.importorskip("nbformat", reason="notebooks are run by nbclient")
    nbclient = pytest.importorskip("nbclient", reason="notebooks are run by nbclient")
    programs = Path(sys.executable).parent  # `!sparring` must be that of this Python
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


def outputs(notebook):
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, tmp_path, monkeypatch):
    before = os.times()
    notebook = executed(path, tmp_path, monkeypatch)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert used < MAX_SECONDS, f"{path.name} took {used:.0f} seconds of processor time"
    shown = outputs(notebook)
    html = [output["data"]["text/html"] for output in shown if "text/html" in output.get("data", {})]
    assert not [output for output in shown if output.get("name") == "stderr"], shown
    refused = [output["text"] for output in shown if "sparring: " in output.get("text", "")]  # `!` does not raise
    assert not refused
    if "quiet=True" not in path.read_text() and "Synthesizer" not in path.read_text():
        assert any("<progress" in text for text in html)


def test_there_are_five():
    assert len(NOTEBOOKS) == 5
