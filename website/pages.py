"""Pages of the repository as pages of the site: where each one lives, and how its links and formulas change."""

from __future__ import annotations

import html
import posixpath
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from latex2mathml.converter import convert

ROOT = Path(__file__).parents[1]
# Pages outside docs/, and where they live on the site.
ELSEWHERE = {
    "README.md": "overview.md",
    "README.zh.md": "zh/index.md",
    "docs/recipes.zh.md": "zh/recipes.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security-policy.md",
    "notebooks/README.md": "notebooks/index.md",
}
FENCED = re.compile(r"^( *)```.*\n(?:.*\n)*?\1```$", flags=re.MULTILINE)
CODE = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n\n).)+?(?<!`)\1(?!`)", flags=re.DOTALL)  # within a paragraph
LINK = re.compile(r"(\]\()([^)\s#]*)(#[^)\s]*)?\)")
FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+?)\$", flags=re.DOTALL)
LANGUAGES = {".py": "python", ".sh": "sh", ".toml": "toml", ".yml": "yaml", ".yaml": "yaml", ".json": "json"}


class DeadLink(Exception):
    """A link of a page leads nowhere."""


def address(path: str) -> str | None:
    """Where a file of the repository lives on the site, or None for one that is not a page or a picture of the docs."""
    if path in ELSEWHERE:
        return ELSEWHERE[path]
    if path.startswith("notebooks/") and path.endswith(".ipynb"):
        return path.removesuffix(".ipynb") + ".md"
    if not path.startswith("docs/"):
        return None
    inside = path.removeprefix("docs/")
    if inside.startswith("book/zh/"):
        inside = "zh/book/" + inside.removeprefix("book/zh/")
    return inside.removesuffix("README.md") + "index.md" if inside.endswith("README.md") else inside


def url(page: str) -> str:
    """The address of a page in a browser, relative to the site: `data/` for `data.md`."""
    if not page.endswith(".md"):
        return page
    folder = page.removesuffix(".md")
    return folder.removesuffix("index") if folder.rpartition("/")[2] == "index" else folder + "/"


@dataclass
class Site:
    """The sources of the site. Those of the Chinese part, a site of its own, are in its folder `zh`.

    Attributes:
        folder: that they are written to.
        shown: files and folders outside the docs that pages link to; they become pages that show their text.
        written: the pages, by their path.
    """

    folder: Path
    shown: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)

    def write(self, page: str, text: str) -> None:
        path = self.folder / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.written.add(page)

    def add(self, path: str) -> None:
        """Add a page of the repository."""
        page = address(path)
        assert page is not None
        self.write(page, self.adapted((ROOT / path).read_text(encoding="utf-8"), path, page))

    def copy(self, path: str, page: str = "") -> None:
        """Add a file as it is: a picture of the docs, by its own address unless another is given."""
        shutil.copyfile(ROOT / path, self._made(page or address(path) or ""))

    def check_listed(self, *navigations: list[str]) -> None:
        """Raise `DeadLink` for pages that the navigations of the languages lack."""
        english, chinese = navigations
        missing = self.written - {*english, *(f"zh/{page}" for page in chinese)}
        if missing:
            raise DeadLink(f"add {', '.join(sorted(missing))} to website/navigation.py")

    def adapted(self, text: str, path: str, page: str) -> str:
        """A page's Markdown with links as the site needs them, and formulas as MathML, which browsers show as they are.

        Args:
            path: of the page in the repository, to which its links are relative.
            page: its place on the site.
        """
        formulas = path.startswith("docs/book/")

        def change(prose: str) -> str:
            linked = LINK.sub(lambda link: f"{link[1]}{self._target(link[2], link[3] or '', path, page)})", prose)
            return FORMULA.sub(_mathml, linked) if formulas else linked

        return _outside(FENCED, text, lambda part: _outside(CODE, part, change, _cell_code), _titled)

    def _target(self, target: str, anchor: str, path: str, page: str) -> str:
        if not target or re.match(r"[a-z]+:", target):
            return target + anchor
        named = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        there = ROOT / named
        if not there.exists():
            raise DeadLink(f"{path} links to {target}, which does not exist")
        found = address(named + "/README.md" if there.is_dir() else named)
        if found is None or (there.is_dir() and not (there / "README.md").exists()):
            self.shown.add(named)
            found = _source(named)
        if found.startswith("zh/") == page.startswith("zh/"):
            return posixpath.relpath(found, posixpath.dirname(page)) + anchor
        if not found.endswith(".md"):  # a picture: each part has its own copy
            shutil.copyfile(there, self._made(f"zh/{found}"))
            return posixpath.relpath(f"zh/{found}", posixpath.dirname(page))
        # An address in the other part, which the generator does not know; the check of links does.
        return posixpath.relpath(f"/{url(found)}", f"/{url(page)}") + "/" + anchor

    def _made(self, path: str) -> Path:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        return self.folder / path

    def add_sources(self) -> None:
        """Write the pages of all files and folders that other pages link to."""
        for name in sorted(self.shown):
            there = ROOT / name
            files = sorted(path for path in there.rglob("*") if path.is_file()) if there.is_dir() else [there]
            parts = [f"# {name}", ""]
            for path in files:
                if there.is_dir():
                    parts += [f"## {path.relative_to(there).as_posix()}", ""]
                fence = f"````{LANGUAGES.get(path.suffix, 'text')}"
                parts += [fence, path.read_text(encoding="utf-8").rstrip(), "````", ""]
            self.write(_source(name), "\n".join(parts))


def _source(name: str) -> str:
    return f"source/{name}.md"


def _mathml(formula: re.Match[str]) -> str:
    if formula[1]:
        return f'<div class="formula" tabindex="0">{convert(formula[1].strip(), display="block")}</div>'
    return f"<span>{convert(formula[2])}</span>"  # a line that begins with <math> would be a paragraph of its own


def _titled(block: re.Match[str]) -> str:
    """A block of code whose file is named after its language, with this name as a title."""
    return re.sub(r"^( *```\w+) (\S+)$", r'\1 title="\2"', block[0], count=1, flags=re.MULTILINE)


def _cell_code(code: re.Match[str]) -> str:
    """Code in a cell of a table, in which a code host reads `\\|` as `|`, and the generator does not."""
    in_cell = code.string[code.string.rfind("\n", 0, code.start()) + 1 :].startswith("|")
    if not in_cell or "\\|" not in code[0]:
        return code[0]
    return f"<code>{html.escape(code[0].strip('`').strip()).replace(chr(92) + '|', '&#124;')}</code>"


def _outside(
    code: re.Pattern[str],
    text: str,
    change: Callable[[str], str],
    changed_code: Callable[[re.Match[str]], str] = lambda match: match[0],
) -> str:
    """Text with all that is not code changed."""
    parts, last = [], 0
    for match in code.finditer(text):
        parts += [change(text[last : match.start()]), changed_code(match)]
        last = match.end()
    return "".join([*parts, change(text[last:])])
