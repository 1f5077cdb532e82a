"""Imports go one way: a room may import from rooms above it in this list, never from below."""

import ast
from pathlib import Path

import pytest

import sparring

HOUSE = [
    "errors", "seeds", "schedules", "files", "console", "devices", "sheets", "layers", "losses", "metrics", "data",
    "loop", "nets", "games", "modalities", "recipes", "model", "runs", "evaluation", "training", "explore", "use",
    "deploy", "bench", "studio", "cli", "__main__",
]  # fmt: skip
ROOT = Path(sparring.__file__).parent
FILES = [path for path in sorted(ROOT.rglob("*.py")) if path != ROOT / "__init__.py"]


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "sparring" else []
            modules += [node.module] if node.module != "sparring" else []
        else:
            continue
        rooms |= {module.split(".")[1] for module in modules if module.startswith("sparring.")}
    return rooms


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_one_way(path):
    below = HOUSE[HOUSE.index(room(path)) + 1 :]
    assert not imported(path) & set(below)


def test_public_names():
    assert sorted(sparring.__all__) == ["InputError", "Model", "Samples", "load", "train"]
    for name in sparring.__all__:
        assert getattr(sparring, name).__doc__
