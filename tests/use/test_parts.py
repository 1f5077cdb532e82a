"""Samples in parts: the same ones whoever draws them, none twice, none lost."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pandas
import pytest
from PIL import Image

import sparring
from sparring.errors import InputError
from sparring.modalities.samples import Samples
from sparring.use.parts import MANIFEST, Parts, Worker
from tests.commands import command


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The folder of a model of labeled images."""
    folder = tmp_path_factory.mktemp("digits") / "run"
    sparring.train("gan", "digits", out=folder, steps=2, quiet=True, batch=8, G=(16,), D=(16,), labels=True)
    return folder


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """The folder of a model of rows with an identifier."""
    folder = tmp_path_factory.mktemp("rows")
    random = np.random.default_rng(0)
    frame = pandas.DataFrame({"id": range(200), "x": random.normal(size=200), "kind": random.choice(["a", "b"], 200)})
    frame.to_csv(folder / "rows.csv", index=False)
    sparring.train("table", folder / "rows.csv", out=folder / "run", steps=2, quiet=True, batch=20, width=16, D=16)
    return folder / "run"


def tree(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def drawn(parts, *workers):
    for worker in workers:
        parts.begin()
        parts.draw(Worker.parse(worker))
    return tree(parts.out)


def test_images_are_those_of_one_call(digits, tmp_path):
    model = sparring.load(digits)
    parts = Parts(model, 200, {}, tmp_path / "out", seed=3)
    drawn(parts, "1/1")
    whole = model.sample(200, seed=3)
    assert parts.count > 2  # part 2 begins at image 128
    for number, image in enumerate(whole.items):
        part, place = divmod(number, parts.size)
        folder = parts.place(part) / model.modality.classes[whole.labels[number]]
        file = next(path for path in folder.iterdir() if int(path.stem) == place)
        assert np.array_equal(np.asarray(Image.open(file)), image[..., 0])
    assert len(list(parts.out.rglob("*.png"))) == 200


def test_parts_do_not_depend_on_the_workers(digits, tmp_path):
    model = sparring.load(digits)
    one = drawn(Parts(model, 300, {"label": "7"}, tmp_path / "one", seed=1), "1/1")
    assert drawn(Parts(model, 300, {"label": "7"}, tmp_path / "many", seed=1), "3/3", "1/3", "2/3") == one
    assert drawn(Parts(model, 300, {"label": "7"}, tmp_path / "other", seed=2), "1/1").keys() == one.keys() != one


@pytest.mark.parametrize(("asked", "suffix"), [({}, ".parquet"), ({"where": ["x>0"]}, ".csv")])
def test_rows(rows, tmp_path, asked, suffix):
    """A folder of parts is read as one table, and identifiers are not repeated, also where rows are rejected."""
    model = sparring.load(rows)
    parts = Parts(model, 300, asked, tmp_path / f"one{suffix}", seed=1)
    one = drawn(parts, "1/1")
    assert drawn(Parts(model, 300, asked, tmp_path / f"two{suffix}", seed=1), "2/2", "1/2") == one
    reader = pandas.read_parquet if suffix == ".parquet" else pandas.read_csv
    frame = pandas.concat([reader(parts.place(i)) for i in range(parts.count)], ignore_index=True)
    assert len(frame) == 300
    assert frame["id"].is_unique
    if asked:
        assert (frame["x"] > 0).all()
    else:
        whole = model.sample(300, seed=1).items
        assert len(pandas.read_parquet(parts.out)) == 300
        assert np.array_equal(frame["id"], whole["id"])
        assert np.allclose(frame["x"], whole["x"], atol=1e-6)


def test_what_is_there_is_not_drawn_again(digits, tmp_path, monkeypatch):
    """A worker that ends in the middle of a part loses that part only."""
    model = sparring.load(digits)
    whole = drawn(Parts(model, 300, {}, tmp_path / "whole"), "1/1")
    parts = Parts(model, 300, {}, tmp_path / "out")
    save, saved = Samples.save, []

    def interrupted(samples, path, **settings):
        if len(saved) == 2:
            raise KeyboardInterrupt
        saved.append(path)
        save(samples, path, **settings)

    monkeypatch.setattr(Samples, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        drawn(parts, "1/1")
    manifest = json.loads((parts.out / MANIFEST).read_text())
    assert manifest["there"] == ["part-00000", "part-00001"]
    assert len(manifest["missing"]) == 3

    def counted(samples, path, **settings):
        saved.append(path)
        save(samples, path, **settings)

    monkeypatch.setattr(Samples, "save", counted)
    assert drawn(parts, "1/1") == whole
    assert sorted(saved) == [parts.place(i) for i in range(5)]  # each once
    assert json.loads((parts.out / MANIFEST).read_text())["missing"] == []


def test_as_typed(digits, tmp_path, monkeypatch, capsys):
    def typed(words):
        return command(monkeypatch, capsys, f"sample {shlex.quote(str(digits))} -n 100 -o {tmp_path}/out {words}")

    assert typed("--worker 2/2 --seed 1") == (0, [])
    for words, error in {
        "--worker 5/4": "--worker 5/4 is no worker",
        "--worker 0/4": "--worker 0/4 is no worker",
        "--worker x": "--worker x is no worker",
        "--ranks 0": "ranks=0 cannot run here",
        "--worker 1/2 --seed 2": "out holds samples of seed=1, and seed=2 was given; choose another folder",
        "--worker 1/2 --seed 1 -n 101": "out holds samples of n=100, and n=101 was given",
        "--worker 1/2 --seed 1 --label 3": "out holds samples of asked={}, and asked={'label': '3'} was given",
        "--worker 1/2 --seed 1 --force": "--force was given, but other workers",
        f"--worker 1/2 -o {tmp_path}": "holds other files and no _manifest.json",
        f"--worker 1/2 -o {tmp_path}/mine": "mine is a file, and parts are written to a folder; choose another",
        "--worker 1/2 -n 0": "0 samples cannot be drawn",
    }.items():
        (tmp_path / "mine").touch()
        status, errors = typed(words)
        assert status == 2, words
        assert len(errors) == 1, errors
        assert error in errors[0]
    assert len(list((tmp_path / "out").rglob("*.png"))) == 36


def test_parts_of_another_size_are_refused(digits, tmp_path):
    parts = Parts(sparring.load(digits), 300, {}, tmp_path / "out")
    parts.begin()
    manifest = json.loads((parts.out / MANIFEST).read_text())
    (parts.out / MANIFEST).write_text(json.dumps(manifest | {"part": 2 * parts.size}))
    with pytest.raises(InputError, match=f"holds parts of {2 * parts.size} samples, .* draws parts of {parts.size};"):
        parts.begin()


def test_a_failed_rank_is_noticed_while_an_earlier_one_runs(digits, tmp_path, monkeypatch):
    """It is named, and not the one that is terminated then."""
    from sparring.cli import sample_parts

    programs = {Worker(1, 2): "import time; time.sleep(60)", Worker(2, 2): "raise SystemExit('sparring: no luck')"}

    def start(worker, _command, errors):
        return subprocess.Popen([sys.executable, "-c", programs[worker]], stderr=errors)

    monkeypatch.setattr(sample_parts, "_start", start)
    monkeypatch.setattr(sample_parts, "LOOK_EVERY", 0.01)
    begin = time.monotonic()
    with pytest.raises(InputError, match="worker 2/2 has failed: no luck; the same command"):
        sample_parts.draw(Parts(sparring.load(digits), 300, {}, tmp_path / "out"), Worker(), 2, None, [])
    assert time.monotonic() - begin < 30


def test_rules_about_all_samples_are_refused(tmp_path):
    frame = pandas.DataFrame({"code": np.arange(100) * 1.5, "x": np.arange(100) % 7})
    model = sparring.train(
        "table",
        frame,
        out=tmp_path / "run",
        steps=2,
        quiet=True,
        batch=20,
        width=16,
        D=16,
        constraints=("unique(code)",),
    )
    with pytest.raises(InputError, match=r"unique\(code\) is about all samples together"):
        Parts(model, 300, {}, tmp_path / "out.csv").begin()


def test_torchrun_names_the_worker():
    from sparring.cli.sample_parts import worker_of
    from sparring.training.launcher import Launcher

    assert worker_of("", 1, False, Launcher()) is None
    assert worker_of("", 1, False, Launcher("srun", rank=3, ranks=8)) == Worker(4, 8)
    assert list(Worker(2, 3).split(2)) == [Worker(3, 6), Worker(4, 6)]
    with pytest.raises(InputError, match="srun has started the processes"):
        worker_of("1/2", 1, False, Launcher("srun", rank=3, ranks=8))


@pytest.mark.slow
def test_a_killed_rank(digits, tmp_path):
    """Two processes draw; one is killed with SIGKILL; the same command completes the folder."""
    line = [sys.executable, "-m", "sparring", "sample", digits, "-n", "4000", "--seed", "5", "-o"]
    subprocess.run([*line, tmp_path / "whole", "--worker", "1/1"], check=True, stdout=subprocess.DEVNULL)
    out = tmp_path / "out"
    process = subprocess.Popen([*line, out, "--worker", "1/2"], stdout=subprocess.DEVNULL)
    while not list(out.glob("part-*")):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    before = {p.name: p.stat().st_mtime_ns for p in out.glob("part-*")}
    assert 0 < len(before) < 32
    subprocess.run([*line, out, "--ranks", "2"], check=True, stdout=subprocess.DEVNULL)
    assert {name: (out / name).stat().st_mtime_ns for name in before} == before
    assert {n: c for n, c in tree(out).items() if not n.startswith(".sparring-")} == tree(tmp_path / "whole")
