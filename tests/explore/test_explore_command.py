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
    """The folder of a trained run, which tests must not change."""
    out = tmp_path_factory.mktemp("run") / "dcgan-digits"
    sparring.train("dcgan", "digits", steps=2, quiet=True, device="cpu", out=out, width=8, z=8, labels=True)
    return out


def test_sheets_a_page_and_a_film(typed, run, tmp_path):
    words = (
        run,
        "-o",
        "walks",
        "--only",
        "interpolation",
        "--only",
        "truncation",
        "--film",
        "walk.gif",
        "--label",
        "7",
    )
    status, out, _ = typed(*words)
    assert status == 0
    written = {"interpolation.png", "truncation.png", "index.html", ".sparring.json"}
    assert {path.name for path in (tmp_path / "walks").iterdir()} == written
    assert "walks/interpolation.png  walks from one sample to another" in out
    assert out.splitlines()[-1] == "- open walks/index.html"
    with Image.open("walk.gif") as film:
        frames = [np.asarray(frame.convert("L")).astype(float) for frame in ImageSequence.Iterator(film)]
    steps = [np.abs(a - b).mean() for a, b in zip(frames, [*frames[1:], frames[0]], strict=True)]
    assert len(frames) == 120
    assert steps[-1] < 3 * np.median(steps)  # the last frame is as close to the first as any to the next
    status, _, err = typed(*words)
    assert (status, err) == (2, "sparring: walks exists already; choose another name or overwrite it with --force\n")
    assert typed(run, "-o", "walks", "--only", "truncation", "--force")[0] == 0
    assert not (tmp_path / "walks" / "interpolation.png").exists()


def test_a_video(typed, run):
    assert typed(run, "-o", "walks", "--only", "interpolation", "--film", "walk.mp4")[0] == 0
    with av.open("walk.mp4") as film:
        frames = [frame.to_ndarray(format="gray") for frame in film.decode(video=0)]
    assert len(frames) == 120
    assert frames[0].shape[0] % 2 == 0
    assert frames[0].std() > 1


BAD = [
    (["--only", "style-mixing"], "recipe 'dcgan' has no sheet 'style-mixing'; choose from samples, interpolation,"),
    (
        ["--only", "interpolation", "--film", "walk.avi"],
        "cannot write a film as '.avi'; choose from .gif, .mp4",
    ),
    (["--image", "none.png"], "there is no image none.png; give a file, or a folder of images"),
    (["--image", "text.png"], "text.png cannot be read: not an image, despite its suffix"),
    (["--image", "empty"], "there are no images in empty; give a file, or a folder of images"),
    (["--label", "ten"], "there is no label 'ten'; choose from 0, 1, 2, 3, 4, 5, 6, 7, 8, 9"),
    (["--data", "nowhere"], "there is no data set or path 'nowhere'"),
    (["--film", "taken.gif"], "taken.gif exists already"),
    (["--film", "folder.gif", "--force"], "folder.gif is a folder, and a file is to be written; choose another name"),
    (["--image", "/dev/null"], "/dev/null cannot be read: the file is empty"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=[" ".join(words) for words, _ in BAD])
def test_bad_input(words, message, typed, run, tmp_path):
    """One line, exit status 2, and nothing is written."""
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "taken.gif").write_text("taken")
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.gif").mkdir()
    before = sorted(tmp_path.iterdir())
    status, _, err = typed(run, "-o", "out", *words)
    assert (status, err.count("\n")) == (2, 1)
    assert message in err
    assert sorted(tmp_path.iterdir()) == before


def test_no_run(typed):
    assert typed("nowhere")[::2] == (2, "sparring: there is no model in nowhere\n")


def test_an_image_for_points(typed, tmp_path):
    sparring.train("r3gan_mlp", "ring", out=tmp_path / "run", steps=2, quiet=True)
    Image.new("L", (8, 8)).save(tmp_path / "p.png")
    status, _, err = typed("run", "-o", "out", "--image", "p.png")
    assert status == 2
    assert "image p.png was given, but recipe 'r3gan_mlp' generates points; only images can be inverted" in err


OTHERS = {
    "run": "run holds a run, ",
    "run/model": "run/model holds another result of sparring (model), not sheets; choose another folder",
    "": "is the working directory, your home directory or a parent of them",
    "photos": "photos was not written by sparring (it has no .sparring.json) and is not overwritten; choose another",
    "runs": "runs holds a run, ",
}


def test_other_files_stay_next_to_sheets(typed, run, tmp_path):
    assert typed(run, "-o", "sheets", "--only", "interpolation")[0] == 0
    (tmp_path / "sheets" / "notes.txt").write_text("mine")
    assert typed(run, "-o", "sheets", "--only", "truncation", "--force")[0] == 0
    written = {"truncation.png", "index.html", "notes.txt", ".sparring.json"}
    assert {path.name for path in (tmp_path / "sheets").iterdir()} == written


@pytest.mark.parametrize("out", OTHERS)
def test_force_removes_nothing_but_sheets(out, typed, run, tmp_path):
    """It keeps the run, folders above it, and a user's images."""
    shutil.copytree(run, tmp_path / "run")
    shutil.copytree(run, tmp_path / "runs" / "one")
    (tmp_path / "photos").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "photos" / "me.png")
    (tmp_path / "photos" / "index.html").write_text("<p>me")
    assert typed("run", "-o", "sheets", "--only", "interpolation")[0] == 0
    before = sorted(tmp_path.rglob("*"))
    status, _, err = typed("run", "-o", out or ".", "--only", "interpolation", "--force")
    assert (status, err.count("\n")) == (2, 1)
    assert OTHERS[out] in err
    assert sorted(tmp_path.rglob("*")) == before


def test_sheets_of_a_model_in_one_file(typed, run, tmp_path):
    """They are written next to the file."""
    sparring.load(run).save(tmp_path / "c.safetensors")
    status, out, _ = typed("c.safetensors", "--only", "interpolation")
    assert status == 0
    assert out.splitlines()[-1] == "- open c-explored/index.html"
    assert (tmp_path / "c-explored" / "index.html").is_file()


def test_a_run_of_another_version_is_named(typed, run, tmp_path):
    shutil.copytree(run, tmp_path / "old")
    described = tmp_path / "old" / "model" / "model.json"
    content = described.read_text().replace('"width"', '"breadth"')
    described.write_text(content.replace(f'"sparring": "{sparring.__version__}"', '"sparring": "0.0.1"'))
    status, _, err = typed("old")
    assert (status, err.count("\n")) == (2, 1)
    assert "old/model/model.json was written by another version of Sparring and cannot be read: recipe 'dcgan'" in err
    assert err.endswith(" has no field 'breadth'; use that version (0.0.1), or train again\n")
