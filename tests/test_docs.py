"""What the README and the docs show is what their commands do."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from rich.console import Console

import sparring
from sparring.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    lines = [line.removeprefix("$ ") for block in blocks("") for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("sparring ")]


def brief(words: list[str]) -> list[str]:
    """A command with two steps for the bound of what it trains."""
    if words[1] == "bench":
        return [*words, "--steps", "2", "--seeds", "1"]
    if words[1] != "train":
        return words
    for bound in ("--time", "--steps"):
        if bound in words:
            del words[words.index(bound) : words.index(bound) + 2]
    return [*words, "--steps", "2"]


def test_readme_commands(tmp_path, monkeypatch, pictures):
    assert len(commands()) >= 8
    shutil.copytree(pictures(3), tmp_path / "photos")
    monkeypatch.chdir(tmp_path)
    for words in commands():
        monkeypatch.setattr(sys, "argv", brief(words))
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code, words


def test_readme_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for block in blocks("python"):
        names: dict = {}
        exec(block.replace("steps=200", "steps=2"), names)
    assert names["digits"].shape == (100, 8, 8, 1)
    assert (tmp_path / "sevens.png").is_file()


def test_judging_python(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sparring.train("gan", "digits", steps=2, quiet=True, G=(8,), D=(8,))
    (block,) = blocks("python", (ROOT / "docs" / "judging.md").read_text())
    exec(block, {})
    assert "500 samples against" in capsys.readouterr().out


def test_readme_lists_the_recipes(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "argv", ["sparring", "recipes"])
    with pytest.raises(SystemExit):
        main()
    printed = capsys.readouterr().out
    listed = next(block for block in blocks("") if "$ sparring recipes" in block).split("\n", 1)[1]
    assert [line.rstrip() for line in listed.splitlines()] == [line.rstrip() for line in printed.splitlines()]
    assert Console().width == 100


@pytest.mark.parametrize(
    "page", ["pictures", "step", "bench/ring", "bench/grid", "bench/stacked-mnist", "bench/mnist-10m"]
)
def test_readme_repeats_the_measured_tables(page):
    """No figure is typed by hand: a table in the README is the one that a benchmark wrote."""
    rows = [line for line in (ROOT / "docs" / f"{page}.md").read_text().splitlines() if line.startswith("|")]
    assert "\n".join(rows) in README


def test_links_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} -> {target}"
