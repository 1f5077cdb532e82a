"""The command line as a user types it, bad input included: one line, exit status 2."""

import json
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from sparring.cli import main

TOY = ["gan", "batch=8", "G=16", "D=16", "z=4"]


def sparring(monkeypatch, capsys, *words):
    """Type a command: its exit status, what it printed, and its errors."""
    monkeypatch.setattr(sys, "argv", ["sparring", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    return end.value.code or 0, out, err


@pytest.fixture
def typed(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    return lambda *words: sparring(monkeypatch, capsys, *words)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a trained run, not to be changed."""
    folder = tmp_path_factory.mktemp("run") / "gan-digits"
    import sparring

    sparring.train("gan", "digits", out=folder, steps=3, quiet=True, batch=8, G=(16,), D=(16,), labels=True)
    return folder


def test_help_is_quick():
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "sparring", "--help"], check=True, capture_output=True)
    assert time.perf_counter() - began < 2  # half a second on a quiet machine; PyTorch alone takes longer


def test_help_imports_nothing_heavy():
    code = "import sys, sparring.cli; print([m for m in ('torch', 'numpy', 'lightning_fabric') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_main_job(typed, tmp_path):
    """Train, look, sample, resume; the commands that are proposed at the end work."""
    status, out, _ = typed("train", "digits", "--recipe", *TOY, "--steps", 5)
    assert status == 0
    folder = tmp_path / "runs" / "gan-digits"
    assert {p.name for p in folder.iterdir()} >= {"recipe.json", "log.jsonl", "samples", "checkpoints", "model"}
    assert json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["step"] == 5
    assert "gan on digits" in (folder / "README.md").read_text()
    proposed = [line.split() for line in out.splitlines() if line.startswith("  sparring ")]
    assert len(proposed) == 3
    for words in proposed:
        assert typed(*words[1:])[0] == 0
    assert Image.open(tmp_path / "sheet.png").size >= (64, 64)
    assert len(list((tmp_path / "samples").rglob("*.png"))) == 1000
    assert json.loads((folder / "model" / "model.json").read_text())["about"]["step"] == 10


def test_a_run_in_a_folder_is_not_overwritten(typed):
    words = ("train", "digits", "--recipe", *TOY, "--steps", 2)
    assert typed(*words)[0] == 0
    status, _, err = typed(*words)
    assert (status, err.count("\n")) == (2, 1)
    assert "--resume" in err
    assert "--force" in err
    assert typed(*words, "--force")[0] == 0
    assert typed(*words, "--resume")[0] == 0  # nothing left to do is no error
    assert "other settings" in typed(*words, "--resume", "lr=0.1")[2]
    assert "other data" in typed("train", "ring", "--recipe", *TOY, "--out", "runs/gan-digits", "--resume")[2]


@pytest.mark.parametrize("suffix", ["", ".png", ".npz"])
def test_sample_formats(typed, run, tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    assert typed("sample", run, "-n", 12, "-o", out, "--seed", 3, "--label", "7")[0] == 0
    if suffix == ".npz":
        with np.load(out) as content:
            assert content["images"].shape == (12, 8, 8, 1)
            assert content["images"].dtype == np.uint8
            assert set(content["labels"]) == {7}
    elif suffix == ".png":
        assert Image.open(out).mode == "L"
    else:
        assert len(list((out / "7").glob("*.png"))) == 12
    status, _, err = typed("sample", run, "-o", out)
    assert (status, err.count("\n")) == (2, 1)
    assert "exists already" in err
    assert typed("sample", run, "-o", out, "--force")[0] == 0


def test_points_to_csv(typed, tmp_path):
    assert typed("train", "ring", "--recipe", *TOY, "--steps", 2)[0] == 0
    assert typed("sample", "runs/gan-ring", "-n", 5, "-o", "ring.csv")[0] == 0
    lines = (tmp_path / "ring.csv").read_text().split()
    assert (lines[0], len(lines)) == ("x,y", 6)


def test_recipes(typed):
    status, out, _ = typed("recipes")
    assert status == 0
    assert "wgan_gp" in out
    status, out, _ = typed("recipes", "wgan-gp")
    assert "arXiv:1704.00028" in out
    assert "n_critic" in out


BAD = {
    "unknown data": (["train", "digis"], "did you mean 'digits'"),
    "unknown recipe": (["train", "digits", "--recipe", "dcgann"], "did you mean 'dcgan'"),
    "unknown field": (["train", "digits", "bacth=3"], "did you mean 'batch'"),
    "unknown option": (["train", "digits", "--stepz", "3"], "--steps"),
    "unknown verb": (["trian"], "train"),
    "wrong type": (["train", "digits", "batch=many"], "batch=many is not a whole number"),
    "out of range": (["train", "digits", "lr=-1"], "above 0"),
    "a batch of one": (["train", "digits", "batch=1"], "at least 2"),
    "a truncated picture": (["train", "cut"], "1 of 2 pictures can be read (b.png: damaged"),
    "not an assignment": (["train", "digits", "batch"], "FIELD=VALUE"),
    "zero steps": (["train", "digits", "--steps", "0"], "at least 1"),
    "negative steps": (["train", "digits", "--steps", "-5"], "at least 1"),
    "steps in words": (["train", "digits", "--steps", "ten"], "--steps"),
    "no duration": (["train", "digits", "--time", "soon"], "90s, 10m"),
    "no time": (["train", "digits", "--time", "0s"], "above 0"),
    "unknown device": (["train", "digits", "--device", "tpu9"], "tpu9"),
    "unknown precision": (["train", "digits", "--precision", "fp16"], "fp16 breaks"),
    "no ranks": (["train", "digits", "--ranks", "0"], "ranks=0"),
    "folder without pictures": (["train", "empty"], "holds no pictures"),
    "one picture only": (["train", "one"], "one picture only"),
    "file of no known kind": (["train", "notes.txt"], "no known kind"),
    "csv of words": (["train", "words.csv"], "'b' is not a number"),
    "csv of uneven rows": (["train", "uneven.csv"], "line 2"),
    "csv with gaps": (["train", "nan.csv"], "clean it first"),
    "unreadable npy": (["train", "bad.npy"], "not a .npy"),
    "labels that are not there": (["train", "ring", "labels=true"], "no labels"),
    "recipe for other data": (["train", "ring", "--recipe", "dcgan"], "choose another --recipe"),
    "out is a file": (["train", "digits", "--out", "notes.txt"], "not a run"),
    "out below a file": (["train", "digits", "--out", "notes.txt/run"], "not a folder"),
    "resume and force": (["train", "digits", "--resume", "--force"], "one of them"),
    "no model": (["sample", "empty", "-o", "x.png"], "no model in empty"),
    "no out": (["sample", "empty"], "--out"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(case, typed, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "one").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "one" / "a.png")
    (tmp_path / "cut").mkdir()
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32), dtype=np.uint8))
    for name in "ab":
        noise.save(tmp_path / "cut" / f"{name}.png")
    (tmp_path / "cut" / "b.png").write_bytes((tmp_path / "cut" / "a.png").read_bytes()[:500])
    (tmp_path / "notes.txt").write_text("not data")
    (tmp_path / "words.csv").write_text("a,c\n1,2\n3,b\n")
    (tmp_path / "uneven.csv").write_text("1,2\n3\n")
    (tmp_path / "nan.csv").write_text("1,2\nnan,3\n")
    (tmp_path / "bad.npy").write_text("nothing")
    before = {p for p in tmp_path.rglob("*") if p.is_file()}
    words, said = BAD[case]
    status, _, err = typed(*words)
    assert status == 2
    assert err.count("\n") == 1, err
    assert err.startswith("sparring: ")
    assert said in err
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == before  # nothing was begun


def test_bad_input_to_sample(typed, run, tmp_path):
    cases = {
        ("-n", "0"): "at least 1",
        ("--label", "ten"): "no label 'ten'",
        ("--truncation", "0"): "above 0",
        ("-o", "sheet.jpeg"): "choose from",
        ("-o", "/proc/sheet.png"): "cannot write",
    }
    for words, said in cases.items():
        status, _, err = typed("sample", run, "-o", "x.png", *words)
        assert (status, err.count("\n")) == (2, 1)
        assert said in err
    assert not (tmp_path / "x.png").exists()


def test_a_run_of_another_version(typed, run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    for name in ("recipe.json", "model/model.json"):
        content = json.loads((other / name).read_text())
        (other / name).write_text(json.dumps({**content, "format": 99, "sparring": "9.0"}))
    for words in (["sample", other, "-o", "x.png"], ["train", "digits", "--out", other, "--resume"]):
        status, _, err = typed(*words)
        assert (status, err.count("\n")) == (2, 1)
        assert "written by sparring 9.0" in err


def test_a_damaged_model(typed, run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    weights = other / "model" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    status, _, err = typed("sample", other, "-o", "x.png")
    assert (status, err.count("\n")) == (2, 1)
    assert "damaged" in err


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
def test_a_full_disk(tmp_path):
    """The run ends with one line, keeps its last checkpoint, and resumes once there is room."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}));"
    code = "import sys; from sparring.cli import main; sys.argv = ['sparring', *{1!r}]; main()"
    words = ["train", "digits", "--recipe", *TOY, "--steps", "3", "--out", str(tmp_path / "run")]
    full = subprocess.run(
        [sys.executable, "-c", (limit + code).format(6000, words)], capture_output=True, text=True, check=False
    )
    assert full.returncode == 2, full.stderr
    assert full.stderr.count("\n") == 1
    assert "free some space" in full.stderr
    assert not list((tmp_path / "run").rglob(".*part*"))
    again = subprocess.run([sys.executable, "-m", "sparring", *words, "--resume"], capture_output=True, check=False)
    assert again.returncode == 0, again.stderr
