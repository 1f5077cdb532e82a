"""The list of measured pages knows all of them, and names code that exists."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def figures():
    spec = importlib.util.spec_from_file_location("figures", ROOT / "benchmarks" / "figures.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["figures"] = module
    spec.loader.exec_module(module)
    return module


def test_every_measured_page_is_listed(figures):
    marked = {p for p in (ROOT / "docs").glob("*.md") if re.search(r"<!-- benchmarks/\w+\.py -->", p.read_text())}
    marked |= set((ROOT / "docs" / "bench").glob("*.md"))
    assert {ROOT / page.path for page in figures.PAGES} >= marked


def test_pages_and_their_code_exist(figures):
    for page in figures.PAGES:
        program = page.command.split()[0]
        assert program == "sparring" or (ROOT / program).is_file()
        assert (ROOT / page.path).exists()
        assert all((ROOT / code).exists() for code in page.code), page.path
