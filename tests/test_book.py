"""What the book shows is what its code does: `python tests/test_book.py` draws its figures."""

import contextlib
import io
import math
import os
import re
import shlex
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as tests do; before PyTorch is imported

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "docs" / "book"
CHAPTERS = sorted(BOOK.glob("[0-9]*.md"))
TRANSLATED = sorted(BOOK.glob("zh/[0-9]*.md"))
PAGES = [*sorted(BOOK.glob("*.md")), *sorted(BOOK.glob("zh/*.md"))]
LARGEST = 100_000  # bytes of a figure
NEAR = 0.2  # how far a number that is not whole may be from the one that the book shows, by it
FENCED = re.compile(r"^```(.*)\n((?:.*\n)*?)^```$", flags=re.MULTILINE)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?%?")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, the path after it, where it begins and what it holds."""

    language: str
    path: str
    line: int
    text: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    found = []
    for match in FENCED.finditer(text):
        language, _, path = match[1].partition(" ")
        found.append(Block(language, path, text[: match.start()].count("\n") + 1, match[2]))
    return found


def prose(page: Path) -> str:
    """A page without its blocks."""
    return FENCED.sub("", page.read_text())


def run(chapter: Path, folder: Path) -> list[tuple[Block, str, str | None]]:
    """Run a chapter's blocks from top to bottom in an empty folder, on the CPU: each with what it printed, and what is
    shown of that.
    """
    import matplotlib.pyplot as plt
    import torch

    plt.switch_backend("Agg")
    names: dict = {"__name__": "book"}
    found, before = blocks(chapter), Path.cwd()
    ran: list[tuple[Block, str, str | None]] = []
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    try:
        os.chdir(folder)
        torch.set_num_threads(1)
        for i, block in enumerate(found):
            if block.language != "python" or block.path:
                continue
            printed = io.StringIO()
            # The empty lines before it make a traceback name the line of the page.
            code = compile("\n" * block.line + block.text, str(chapter), "exec")
            with contextlib.redirect_stdout(printed), patch("torch.accelerator.current_accelerator", return_value=None):
                exec(code, names)
            after = found[i + 1] if i + 1 < len(found) else None
            ran.append((block, printed.getvalue(), after.text if after and after.language == "text" else None))
    finally:
        os.chdir(before)
        torch.set_num_threads(threads)
        torch.set_rng_state(state)
        plt.close("all")
    return ran


def shown_figures(page: Path) -> list[str]:
    return re.findall(r"!\[[^\]]+\]\(([^)]+\.png)\)", prose(page))


def alike(printed: str, shown: str) -> bool:
    """Whether words and whole numbers are the same, and other numbers near: by a fifth, or by one of the last digit."""
    if NUMBER.sub("#", printed).split() != NUMBER.sub("#", shown).split():
        return False
    return all(map(_near, NUMBER.findall(printed), NUMBER.findall(shown)))


def _near(printed: str, shown: str) -> bool:
    if not any(sign in shown for sign in ".e%"):
        return printed == shown
    digits = shown.strip("%").partition("e")[0].partition(".")[2]
    last = 0.0 if "e" in shown else 10.0 ** -len(digits)
    return math.isclose(float(printed.strip("%")), float(shown.strip("%")), rel_tol=NEAR, abs_tol=1.01 * last)


def commands(page: Path) -> list[list[str]]:
    lines = [line for block in blocks(page) if not block.language for line in block.text.splitlines()]
    assert all(line.startswith("sparring ") for line in lines if line), page
    inline = re.findall(r"`(sparring [^`]+)`", prose(page))
    return [shlex.split(line) for line in [*lines, *inline] if line]


def test_it_has_chapters():
    assert len(CHAPTERS) >= 5


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_runs(chapter, tmp_path):
    for block, printed, shown in run(chapter, tmp_path):
        place = f"{chapter.name}:{block.line}"
        assert bool(printed) == (shown is not None), f"{place} prints what is not shown, or the other way round"
        assert shown is None or alike(printed, shown), f"{place} printed\n{printed}where the book shows\n{shown}"
    for name in shown_figures(chapter):
        assert (tmp_path / name).is_file(), f"no block of {chapter.name} draws {name}"


def test_output_is_told_apart():
    assert alike("the gap is 0.11 at 90%, 8 modes", "the gap is  0.10 at 80%, 8 modes")
    assert alike("0.01", "0.00")
    assert not alike("the gap is 0.2", "the gap is 0.4")
    assert not alike("7 modes", "8 modes")
    assert not alike("the step is 0.1", "the gap is 0.1")
    assert not alike("0.1 0.2", "0.1")
    assert not alike("-0.5", "0.5")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(BOOK)))
def test_figures_are_there_and_small(page):
    for name in shown_figures(page):
        assert (page.parent / name).stat().st_size <= LARGEST, name


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(BOOK)))
def test_quoted_lines_occur(page):
    for block in blocks(page):
        assert block.language in ("python", "text", ""), f"{page.name}:{block.line}"
        if block.path:
            assert block.language == "python", f"{page.name}:{block.line}"
            lines = (ROOT / block.path).read_text().splitlines()
            missing = [line for line in block.text.splitlines() if line not in lines]
            assert not missing, f"{page.name}:{block.line}: not in {block.path}: {missing}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(BOOK)))
def test_formulas_stand_beside_code(page):
    """A formula of its own is followed by the line of code that it is, or follows it."""
    text = FENCED.sub("CODE", page.read_text())
    parts = [part for part in re.split(r"\n\n+", text) if part.strip()]
    for before, part, after in zip(["", *parts], parts, [*parts[1:], ""], strict=False):
        if part.startswith("$$"):
            assert "CODE" in (before, after), f"{page.name}: {part}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(BOOK)))
def test_commands_exist(page):
    import typer

    from sparring import recipes
    from sparring.cli import app

    verbs = typer.main.get_command(app).commands
    for words in commands(page):
        assert words[1] in verbs, words
        known = {name for parameter in verbs[words[1]].params for name in parameter.opts}
        assert {word for word in words[2:] if word.startswith("-")} <= known, words
        if "--recipe" in words:
            assert words[words.index("--recipe") + 1] in recipes.names(), words


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(BOOK)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)", prose(page)):
        assert (page.parent / target).exists(), f"{page.name} -> {target}"


@pytest.mark.parametrize("page", TRANSLATED, ids=lambda path: path.stem)
def test_translation_has_the_same_code(page):
    def code(path: Path) -> list[tuple[str, str]]:
        return [(block.path, block.text) for block in blocks(path) if block.language == "python"]

    assert code(page) == code(BOOK / page.name)


def test_readme_in_chinese():
    """It types nothing that the README does not: no command, no Python and no figure of its own."""
    from sparring import recipes

    page, english = ROOT / "README.zh.md", (ROOT / "README.md").read_text()
    typed = [line.partition(" #")[0].rstrip() for b in blocks(page) if not b.language for line in b.text.splitlines()]
    inline = re.findall(r"`(sparring [^`]+)`", prose(page))
    known = english.replace("`", "\n").splitlines()
    assert not {*typed, *inline} - {line.partition(" #")[0].rstrip() for line in known}
    assert all(block.text in english for block in blocks(page) if block.language)
    assert not set(NUMBER.findall(page.read_text())) - set(NUMBER.findall(english))
    assert re.findall(r"^\| `(\w+)` \|", prose(page), flags=re.MULTILINE) == recipes.names()
    for target in re.findall(r"\]\((?!http)([^)#]+)", prose(page)):
        assert (ROOT / target).exists(), target


def draw(chapter: Path) -> None:
    """Run a chapter, print where it says something else than the book shows, and put its figures into the book."""
    with tempfile.TemporaryDirectory() as folder:
        for block, printed, shown in run(chapter, Path(folder)):
            if printed and printed != shown:
                print(f"{chapter.name}:{block.line} printed\n{printed}", end="")
        for name in shown_figures(chapter):
            shutil.copyfile(Path(folder) / name, BOOK / name)
            print(f"docs/book/{name}: {(BOOK / name).stat().st_size:,} bytes")


if __name__ == "__main__":
    for path in CHAPTERS:
        if not sys.argv[1:] or path.name[0] in sys.argv[1:]:
            draw(path)
