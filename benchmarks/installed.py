"""Measures the packages that an installation without extras has, and writes the table of docs/installing.md.

python benchmarks/installed.py
"""

from __future__ import annotations

import argparse
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pages import put, table

ROOT = Path(__file__).parents[1]
PAGE = Path("docs") / "installing.md"
LISTED = 5e6  # bytes from which a package has a line of its own


def needed(names: list[str]) -> set[str]:
    """Packages by these requirements, and by the requirements of theirs, as they are installed here."""
    found, waiting = set[str](), list(names)
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name not in found and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            found.add(name)
            waiting += metadata.requires(name) or []
    return found


def size(name: str) -> int:
    """Bytes of the installed files of a package, without compiled bytecode."""
    files = [file for file in metadata.files(name) or [] if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in map(metadata.distribution(name).locate_file, files) if path.is_file())


def core() -> dict[str, int]:
    """Bytes of each package that the core needs, without PyTorch and what that needs itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {name: size(name) for name in needed(project["dependencies"]) - needed(["torch"])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, default=PAGE, help="the page with the table")
    page, sizes = parser.parse_args().page, core()
    large = {name: each for name, each in sizes.items() if each >= LISTED}
    rows = [[name, f"{each / 1e6:.0f}"] for name, each in sorted(large.items(), key=lambda one: -one[1])]
    rest = sum(sizes.values()) - sum(large.values())
    own = sum(
        path.stat().st_size for path in (ROOT / "sparring").rglob("*") if path.suffix != ".pyc" and path.is_file()
    )
    rows += [[f"{len(sizes) - len(large)} others", f"{rest / 1e6:.0f}"], ["sparring", f"{own / 1e6:.1f}"]]
    rows.append(["together", f"{(sum(sizes.values()) + own) / 1e6:.0f}"])
    for row in rows:
        print(" | ".join(row))
    put(page, __file__, table(["package", "MB installed"], rows))


if __name__ == "__main__":
    main()
