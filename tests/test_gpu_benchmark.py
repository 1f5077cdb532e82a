"""benchmarks/gpu.py on the CPU: everything but recording."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sparring import recipes
from sparring.training import graphs

ROOT = Path(__file__).parents[1]


@pytest.fixture
def gpu(monkeypatch):
    """The program, whose commands are only noted."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    monkeypatch.setattr(graphs, "WARM_UP", graphs.WARM_UP)
    spec = importlib.util.spec_from_file_location("gpu_benchmark", ROOT / "benchmarks" / "gpu.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "gpu_benchmark", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "NAMES", ("r3gan", "gan"))
    monkeypatch.setattr(module, "gc", SimpleNamespace(collect=int))  # frees the memory of a GPU; .1 s each
    module.asked = []
    monkeypatch.setattr(module.Bench, "command", lambda _, *what: module.asked.append(what))
    return module


def test_both_halves_and_what_they_write(gpu, tmp_path):
    gpu.run(gpu.Results(tmp_path), 1, True, 540, "", "")
    values = json.loads((tmp_path / "results.json").read_text())
    assert {"about", "peaks", "gan 64 fp32 eager", "gan 64 bf16 graphs", "r3gan wide 64 bf16 graphs"} <= values.keys()
    assert all("error" not in value for value in values.values())
    assert values["r3gan 64 fp32 eager"]["gflop"] > 0  # gradients of gradients are counted too
    assert "compile" not in " ".join(values)

    gpu.run(gpu.Results(tmp_path), 2, True, 540, "", "8m")
    values = json.loads((tmp_path / "results.json").read_text())
    assert "images" in values["gan 64 fp32 compile"]
    assert [name for name, *_ in gpu.asked] == ["tests", "digits", "sheet", "private"]
    rows = [line for line in (tmp_path / "tables.md").read_text().splitlines() if line.startswith("| gan, 64, fp32")]
    assert len(rows) == 1
    assert all(cell.strip() for cell in rows[0].split("|")[2:6])  # all ways, and their ratio


def test_it_continues_where_it_was_interrupted(gpu, tmp_path, monkeypatch):
    results = gpu.Results(tmp_path)
    results.add("gan 64 fp32 eager", {"seconds": 1.0, "images": 64.0, "gflop": 1.0})
    measured = []
    monkeypatch.setattr(gpu.Bench, "measure", lambda _, row: measured.append(row.name) or {"seconds": 1.0})
    gpu.run(gpu.Results(tmp_path), 1, True, 540, "", "")
    assert "gan 64 fp32 eager" not in measured
    assert "gan 64 fp32 graphs" in measured
    measured.clear()
    gpu.run(gpu.Results(tmp_path), 1, True, 540, "", "")
    assert not measured


def test_an_error_is_a_row_and_the_next_ones_follow(gpu, tmp_path, monkeypatch):
    def measure(_, row):
        if row.recipe == "gan":
            raise RuntimeError("no kernel\nat all")
        return {"seconds": 1.0, "images": 2.0}

    monkeypatch.setattr(gpu.Bench, "measure", measure)
    gpu.run(gpu.Results(tmp_path), 1, True, 540, "", "")
    text = (tmp_path / "tables.md").read_text()
    assert "- gan 64 fp32 eager: RuntimeError: no kernel" in text
    assert "| r3gan, 64, fp32 | 2 |" in text


def test_a_row_that_takes_too_long_and_a_budget_that_is_spent(gpu, tmp_path, monkeypatch):
    monkeypatch.setattr(gpu, "ROW_BUDGET", 0.2)

    def measure(*_):
        while True:
            pass

    monkeypatch.setattr(gpu.Bench, "measure", measure)
    results = gpu.Results(tmp_path)
    gpu.run(results, 1, True, 6, "", "")
    errors = [value["error"] for value in results.values.values() if "error" in value]
    assert errors[0] == "TimeoutError: took more than 0 s"
    assert len(errors) < len(gpu.first_half((64,)))


def test_the_page(gpu, tmp_path, monkeypatch):
    gpu.Results(tmp_path).add("about", {"card": "a card", "versions": "some versions"})
    page = tmp_path / "page.md"
    page.write_text("# On a GPU\n\n<!-- benchmarks/gpu.py -->\n\nold\n\n<!-- end -->\n")
    monkeypatch.setattr(sys, "argv", ["gpu.py", str(tmp_path), "--page", str(page)])
    gpu.main()
    text = page.read_text()
    assert "a card, some versions" in text
    assert "old" not in text
    assert "of ten products of 8192 x 8192 matrices" in text


def test_its_recipes_exist_or_are_left_out(gpu):
    assert {row.recipe for row in gpu.first_half(gpu.SIZES)} <= set(recipes.names())
