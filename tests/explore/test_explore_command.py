"""`sparring explore` as a user types it."""

import shutil
import sys

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

import sparring
from sparring.cli import main


@pytest.fixture
def typed(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)

    def type_(*words):
        monkeypatch.setattr(sys, "argv", ["sparring", "explore", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return type_


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a trained run, not to be changed."""
    out = tmp_path_factory.mktemp("run") / "dcgan-digits"
    sparring.train("dcgan", "digits", steps=2, quiet=True, device="cpu", out=out, width=8, z=8, labels=True)
    return out


def test_sheets_a_page_and_a_film(typed, run, tmp_path):
    words = (run, "-o", "ways", "--only", "interpolation", "--only", "typical", "--film", "way.gif", "--label", "7")
    status, out, _ = typed(*words)
    assert status == 0
    assert {path.name for path in (tmp_path / "ways").iterdir()} == {"interpolation.png", "typical.png", "index.html"}
    assert "ways/interpolation.png  from one sample to another" in out
    assert out.splitlines()[-1] == "- look at ways/index.html"
    with Image.open("way.gif") as film:
        frames = [np.asarray(frame.convert("L")).astype(float) for frame in ImageSequence.Iterator(film)]
    steps = [np.abs(a - b).mean() for a, b in zip(frames, [*frames[1:], frames[0]], strict=True)]
    assert len(frames) == 120
    assert steps[-1] < 3 * np.median(steps)  # from the last to the first as from any to the next
    status, _, err = typed(*words)
    assert (status, err) == (2, "sparring: ways exists already; choose another name or overwrite it with --force\n")
    assert typed(run, "-o", "ways", "--only", "typical", "--force")[0] == 0
    assert not (tmp_path / "ways" / "interpolation.png").exists()


def test_a_video(typed, run):
    assert typed(run, "-o", "ways", "--only", "interpolation", "--film", "way.mp4")[0] == 0
    with av.open("way.mp4") as film:
        frames = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
    assert len(frames) == 120
    assert frames[0].shape[0] % 2 == 0
    assert frames[0].std() > 1


BAD = [
    (["--only", "mixed"], "there is no sheet 'mixed' of images by recipe 'dcgan'; choose from interpolation, typical,"),
    (
        ["--only", "interpolation", "--film", "way.avi"],
        "cannot write a film as '.avi'; choose from .gif, .mp4",
    ),
    (["--picture", "none.png"], "there is no picture none.png; give a file, or a folder of pictures"),
    (["--picture", "text.png"], "text.png cannot be read: not a picture, whatever its suffix says"),
    (["--picture", "empty"], "there are no pictures in empty; give a file, or a folder of pictures"),
    (["--label", "ten"], "there is no label 'ten'; choose from 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
    (["--data", "nowhere"], "there is no data set or path 'nowhere'"),
    (["--film", "taken.gif"], "taken.gif exists already"),
    (["--film", "folder.gif", "--force"], "folder.gif is a folder, and a file is to be written; choose another name"),
    (["--picture", "/dev/null"], "/dev/null cannot be read: the file is empty"),
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_bad_input(words, said, typed, run, tmp_path):
    """One line, exit status 2, and nothing written."""
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "taken.gif").write_text("taken")
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.gif").mkdir()
    before = sorted(tmp_path.iterdir())
    status, _, err = typed(run, "-o", "out", *words)
    assert (status, err.count("\n")) == (2, 1)
    assert said in err
    assert sorted(tmp_path.iterdir()) == before


def test_no_run(typed):
    assert typed("nowhere")[::2] == (2, "sparring: there is no model in nowhere\n")


def test_a_picture_for_points(typed, tmp_path):
    sparring.train("r3gan_mlp", "ring", out=tmp_path / "run", steps=2, quiet=True)
    Image.new("L", (8, 8)).save(tmp_path / "p.png")
    status, _, err = typed("run", "-o", "out", "--picture", "p.png")
    assert status == 2
    assert "picture p.png was given, but recipe 'r3gan_mlp' makes points; only pictures" in err


OTHERS = {
    "run": "run holds a run, ",
    "run/model": "run/model holds something else than the sheets of sparring explore; choose another --out",
    "": "is the working directory, your home or above them",
    "photos": "photos holds something else than the sheets of sparring explore; choose another --out",
    "sheets": "sheets holds something else than the sheets of sparring explore; choose another --out",
    "runs": "runs holds a run, ",
}


@pytest.mark.parametrize("out", OTHERS)
def test_force_removes_nothing_but_sheets(out, typed, run, tmp_path):
    """Neither the run, nor what is above it, nor a user's pictures, nor what he put beside the sheets."""
    shutil.copytree(run, tmp_path / "run")
    shutil.copytree(run, tmp_path / "runs" / "one")
    (tmp_path / "photos").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "photos" / "me.png")
    (tmp_path / "photos" / "index.html").write_text("<p>me")
    assert typed("run", "-o", "sheets", "--only", "interpolation")[0] == 0
    (tmp_path / "sheets" / "notes.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    status, _, err = typed("run", "-o", out or ".", "--only", "interpolation", "--force")
    assert (status, err.count("\n")) == (2, 1)
    assert OTHERS[out] in err
    assert sorted(tmp_path.rglob("*")) == before


def test_sheets_of_a_model_in_one_file(typed, run, tmp_path):
    """Go beside it, as nothing can lie in it."""
    sparring.load(run).save(tmp_path / "c.safetensors")
    status, out, _ = typed("c.safetensors", "--only", "interpolation")
    assert status == 0
    assert out.splitlines()[-1] == "- look at c-explored/index.html"
    assert (tmp_path / "c-explored" / "index.html").is_file()


def test_a_run_of_another_version_is_named(typed, run, tmp_path):
    shutil.copytree(run, tmp_path / "old")
    described = tmp_path / "old" / "model" / "model.json"
    described.write_text(described.read_text().replace('"width"', '"breadth"'))
    status, _, err = typed("old")
    assert (status, err.count("\n")) == (2, 1)
    assert "old/model/model.json was written by another version of Sparring and cannot be read: recipe 'dcgan'" in err
