"""The command line as a user types it, bad input included: one line, exit status 2."""

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file, save_file
from typer.main import get_command

from sparring.cli import app, main

pytestmark = pytest.mark.usefixtures("brief_classifiers")

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


def test_every_help_text_is_printed_whole(typed, monkeypatch):
    """Brackets are no markup: what stands for a default by hand is shown too."""
    monkeypatch.setenv("COLUMNS", "400")
    missing = []
    for name, command in get_command(app).commands.items():
        status, out, _ = typed(name, "--help")
        assert status == 0
        shown = " ".join(out.split())
        texts = [(param.help or "").replace("\\[", "[") for param in command.params]
        missing += [f"{name}: {text}" for text in texts if " ".join(text.split()) not in shown]
    assert not missing


def test_no_run_is_overwritten_by_force(typed, run, tmp_path):
    """Whatever command writes a folder."""
    shutil.copytree(run, tmp_path / "runs" / "one")
    before = sorted(tmp_path.rglob("*"))
    for out in ("runs", "runs/one", "."):
        status, _, err = typed("sample", run, "-n", 2, "-o", out, "--force")
        assert (status, err.count("\n")) == (2, 1)
        assert "holds a run" in err or "is the working directory" in err
        assert sorted(tmp_path.rglob("*")) == before


def test_no_folder_is_overwritten_by_a_file(typed, run, tmp_path):
    (tmp_path / "sheet.png").mkdir()
    (tmp_path / "sheet.png" / "mine.txt").write_text("mine")
    status, _, err = typed("sample", run, "-n", 2, "-o", "sheet.png", "--force")
    assert (status, err) == (2, "sparring: sheet.png is a folder, and a file is to be written; choose another name\n")
    assert (tmp_path / "sheet.png" / "mine.txt").read_text() == "mine"


@pytest.mark.usefixtures("real_curves")
def test_main_job(typed, tmp_path):
    """Train, look, sample, resume; the commands that are proposed at the end work."""
    status, out, _ = typed("train", "digits", "--recipe", *TOY, "--steps", 5)
    assert status == 0
    folder = tmp_path / "runs" / "gan-digits"
    assert {p.name for p in folder.iterdir()} >= {"recipe.json", "log.jsonl", "samples", "checkpoints", "model"}
    assert json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["step"] == 5
    assert "gan on digits" in (folder / "README.md").read_text()
    assert {"curves.png", "progress.gif", "tensorboard"} <= {p.name for p in folder.iterdir()}
    assert min(Image.open(folder / "curves.png").size) > 300
    assert Image.open(folder / "progress.gif").n_frames == 2
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
    assert "was trained with lr=0.0002, not 0.1" in typed(*words, "--resume", "lr=0.1")[2]
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


def test_what_tensorboard_gets(typed, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert typed("train", "digits", "--recipe", *TOY, "augment=ada", "--steps", 60)[0] == 0
    board = EventAccumulator(str(tmp_path / "runs" / "gan-digits" / "tensorboard"))
    board.Reload()
    tags = set(board.Tags()["scalars"])
    assert tags >= {"D/adversarial", "G/adversarial", "gradient_D", "gradient_G", "D_accuracy", "D_held", "ada_p"}
    assert board.Tags()["images"] == ["samples"]


def test_check(typed, tmp_path):
    """Problems are named; the cleaned copy can be trained on."""
    for i in range(6):
        (tmp_path / "set").mkdir(exist_ok=True)
        Image.fromarray(np.random.default_rng(i % 5).integers(0, 255, (8, 8), dtype=np.uint8)).save(f"set/{i}.png")
    (tmp_path / "set" / "x.png").write_text("broken")
    status, out, _ = typed("check", "set", "--write", "clean")
    assert status == 0
    assert "x.png (not an image" in out
    assert "1: 0.png = 5.png" in out
    assert len(list((tmp_path / "clean").glob("*.png"))) == 5
    assert (tmp_path / "runs" / "check-set" / "sheet.png").is_file()
    assert typed("check", "set")[0] == 0  # a report may be made anew
    assert typed("train", "clean", "--recipe", *TOY, "--steps", 2)[0] == 0
    status, out, _ = typed("train", "set", "--recipe", *TOY, "--steps", 2)
    assert status == 0
    assert "skipped 1 of 7 (x.png: not an image" in out


def test_a_class_of_one_is_said_aloud(typed, tmp_path):
    """Without being asked for, labels are left alone and the run goes on."""
    for name, count in (("cats", 3), ("dogs", 1)):
        (tmp_path / "set" / name).mkdir(parents=True)
        for i in range(count):
            Image.new("L", (8, 8), 60 * i + count).save(tmp_path / "set" / name / f"{i}.png")
    status, out, _ = typed("train", "set", "--recipe", *TOY[:1], "batch=2", "G=8", "D=8", "--steps", 2)
    assert status == 0
    assert "labels are not used: class 'dogs' has 1" in out


def test_the_same_bound_again_is_no_more_training(typed, tmp_path):
    """A time was turned into a number of steps, which a run that goes on keeps."""
    words = ("train", "digits", "--recipe", *TOY, "--time", "2s")
    assert typed(*words)[0] == 0
    model = tmp_path / "runs" / "gan-digits" / "model" / "model.json"
    step = json.loads(model.read_text())["about"]["step"]
    assert typed(*words, "--resume")[0] == 0
    assert json.loads(model.read_text())["about"]["step"] == step


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
    "a truncated picture": (["train", "cut"], "1 of 2 files can be read (b.png: damaged"),
    "a truncated zip": (["train", "cut.zip"], "cut.zip is cut off or damaged"),
    "text named zip": (["train", "text.zip"], "text.zip is not a zip archive, despite its suffix"),
    "a zip bomb": (["train", "bomb.zip"], "bomb.zip has 0.4 MiB but unpacks to 400 MiB, like a zip bomb"),
    "a picture that is a bomb": (["train", "bombs"], "like a decompression bomb"),
    "nothing but links": (["train", "links.zip"], "holds no images (2 links in links.zip are not followed)"),
    "identical pictures": (["train", "same"], "all 3 images of same are identical"),
    "text named png": (["train", "lies"], "a.png: not an image, despite its suffix"),
    "a class of one": (["train", "classes", "labels=true"], "class 'dogs' has 1 readable images"),
    "nothing left to train on": (["train", "split"], "has 1 images to train on and 3 held out"),
    "ada for too few": (["train", "classes/cats", "augment=ada", "--recipe", "gan"], "use augment=places"),
    "a size beyond all memory": (["train", "digits", "size=100000"], "size=100000 is out of range"),
    "size for points": (["train", "ring", "--recipe", "gan", "size=64"], "size=64 is for images"),
    "an end that is none": (["train", "digits", "--until", "platau"], "did you mean 'plateau'"),
    "no amount of memory": (["train", "digits", "--memory", "lots"], "write it as 500M or 2G"),
    "check of points": (["check", "ring", "--write", "clean-ring"], "no cleaned copy of points can be written"),
    "check of nothing": (["check", "nowhere"], "no data set or path 'nowhere'"),
    "clean copy over something": (["check", "same", "--write", "one"], "one was not written by sparring"),
    "clean copy over a file": (["check", "same", "--write", "notes.txt"], "notes.txt is a file, and a folder is to be"),
    "not an assignment": (["train", "digits", "batch"], "FIELD=VALUE"),
    "zero steps": (["train", "digits", "--steps", "0"], "at least 1"),
    "negative steps": (["train", "digits", "--steps", "-5"], "at least 1"),
    "a depth beyond any series": (["train", "digits", "--recipe", "series", "depth=9007199254740992"], "at most 30"),
    "endless steps": (["train", "digits", "--steps", "9223372036854775808"], "below 1,000,000,000,000"),
    "steps in words": (["train", "digits", "--steps", "ten"], "--steps"),
    "no duration": (["train", "digits", "--time", "soon"], "90s, 10m"),
    "no time": (["train", "digits", "--time", "0s"], "above 0"),
    "unknown device": (["train", "digits", "--device", "tpu9"], "tpu9"),
    "unknown precision": (["train", "digits", "--precision", "fp16"], "fp16 breaks"),
    "no ranks": (["train", "digits", "--ranks", "0"], "ranks=0"),
    "folder without pictures": (["train", "empty"], "empty is not recognized as data: the folder is empty"),
    "epochs": (["train", "digits", "epochs=5"], "bounded by steps or time, not by epochs; give --steps or --time"),
    "a misspelled path": (["train", "emty"], "no data set or path 'emty'; did you mean 'empty'?"),
    "a misspelled model": (["sample", "emty", "-n", "2", "-o", "x.png"], "no model in emty"),
    "only one image": (["train", "one"], "only one image"),
    "file of no known kind": (["train", "notes.md"], "is not recognized as data"),
    "text": (["train", "notes.txt"], "notes.txt has 1 line of text; give at least two"),
    "empty csv": (["train", "empty.csv"], "empty.csv is empty"),
    "csv of one column": (["train", "single.csv"], "one column, 'a'"),
    "csv of uneven rows": (["train", "uneven.csv"], "is not a table"),
    "an option as a field": (["train", "digits", "until=plateau"], "write --until plateau"),
    "a kind that there is not": (["train", "good.csv", "columns=a=nubmer"], "did you mean 'number'?"),
    "a constraint that violates it": (["train", "good.csv", "constraints=a<0"], "violates it"),
    "a target that there is not": (["train", "good.csv", "target=x"], "no column 'x'"),
    "unreadable npy": (["train", "bad.npy"], "not a .npy"),
    "labels that are not there": (["train", "ring", "labels=true"], "no labels"),
    "recipe for other data": (["train", "ring", "--recipe", "dcgan"], "choose another recipe with --recipe"),
    "out is a file": (["train", "digits", "--out", "notes.txt"], "not a run"),
    "out below a file": (["train", "digits", "--out", "notes.txt/run"], "not a folder"),
    "resume and force": (["train", "digits", "--resume", "--force"], "one of them"),
    "no model": (["sample", "empty", "-o", "x.png"], "no model in empty"),
    "no out": (["sample", "empty"], "--out"),
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A folder of archives and folders that cannot be used, each for its own reason."""
    folder = tmp_path_factory.mktemp("hostile")
    for name in ("empty", "one", "cut", "bombs", "same", "lies", "classes/cats", "classes/dogs"):
        (folder / name).mkdir(parents=True)
    Image.new("L", (8, 8)).save(folder / "one" / "a.png")
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32), dtype=np.uint8))
    noise.save(folder / "cut" / "a.png")
    picture = (folder / "cut" / "a.png").read_bytes()
    (folder / "cut" / "b.png").write_bytes(picture[:500])
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    with zipfile.ZipFile(folder / "cut.zip", "w") as archive:
        for i in range(3):
            archive.writestr(f"{i}.png", picture)
    (folder / "cut.zip").write_bytes((folder / "cut.zip").read_bytes()[:1500])
    bomb = zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED)
    with bomb, bomb.open("a.png", "w") as member:
        for _ in range(400):
            member.write(bytes(2**20))
    with zipfile.ZipFile(folder / "links.zip", "w") as archive:
        for i in range(2):
            link = zipfile.ZipInfo(f"{i}.png")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, "/etc/passwd")
    Image.new("1", (20_000, 10_000)).save(folder / "bombs" / "0.png")
    shutil.copy(folder / "bombs" / "0.png", folder / "bombs" / "1.png")
    for i in range(3):
        Image.new("RGB", (8, 8), "red").save(folder / "same" / f"{i}.png")
        (folder / "lies" / f"{'abc'[i]}.png").write_text("not a picture")
        Image.new("L", (8, 8), 50 * i).save(folder / "classes" / "cats" / f"{i}.png")
    Image.new("L", (8, 8), 9).save(folder / "classes" / "dogs" / "0.png")
    for name in ("train", "test"):
        (folder / "split" / name).mkdir(parents=True)
    for i in range(3):
        Image.new("L", (8, 8), 50 * i).save(folder / "split" / "test" / f"{i}.png")
    Image.new("L", (8, 8), 9).save(folder / "split" / "train" / "0.png")
    return folder


TEXTS = {
    "text.zip": "not an archive",
    "notes.md": "not data",
    "notes.txt": "not data",
    "empty.csv": "",
    "single.csv": "a\n1\n2\n",
    "uneven.csv": "1,2\n3,4,5\n",
    "good.csv": "a,b\n1,x\n2,y\n3,x\n",
    "bad.npy": "nothing",
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line(case, typed, hostile, tmp_path):
    shutil.copytree(hostile, tmp_path, dirs_exist_ok=True)
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


def test_judging(typed, run, tmp_path):
    """The table names every metric with its features, next to those of real data and of a baseline."""
    shutil.copytree(run, tmp_path / "a")
    status, out, _ = typed("evaluate", "a", "--samples", 60)
    assert status == 0
    assert re.search(r"^metric +samples +real +baseline", out, re.MULTILINE)
    assert re.search(r"^fid\[classifier\] +[\d.]+ +[\d.]+ +[\d.]+ +↓$", out, re.MULTILINE)
    assert "60 samples compared with 1,617 images of the training part of digits" in " ".join(out.split())
    assert "- blurred" in out or "- noisy" in out or "- mode collapse" in out
    assert (tmp_path / "a" / "evaluation.json").is_file()
    status, out, _ = typed("evaluate", "a", "--samples", 60, "--json", "--features", "patches")
    assert status == 0
    assert json.loads(out)["numbers"]["fid[patches]"]["best"] == "low"
    status, out, _ = typed("compare", "a", run, "--samples", 60)
    assert status == 0
    assert re.search(r"^fid\[patches\] +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+$", out, re.MULTILINE)
    assert (tmp_path / "runs" / "compare" / "README.md").is_file()
    status, out, _ = typed("bench")
    assert status == 0
    assert "stacked-mnist" in out


def test_bad_input_to_judging(typed, run):
    cases = {
        ("evaluate", "nowhere"): "there is no model in nowhere",
        ("evaluate", run, "--samples", "2"): "2 samples cannot be evaluated",
        ("evaluate", run, "--against", "nothing"): "no data set or path 'nothing'",
        ("evaluate", run, "--against", "ring"): "'ring' holds points, but the model generates images",
        ("evaluate", run, "--features", "incepton"): "did you mean 'inception'",
        ("compare", run): "1 run was given",
        ("compare", run, run, "-o", run): "holds a run",
        ("bench", "rings"): "did you mean 'ring'",
        ("bench", "ring", "--budget", "tpu"): "did you mean 'gpu'",
        ("bench", "ring", "--rows", "dcgan"): "ring has no row 'dcgan'",
    }
    for words, said in cases.items():
        status, _, err = typed(*words)
        assert (status, err.count("\n")) == (2, 1)
        assert said in err


def test_folders_without_a_model_name_those_with_one(typed, run, tmp_path):
    """The name of a run begins with its recipe, which the data chose: a command of the docs may name another."""
    shutil.copytree(run, tmp_path / "runs" / "musegan-songs")
    (tmp_path / "runs" / "check-songs").mkdir()
    for wanted, proposed in (("chorale-songs", "models beside it"), ("musegan-song", "did you mean '")):
        status, _, err = typed("evaluate", tmp_path / "runs" / wanted)
        assert status == 2
        assert proposed in err
        assert "musegan-songs" in err
        assert "check-songs" not in err


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


def test_weights_that_are_not_finite(typed, run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    weights = other / "model" / "weights.safetensors"
    tensors = load_file(weights)
    next(t for t in tensors.values() if t.is_floating_point()).view(-1)[0] = float("nan")
    save_file(tensors, weights)
    status, _, err = typed("sample", other, "-o", "x.png")
    assert (status, err.count("\n")) == (2, 1)
    assert "holds numbers that are not finite, or huge" in err


def test_a_readme_that_is_not_utf_8(typed, run, tmp_path):
    other = shutil.copytree(run, tmp_path / "other")
    (other / "README.md").write_bytes(b"\xff notes\n")
    assert typed("evaluate", other, "--samples", 12)[0] == 0
    assert "## Evaluation" in (other / "README.md").read_text()


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
def test_a_full_disk(typed, tmp_path):
    """The run ends with one line, keeps its last checkpoint, and resumes once there is room."""
    subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"], check=True)  # says so where it cannot save
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
    assert typed(*words, "--resume")[0] == 0


def test_series_as_typed(typed, tmp_path):
    """Trained, sampled at any length, judged, simulated: each with its files, each bad wish in one line."""
    import pandas as pd

    close = 50 * np.exp(np.random.default_rng(0).normal(0, 0.01, 410).cumsum())
    frame = pd.DataFrame({"Date": pd.bdate_range("2021-01-01", periods=410), "Close": close.round(2)})
    frame.to_csv(tmp_path / "p.csv", index=False)
    status, out, _ = typed("train", "p.csv", "--steps", 3, "--out", "r", "window=40", "width=8")
    assert status == 0
    assert "channels: Close as returns" in out
    # 40 returns need 41 prices; a window with a price of the training data is not held out.
    assert "329 windows as (1, 40), 1 held out" in out
    assert typed("sample", "r", "-n", 2, "--length", 9, "-o", "two.csv")[0] == 0
    assert len(pd.read_csv(tmp_path / "two.csv")) == 18
    status, _, err = typed("evaluate", "r")
    assert (status, err.count("\n")) == (2, 1)
    assert "has 41 held-out rows, which is too few to evaluate" in err
    assert typed("evaluate", "r", "--against", "p.csv", "--samples", 4)[0] == 0
    assert (tmp_path / "r" / "evaluation.png").is_file()
    assert "![samples next to real data](evaluation.png)" in (tmp_path / "r" / "README.md").read_text()
    status, out, _ = typed("scenarios", "r", "-o", "risk", "-n", 100, "--horizon", 5)
    assert status == 0
    assert re.search(r"^5 +95% +\S+%", out, re.MULTILINE)
    for words, said in {
        ("sample", "r", "--length", "0"): "length=0 is out of range",
        ("sample", "r", "--label", "a"): "label 'a' was given",
        ("sample", "r", "--where", "a=1"): "does not support where; it supports length",
        ("scenarios", "r", "--weight", "Open=1"): "there is no price 'Open'",
    }.items():
        status, _, err = typed(*words, "-o", "none.csv")
        assert (status, err.count("\n")) == (2, 1), err
        assert said in err
    assert not (tmp_path / "none.csv").exists()


def test_using_as_typed(typed, run, tmp_path):
    bad = {
        (
            "sample",
            run,
            "-o",
            "x.png",
            "--length",
            "9",
        ): "length=9 was given, but this model of images does not support length",
        ("scenarios", run, "-o", "risk"): "scenarios",
        ("augment", run, "-o", "x.png"): "would be an image of the samples, not a data set",
        ("augment", run, "-o", "more", "--seeds", "0"): "seeds=0 is out of range; give at least 1",
    }
    for words, said in bad.items():
        status, _, err = typed(*words)
        assert (status, err.count("\n")) == (2, 1), err
        assert said in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("field", "why"),
    [("seed=3", "is an option, not a field of a recipe; write --seed 3"), ("quiet=3", "is not a field of a recipe"),
     ("data=3", "is not a field of a recipe; see the options with --help")],
)  # fmt: skip
def test_arguments_of_the_function_are_no_fields(monkeypatch, capsys, field, why):
    status, _, errors = sparring(monkeypatch, capsys, "train", "digits", field, "--steps", 1)
    assert (status, errors.count("\n")) == (2, 1)
    assert f"{field} {why}" in errors
