"""What docs/data.md, gpu.md, studio.md, files.md, installing.md and security.md show is what their commands do."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from commands import command
from PIL import Image
from test_docs import ROOT, blocks, commands, options_are_known, run

import sparring
from sparring.runs import folder

pytestmark = pytest.mark.usefixtures("brief_classifiers")


def page(name):
    return (ROOT / "docs" / f"{name}.md").read_text()


@pytest.fixture
def photos(pictures, tmp_path, monkeypatch):
    """A current folder with `photos/`, one of which is there twice, and `photos.zip`."""
    shutil.copytree(pictures(3), tmp_path / "photos")
    shutil.copy(tmp_path / "photos" / "cats" / "0.png", tmp_path / "photos" / "cats" / "again.png")
    shutil.make_archive(str(tmp_path / "photos"), "zip", tmp_path / "photos")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("photos")
def test_data(monkeypatch):
    first, write = [words for words in commands(page("data")) if "://" not in words[2]]  # others need a network
    run(first, monkeypatch)
    assert list(Path("runs/check-photos").glob("*.json"))
    run([*write, "--force"], monkeypatch)
    kept = [path for path in Path("photos-clean").rglob("*.png") if path.stem != "again"]
    assert len(kept) == 16
    assert not list(Path("photos-clean").rglob("again.png"))


@pytest.mark.usefixtures("photos")
def test_gpu(monkeypatch, capsys):
    """A second GPU is rare: without one, the command has to say so."""
    automatic, second, cpu = commands(page("gpu"))
    assert second[-1] == "cuda:1"
    if torch.cuda.device_count() < 2:
        code, lines = command(monkeypatch, capsys, shlex.join(second[1:]))
        assert (code, len(lines)) == (2, 1)
        assert "cuda:1" in lines[0]
    else:
        run([*second, "--force"], monkeypatch)
    run([*automatic, "G=8", "D=8"], monkeypatch)
    run([*cpu, "G=8", "D=8", "--force"], monkeypatch)
    assert sparring.load("runs/gan-photos").about["step"] == 2


def test_studio(monkeypatch):
    """It serves until Ctrl-C, as its own tests try: here its options, which `run` checks before its help."""
    typed = commands(page("studio"))
    assert [words[1] for words in typed] == ["studio"] * 3
    for words in typed:
        run(words, monkeypatch)


def test_files(tmp_path, monkeypatch):
    """The page lists what commands write into a run, and a run has nothing else."""
    monkeypatch.chdir(tmp_path)
    (block,) = [block for block in blocks("", page("files")) if block.startswith("runs/")]
    listed = set(re.findall(r"^  (\S+?)/? ", block, flags=re.MULTILINE))
    known = {name.split("/")[0] for name in (*folder.FILES, *folder.PATTERNS, "recipe.json")}
    assert listed == known - {f"model{folder.SUFFIX}"}  # signatures have a page of their own
    sparring.train("gan", "digits", time=2, quiet=True, device="cpu", G=(8,), D=(8,))
    made = {path.name for path in Path(block.split("\n")[0]).iterdir() if not path.name.startswith(".")}
    assert made <= listed
    assert {"plan.jsonl", "progress.gif", "curves.png", "tensorboard", "samples", "checkpoints", "model"} <= made


def test_installing():
    """Environments are made and images are built elsewhere (test_packaging.py); what is typed for them exists."""
    install, image = blocks("sh", page("installing"))
    words = [shlex.split(line.split("  #")[0]) for line in install.replace("&&", "\n").splitlines()]
    assert [each[0] for each in words] == ["python3", ".", "pip"]
    assert (ROOT / words[2][words[2].index("-c") + 1]).is_file()
    (inside,) = re.findall(r"--env \S+ sparring \\\n\s+(.+)", image)
    options_are_known(["sparring", *shlex.split(inside)])
    used = re.findall(r"--build-arg (\w+)=", page("installing").replace("\n", " "))
    assert set(used) == {"TORCH", "EXTRAS"} == set(re.findall(r"^ARG (\w+)=", (ROOT / "Dockerfile").read_text(), re.M))


@pytest.mark.usefixtures("photos")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_security(monkeypatch, capsys):
    pytest.importorskip("model_signing")
    monkeypatch.setenv("SPARRING_VERIFY_KEY", "to be restored")
    monkeypatch.delenv("SPARRING_VERIFY_KEY")
    signing, fuzzing = blocks("", page("security"))
    sparring.train("gan", "photos", out="runs/photos", steps=2, quiet=True, device="cpu", G=(8,), D=(8,))
    for line in signing.splitlines():
        words = shlex.split(line)
        if words[0] == "openssl":
            subprocess.run(words, check=True, capture_output=True)
        else:
            assert command(monkeypatch, capsys, shlex.join(words[1:]))[0] == 0, line
    assert Image.open("sheet.png").size[0] > 8
    weights = Path("runs/photos/model/weights.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x7f")
    assert command(monkeypatch, capsys, shlex.join([*words[1:], "--force"]))[0] == 2
    monkeypatch.delenv("SPARRING_VERIFY_KEY")  # which the option has set
    for line in fuzzing.splitlines():  # ten thousand inputs take long, and so do the models of one: their options
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            planned = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, check=True, capture_output=True, text=True)
            assert "tests/fuzz --seed" in planned.stdout
        else:
            shown = subprocess.run(
                [sys.executable, words[1], "--help"], cwd=ROOT, check=True, capture_output=True, text=True
            )
            assert all(word in shown.stdout for word in words if word.startswith("-"))
