"""A folder is only replaced if a command wrote it, and only what was written is removed."""

import json

import pytest
from commands import command
from PIL import Image

import sparring
from sparring.errors import InputError
from sparring.folders import MARKER, output_folder
from sparring.modalities import find
from sparring.runs.folder import RunFolder

TOY = {"G": (8,), "D": (8,), "batch": 4, "steps": 1, "quiet": True, "device": "cpu", "size": 8}


@pytest.fixture(scope="module")
def run(tmp_path_factory, pictures):
    folder = tmp_path_factory.mktemp("runs") / "run"
    sparring.train("gan", pictures(1), out=folder, labels=True, **TOY)
    return folder


@pytest.fixture
def foreign(tmp_path):
    """A folder of the user's, with a name of every file by which a command once recognized its own."""
    folder = tmp_path / "mine"
    (folder / "model").mkdir(parents=True)
    (folder / "samples").mkdir()
    for name in ("report.json", "compare.json", "README.md", "thesis.txt", "model/weights.h5", "samples/0.wav"):
        (folder / name).write_text('{"mine": true}')
    (folder / "index.html").write_text('<meta name="generator" content="sparring explore">')
    return folder


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


COMMANDS = {
    "sample": "sample {run} -n 2 -o {out} --force",
    "check": "check {data} --out {out}",
    "check --write": "check {data} --write {out} --out {new} --force",
    "augment": "augment {run} -o {out} -n 2 --force",
    "explore": "explore {run} -o {out} --only interpolation --force",
    "compare": "compare {run} {run} -o {out} --force",
    "train": "train {data} --recipe gan --out {out} --steps 1 --force",
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("how", ["folder", "link", "recipe.json", "current folder"])
def test_a_folder_of_the_user_is_not_replaced(name, how, foreign, run, pictures, tmp_path, monkeypatch, capsys):
    out = foreign
    if how == "link":
        out = tmp_path / "link"
        out.symlink_to(foreign)
    elif how == "recipe.json":  # of a soup
        (foreign / "recipe.json").write_text('{"name": "soup", "recipe": "boil", "run": {}}')
    elif how == "current folder":
        monkeypatch.chdir(foreign)
        out = "."
    before = contents(foreign)
    line = COMMANDS[name].format(run=run, data=pictures(1), out=out, new=tmp_path / "new")
    status, errors = command(monkeypatch, capsys, line)
    assert status == 2
    assert "choose another" in errors[-1]
    assert contents(foreign) == before
    assert not (tmp_path / "new").exists()


def test_what_a_command_wrote_is_replaced(run, pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("sample", "check", "check --write", "explore"):
        line = COMMANDS[name].format(run=run, data=pictures(1), out="out", new="new")
        assert command(monkeypatch, capsys, line)[0] == 0
        assert command(monkeypatch, capsys, line)[0] == 0
        assert (tmp_path / "out" / MARKER).is_file()
        (tmp_path / "out").rename(tmp_path / f"out of {name}")
    (tmp_path / "out of sample").rename(tmp_path / "out")
    status, errors = command(monkeypatch, capsys, COMMANDS["check"].format(data=pictures(1), out="out"))
    assert status == 2  # samples are no report, and there is no --force
    assert "out holds another result of sparring (samples), not report" in errors[-1]


def write(folder, *names):
    with output_folder(folder, "samples") as part:
        for name in names:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            (part / name).write_text(f"new {name}")


def test_only_what_was_written_is_removed(tmp_path):
    folder, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    write(folder, "1.png", "cats/1.png", "dogs/1.png")
    (folder / "dogs" / "mine.txt").write_text("mine")
    (folder / "empty").mkdir()
    (folder / "link").symlink_to(outside)
    write(folder, "2.png", "cats/2.png")
    assert {"2.png", "cats/2.png", "dogs/mine.txt", MARKER} == set(contents(folder))
    assert (folder / "empty").is_dir()
    assert (folder / "link").is_symlink()
    with pytest.raises(InputError, match=r"files of yours that would be overwritten \(dogs/mine.txt\)"):
        write(folder, "dogs/mine.txt")
    assert (folder / "dogs" / "mine.txt").read_text() == "mine"
    write(folder, "3.png")
    assert {"3.png", "dogs/mine.txt", MARKER} == set(contents(folder))
    assert {path.name for path in tmp_path.iterdir()} == {"out", "outside"}


@pytest.mark.parametrize("name", ["../outside/kept", "{outside}/kept", "link/kept", "sub/../../outside/kept"])
def test_a_marker_that_leads_out_of_its_folder(tmp_path, name):
    """A folder from somebody else may come with any marker."""
    folder, outside = tmp_path / "out", tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    write(folder, "1.png")
    (folder / "link").symlink_to(outside)
    marker = {"what": "samples", "files": ["1.png", name.format(outside=outside)]}
    (folder / MARKER).write_text(json.dumps(marker))
    write(folder, "2.png")
    assert (outside / "kept").is_file()
    assert not (folder / "1.png").exists()


@pytest.mark.parametrize("marker", ["", "[]", '{"what": 1, "files": []}', '{"what": "samples"}', '{"files": [[]]}'])
def test_a_damaged_marker_is_none(tmp_path, marker):
    write(tmp_path / "out", "1.png")
    (tmp_path / "out" / MARKER).write_text(marker)
    with pytest.raises(InputError, match="not written by sparring"):
        write(tmp_path / "out", "2.png")


def test_a_run_is_replaced_without_what_the_user_added(tmp_path, pictures):
    run = RunFolder(tmp_path / "run")
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "checkpoints").mkdir(parents=True)
    run.path.mkdir()
    sparring.train("gan", pictures(1), out=run.path, **TOY)
    run.checkpoints.rename(elsewhere / "moved")  # to a larger disk
    run.checkpoints.symlink_to(elsewhere / "moved")
    added = ["notes.txt", "samples/favorite.png", "samples/notes.png", "checkpoints/000000001 good/state.json"]
    for name in added:
        (run.path / name).parent.mkdir(exist_ok=True)
        (run.path / name).touch()
    for folder in ("resume", "force"):
        sparring.train("gan", pictures(1), out=run.path, **{**TOY, "steps": 2}, **{folder: True})
        assert all((run.path / name).is_file() for name in added)
    assert run.checkpoints.is_symlink()
    assert sparring.load(run.path).about["step"] == 2  # an empty picture beside the sheets does not matter
    assert run.progress.is_file()


def test_a_run_of_0_1_is_replaced(tmp_path, pictures):
    sparring.train("gan", pictures(1), out=tmp_path, **TOY)
    for marker in (tmp_path / MARKER, tmp_path / "model" / MARKER):
        marker.unlink()
    sparring.train("gan", pictures(1), out=tmp_path, resume=True, **{**TOY, "steps": 2})
    (tmp_path / MARKER).unlink(missing_ok=True)
    assert sparring.train("gan", pictures(1), out=tmp_path, force=True, **TOY).about["step"] == 1


def test_evaluating_leaves_the_readme_of_others(run, tmp_path, monkeypatch, capsys):
    sparring.load(run).save(tmp_path / "model")
    (tmp_path / "model" / "README.md").write_text("# Mine\n\n## Evaluation\n\nby hand\n")
    command(monkeypatch, capsys, f"evaluate {tmp_path / 'model'} --samples 6 --features patches")
    assert "by hand" in (tmp_path / "model" / "README.md").read_text()


def test_folders_of_samples_are_data(run, tmp_path):
    sparring.load(run).sample(4).save(tmp_path / "out")
    assert Image.open(next((tmp_path / "out").rglob("*.png"))).size == (8, 8)
    items = find(tmp_path / "out")
    assert len(items) == 4
    assert not items.notes
