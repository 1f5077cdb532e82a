"""A search finds what is better, survives its workers, and is used by `train --like`."""

import re

import pytest
from test_cli import sparring as typed

import sparring
from sparring.errors import InputError
from sparring.runs.winner import Winner, winner
from sparring.tuning import search, tune
from sparring.tuning.trials import Ended, owned

FIELDS = ["lr=log:1e-4..1e-1", "z=2..8", "G=8|16,16", "batch=16"]


@pytest.fixture
def quick(monkeypatch):
    """Runs that report scores at once, in place of training: best at a learning rate of 0.01. Returns what was run."""
    runs = []

    def run(_, fields, folder, seed, report):
        values = dict(text.split("=") for text in fields)
        runs.append((folder.name, seed))
        score = abs(float(values["lr"]) - 0.01) + 0.001 * int(values["z"]) + 0.0001 * seed
        for percent in (10, 30, 90):
            if report(percent, score * 100 / percent):
                return Ended(pruned=True)
        return Ended("fid[coordinates]", score)

    monkeypatch.setattr(search, "run", run)
    monkeypatch.setattr(search, "_evaluated", lambda _: {"coverage[coordinates]": 0.9, "memorization": 0.5})
    return runs


def searched(folder, trials=12, **settings):
    return tune("ring", FIELDS, recipe="gan", out=folder, trials=trials, steps=100, quiet=True, **settings)


def test_a_search_finds_good_values_and_writes_a_page(quick, tmp_path):
    tuned = searched(tmp_path / "t")
    assert (tuned.trials, tuned.failed) == (12, 0)
    assert tuned.pruned > 0  # Hyperband ends those that are worse
    values = dict(text.split("=") for text in tuned.winner.fields)
    assert values["batch"] == "16"
    assert len(tuned.winner.values) == 3  # seeds
    assert [seed for name, seed in quick if "seed" in name] == [1, 2] * 3
    best = min(trial.value for trial in search._study(tmp_path / "t", None).trials if trial.value is not None)
    assert tuned.winner.values[0] == pytest.approx(best, abs=3e-4)  # the mean over seeds decides
    page = (tmp_path / "t" / "README.md").read_text()
    assert f"--like {tmp_path / 't'}" in page
    assert "| trial | lr | z | G | fid[coordinates] | coverage[coordinates] | memorization | Pareto front |" in page
    for name in ("history", "slices", "contour"):
        assert (tmp_path / "t" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_an_interrupted_search_continues(quick, tmp_path, monkeypatch):
    usual = search.run

    def killed(settings, fields, folder, seed, report):
        if len(quick) == 3:
            raise KeyboardInterrupt
        return usual(settings, fields, folder, seed, report)

    monkeypatch.setattr(search, "run", killed)
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "t", trials=5)
    monkeypatch.setattr(search, "run", usual)
    tuned = searched(tmp_path / "t", trials=5, resume=True)
    assert tuned.trials == 5
    assert [name for name, _ in quick if "seed" not in name] == ["0000", "0001", "0002", "0003", "0004"]


def test_another_search_is_not_continued_and_other_files_stay(quick, tmp_path):
    searched(tmp_path / "t", trials=2, finals=0)
    (tmp_path / "t" / "mine.txt").write_text("notes")
    with pytest.raises(InputError, match="was begun with other searched fields; give the same to resume it"):
        tune(
            "ring", ["z=2,3"], recipe="gan", out=tmp_path / "t", trials=3, finals=0, steps=100, quiet=True, resume=True
        )
    assert searched(tmp_path / "t", trials=3, finals=0, resume=True).trials == 3
    assert searched(tmp_path / "t", trials=1, finals=0, force=True).trials == 1
    assert (tmp_path / "t" / "mine.txt").read_text() == "notes"
    assert len(quick) == 4


def test_a_trial_has_one_owner(tmp_path):
    with owned(tmp_path / "0000") as mine, owned(tmp_path / "0000") as yours:
        assert (mine, yours) == (True, False)
    with owned(tmp_path / "0000") as mine:
        assert mine


def test_trials_that_fail_say_why(quick, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "run", lambda *_: Ended(why="sparring: no space left"))
    with pytest.raises(InputError, match="no trial came to its end: sparring: no space left"):
        searched(tmp_path / "t")
    assert len(search._study(tmp_path / "t", None).trials) == search.MAX_FAILED
    assert not quick


def test_a_winner_of_version_0_1_names_fields_as_they_were(tmp_path):
    Winner("gan", ("batch=8", "accumulate=4"), "score", (0.1,)).write(tmp_path)
    assert winner(tmp_path).fields == ("batch=8", "shards=4")
    with pytest.raises(InputError, match="accumulate is now shards; give shards=4"):
        sparring.recipes.find("gan").set({"accumulate": 4})


def test_values_of_the_winner_are_trained(tmp_path):
    Winner("gan", ("G=8", "z=3", "batch=4"), "fid[coordinates]", (0.1,)).write(tmp_path)
    assert winner(tmp_path).fields == ("G=8", "z=3", "batch=4")
    model = sparring.train(None, "ring", like=tmp_path, out=tmp_path / "run", steps=1, quiet=True, device="cpu", z=4)
    assert (model.recipe.name, model.recipe.G, model.recipe.z, model.recipe.batch) == ("gan", (8,), 4, 4)


def test_the_command_trains_in_processes(tmp_path, monkeypatch, capsys):
    """Two workers, two trials: the second worker finds the search that the first began."""
    monkeypatch.chdir(tmp_path)
    words = ["tune", "ring", "G=4|8", "D=4", "batch=64", "--recipe", "gan", "--steps", 400, "--out", "t"]
    status, printed, errors = typed(monkeypatch, capsys, *words, "--trials", 2, "--finals", 0, "--workers", 2)
    assert (status, errors) == (0, "")
    assert re.search(r"2 trials, 0 of them ended early, 0 failed; best:\n  G=[48] D=4|D=4 batch=64 G=[48]", printed)
    assert (tmp_path / "t" / "trials" / "0001" / "evaluation.json").is_file()
    status, _, errors = typed(monkeypatch, capsys, *words)
    assert (status, errors.count("\n")) == (2, 1)
    assert "--force" in errors


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["ring", "z=2,3"], "each run needs a bound; give --time (such as 5m) or --steps"),
        (["ring", "z=2,3", "--steps", "5", "--trials", "0"], "--trials 0 is out of range"),
        (["ring", "z=2,3", "--steps", "5", "--finals", "30"], "--finals 30 is out of range"),
        (["ring", "z=3", "--steps", "5"], "nothing is searched"),
        (["--join", "nowhere"], "nowhere holds no search"),
        (["ring", "--join", "t"], "remove 'ring'"),
        ([], "no data were given"),
    ],
)
def test_bad_input(tmp_path, monkeypatch, capsys, words, why):
    monkeypatch.chdir(tmp_path)
    status, _, errors = typed(monkeypatch, capsys, "tune", *words)
    assert (status, errors.count("\n")) == (2, 1)
    assert why in errors
