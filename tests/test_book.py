"""The book shows the real output of its code. `python tests/test_book.py` redraws its figures."""

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

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the other tests; must be set before PyTorch is imported

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "docs" / "book"
CHAPTERS = sorted(BOOK.glob("[0-9]*.md"))
TRANSLATED = sorted(BOOK.glob("zh/[0-9]*.md"))
PAGES = [*sorted(BOOK.glob("*.md")), *sorted(BOOK.glob("zh/*.md"))]
MAX_FIGURE_BYTES = 100_000
RELATIVE_TOLERANCE = 0.2  # allowed difference between a printed decimal number and the one in the book
FENCED = re.compile(r"^```(.*)\n((?:.*\n)*?)^```$", flags=re.MULTILINE)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?%?")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, the path after the language, its first line number and its text."""

    language: str
    path: str
    line: int
    text: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    parsed = []
    for match in FENCED.finditer(text):
        language, _, path = match[1].partition(" ")
        parsed.append(Block(language, path, text[: match.start()].count("\n") + 1, match[2]))
    return parsed


def prose(page: Path) -> str:
    """The text of a page without its fenced blocks."""
    return FENCED.sub("", page.read_text())


def run(chapter: Path, folder: Path) -> list[tuple[Block, str, str | None]]:
    """Run a chapter's blocks from top to bottom in an empty folder, on the CPU.

    Returns:
        For each block: the block, the output that it printed, and the output that the chapter shows, if any.
    """
    import matplotlib.pyplot as plt
    import torch

    plt.switch_backend("Agg")
    names: dict = {"__name__": "book"}
    parsed, before = blocks(chapter), Path.cwd()
    ran: list[tuple[Block, str, str | None]] = []
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    try:
        os.chdir(folder)
        torch.set_num_threads(1)
        for i, block in enumerate(parsed):
            if block.language != "python" or block.path:
                continue
            printed = io.StringIO()
            # The leading empty lines make line numbers in a traceback match the page.
            code = compile("\n" * block.line + block.text, str(chapter), "exec")
            with contextlib.redirect_stdout(printed), patch("torch.accelerator.current_accelerator", return_value=None):
                exec(code, names)
            after = parsed[i + 1] if i + 1 < len(parsed) else None
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
    """True if words and integers are equal, and decimals differ by at most a fifth or one unit in the last place."""
    if NUMBER.sub("#", printed).split() != NUMBER.sub("#", shown).split():
        return False
    return all(map(_close, NUMBER.findall(printed), NUMBER.findall(shown)))


def _close(printed: str, shown: str) -> bool:
    if not any(sign in shown for sign in ".e%"):
        return printed == shown
    digits = shown.strip("%").partition("e")[0].partition(".")[2]
    last = 0.0 if "e" in shown else 10.0 ** -len(digits)
    return math.isclose(
        float(printed.strip("%")), float(shown.strip("%")), rel_tol=RELATIVE_TOLERANCE, abs_tol=1.01 * last
    )


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
        assert bool(printed) == (shown is not None), f"{place}: the block and the page disagree on whether it prints"
        assert shown is None or alike(printed, shown), f"{place} printed\n{printed}where the book shows\n{shown}"
    for name in shown_figures(chapter):
        assert (tmp_path / name).is_file(), f"no block of {chapter.name} draws {name}"


def test_alike_accepts_small_differences_only():
    assert alike("the gap is 0.11 at 90%, 8 modes", "the gap is  0.10 at 80%, 8 modes")
    assert alike("0.01", "0.00")
    assert not alike("the gap is 0.2", "the gap is 0.4")
    assert not alike("7 modes", "8 modes")
    assert not alike("the step is 0.1", "the gap is 0.1")
    assert not alike("0.1 0.2", "0.1")
    assert not alike("-0.5", "0.5")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(BOOK)))
def test_figures_exist_and_are_small(page):
    for name in shown_figures(page):
        assert (page.parent / name).stat().st_size <= MAX_FIGURE_BYTES, name


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
def test_formulas_stand_next_to_code(page):
    """Each displayed formula is directly before or after the code that computes it."""
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
    from sparring.cli.asks import every_ask

    asks = {f"--{ask.name}" for ask in every_ask()}  # `sample` takes these from the modality, not as declared options
    verbs = typer.main.get_command(app).commands
    for words in commands(page):
        assert words[1] in verbs, words
        options = {name for parameter in verbs[words[1]].params for name in parameter.opts}
        options |= asks if words[1] == "sample" else set()
        assert {word for word in words[2:] if word.startswith("-")} <= options, words
        if "--recipe" in words:
            assert words[words.index("--recipe") + 1] in recipes.names(), words


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(BOOK)))
def test_link_targets_exist(page):
    for target in re.findall(r"\]\((?!http)([^)#]+)", prose(page)):
        assert (page.parent / target).exists(), f"{page.name} -> {target}"


@pytest.mark.parametrize("page", TRANSLATED, ids=lambda path: path.stem)
def test_translation_has_the_same_code(page):
    def code(path: Path) -> list[tuple[str, str]]:
        return [(block.path, block.text) for block in blocks(path) if block.language == "python"]

    assert code(page) == code(BOOK / page.name)


@pytest.mark.parametrize("name", ["README.zh.md", "docs/recipes.zh.md"])
def test_pages_in_chinese(name):
    """Every command, Python block and number in them also occurs in the English README or in the tour."""
    page = ROOT / name
    english = (ROOT / "README.md").read_text() + (ROOT / "docs" / "tour.md").read_text()
    typed = [line.partition(" #")[0].rstrip() for b in blocks(page) if not b.language for line in b.text.splitlines()]
    inline = re.findall(r"`(sparring [^`]+)`", prose(page))
    wrapped = [" ".join(words.split()) for words in re.findall(r"`(sparring [^`]+)`", english)]
    english_lines = [*english.replace("`", "\n").splitlines(), *wrapped]
    assert not {*typed, *inline} - {line.partition(" #")[0].rstrip() for line in english_lines}
    assert all(block.text in english for block in blocks(page) if block.language)
    assert not set(NUMBER.findall(page.read_text())) - set(NUMBER.findall(english))
    for target in re.findall(r"\]\((?!http)([^)#]+)", prose(page)):
        assert (page.parent / target).exists(), target


def test_the_chinese_list_has_all_recipes():
    from sparring import recipes

    listed = re.findall(r"^\| `(\w+)` \|", prose(ROOT / "docs" / "recipes.zh.md"), flags=re.MULTILINE)
    assert listed == recipes.names()


def test_the_readmes_are_twins():
    """Both are short, and have the same links. Their tables have the same links, commands and figures, line by line."""

    def links(name: str, *own: str) -> set[str]:
        return set(re.findall(r"\]\(([^)]+)\)", prose(ROOT / name))) - {*own}

    # Each links to the other one. The list of recipes in Chinese is a page of its own.
    assert links("README.zh.md", "README.md", "docs/recipes.zh.md") == links("README.md", "README.zh.md")

    def tables(name: str) -> list[list[str]]:
        rows = [line for line in prose(ROOT / name).splitlines() if line.startswith("|")]
        same = re.compile(r"\]\([^)]+\)|`sparring [^`]+`|(?<=\| )\d[^|]*(?= \|)")
        return [same.findall(row) for row in rows]

    chinese, english = tables("README.zh.md"), tables("README.md")
    assert chinese == english
    assert sum(bool(row) for row in english) > 30
    for name in ("README.zh.md", "README.md"):
        assert len((ROOT / name).read_text().splitlines()) < 200


def draw(chapter: Path) -> None:
    """Run a chapter, print each output that differs from the book, and copy the figures into the book."""
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
