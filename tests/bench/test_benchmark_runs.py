"""Runs of benchmarks: what is on a page was trained as the page says."""

import importlib
import shutil
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

import sparring
from sparring import recipes
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.runs.folder import RunFolder

ROOT = Path(__file__).parents[2]
TOY = {"width": 4, "z": 4, "batch": 8}


@pytest.fixture
def benchmark(monkeypatch):
    """Imports a benchmark by its name."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    yield importlib.import_module
    for name in ("runs", "clock", "pages", "film"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("benchmark") / "run"
    sparring.train("dcgan", "digits", out=out, steps=2, time="60s", quiet=True, device="cpu", **TOY)
    return out


@pytest.mark.parametrize(
    ("asked", "difference"),
    [
        ({"time": "2m"}, "time=60.0, not time=120.0"),
        ({"steps": 9}, "steps=2, not steps=9"),
        ({"width": 8}, "width=4, not width=8"),
        ({"batch": 64}, "batch=8, not batch=64"),
        ({"seed": 1}, "seed=0, not seed=1"),
        ({"recipe": "lsgan"}, "recipe=dcgan, not recipe=lsgan"),
        ({"data": "ring"}, "data=digits, not data=ring"),
        ({"width": None, "seed": 3}, f"width=4, seed=0, not width={recipes.find('dcgan').width}, seed=3"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_run_that_was_trained_in_another_way_is_refused(benchmark, run, asked, difference):
    """Also with a field that is not given any more."""
    wanted = {"recipe": "dcgan", "data": "digits", "time": "60s", "device": "cpu", **TOY, **asked}
    wanted = {name: value for name, value in wanted.items() if value is not None}
    with pytest.raises(SystemExit) as error:
        benchmark("runs").finished(wanted.pop("recipe"), wanted.pop("data"), run, **wanted)
    rest = "; give the same, or another folder of runs, or remove this one"
    assert str(error.value) == f"{run} was trained with {difference}{rest}"


def test_a_complete_run_is_loaded_and_no_other(benchmark, run, tmp_path, monkeypatch):
    runs, trained = benchmark("runs"), []
    monkeypatch.setattr(sparring, "train", lambda *words, **options: trained.append((words, options)))
    asked = {"device": "cpu", **TOY}
    model = runs.trained_once("dcgan", "digits", run, "1m", **asked)
    assert (model.about["step"], trained) == (2, [])
    runs.trained_once("dcgan", "digits", tmp_path / "other", "1m", **asked)
    stopped = model.about | {"stopped": True}  # as after Ctrl-C, which writes the model, too
    monkeypatch.setattr(
        runs.sparring, "load", lambda *_: sparring.Model(model.recipe, model.modality, model.game, stopped)
    )
    runs.trained_once("dcgan", "digits", run, "1m", **asked)
    expected = {"time": "1m", "seed": 0, "device": "cpu", "quiet": True, "resume": True, **TOY}
    assert [options for _, options in trained] == [expected | {"out": tmp_path / "other"}, expected | {"out": run}]


def _evaluation(fid):
    numbers = (Number("fid", fid, "low", error=0.5), Number("novelty", float("nan"), "real", share=True))
    picture = Image.new("RGB", (3, 2), "red")
    finding = Finding("copies", "novelty 0", "train on more")
    return Evaluation("digits", "by hand", 8, 9, numbers, numbers[:1], {"copy": numbers}, (finding,), picture)


def test_a_run_is_evaluated_once_for_what_is_asked(benchmark, run, tmp_path, monkeypatch):
    """Again for another request, for other weights and by other code, and never another one's result."""
    runs, asked = benchmark("runs"), []
    monkeypatch.setattr(runs, "evaluate", lambda *given, **how: asked.append((given, how)) or _evaluation(len(asked)))
    out, model = Path(shutil.copytree(run, tmp_path / "run")), object()
    first, again = (runs.evaluated_once(out, model, samples=8) for _ in range(2))
    assert asked == [((model, None), {"samples": 8})]
    for found in (first, again):
        assert found.content() == _evaluation(1).content()
        assert [number.share for number in found.numbers] == [False, True]
        assert found.picture.getpixel((0, 0)) == (255, 0, 0)
    assert runs.evaluated_once(out, model, samples=9)["fid"] == 2
    assert runs.evaluated_once(out, model, Path("other"), samples=9)["fid"] == 3
    monkeypatch.setattr(runs, "CODE", "another judge")
    for fid in (5, 6):
        assert runs.evaluated_once(out, model, samples=8, compute=lambda fid=fid: _evaluation(fid))["fid"] == 5
    weights = RunFolder(out).model / "weights.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    assert runs.evaluated_once(out, model, samples=8)["fid"] == 4


def test_results_depend_on_the_code_that_judges_and_on_the_benchmark(benchmark, tmp_path, monkeypatch):
    runs, script = benchmark("runs"), tmp_path / "script.py"
    script.write_text("NUMBER = 1")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(script), raising=False)
    house = ROOT / "sparring"
    judging = {
        house / "metrics" / "molecules.py", house / "modalities" / "molecules" / "judge.py",
        house / "evaluation" / "evaluate.py", script,
    }  # fmt: skip
    assert judging <= set(runs.sources())
    before = runs.digest_of(*runs.sources())
    assert runs.digest_of(*runs.sources()) == before
    script.write_text("NUMBER = 2")
    assert runs.digest_of(*runs.sources()) != before
    assert runs.digest_of("ab", "c") != runs.digest_of("a", "bc")


def test_an_interrupted_result_is_computed_again(benchmark, tmp_path):
    """Also of a folder that holds no model."""
    runs = benchmark("runs")

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.computed_once(tmp_path, interrupted, row="copy")
    assert runs.computed_once(tmp_path, lambda: {"a": [1, 2.5]}, row="copy") == {"a": [1, 2.5]}
    assert runs.computed_once(tmp_path, interrupted, row="copy") == {"a": [1, 2.5]}
    rows = {"copy": _evaluation(1.5).numbers}
    for compute in (lambda: rows, interrupted):
        found = runs.rows_once(tmp_path, compute, row="all")
        assert [str(n) for n in found["copy"]] == [str(n) for n in rows["copy"]]
    for compute in (lambda: rows["copy"], interrupted):
        assert runs.numbers_once(tmp_path, compute, row="one")[0] == rows["copy"][0]


def test_the_clock_of_each_device(benchmark, monkeypatch):
    clock = benchmark("clock")
    monkeypatch.setattr(time, "monotonic", time.monotonic)  # restored after the test
    wall = time.monotonic
    monkeypatch.setattr(clock, "resolve", lambda _: torch.device("cuda:0"))
    assert (clock.count_cpu_time(), time.monotonic) == ("wall-clock time on cuda", wall)
    monkeypatch.setattr(clock, "resolve", lambda _: torch.device("cpu"))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert clock.count_cpu_time() == "CPU time of one thread"
    assert time.monotonic is time.process_time


def test_the_page_of_a_film_says_how_its_run_was_trained(benchmark, run):
    """Not how the program that writes the page runs."""
    RunFolder(run).write_section("## Evaluation", ["a table"])
    model = sparring.load(run)
    model.about |= {"seconds": 600.0, "device": "cuda:0"}
    line, *rest = benchmark("film").about(run, model)
    weights = f"{model.about['parameters']['G']:,}"
    assert line == f"`dcgan`, 10 minutes on cuda:0, frames of 8 x 8 pixels, {weights} weights in G:"
    assert rest == ["", "a table"]
