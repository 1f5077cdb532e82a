"""A run's folder belongs to one training at a time."""

import pytest

import sparring
from sparring.errors import InputError
from sparring.runs.folder import LOCK, RunFolder
from sparring.training import launch

TOY = {"G": (8,), "D": (8,), "batch": 8, "quiet": True, "device": "cpu"}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("sparring.runs.folder.LOCK_TIMEOUT", 0.1)


def test_two_do_not_train_in_one_folder(tmp_path):
    """Neither goes on with what the other is at, and neither starts it anew."""
    run = RunFolder(tmp_path / "run")
    sparring.train("gan", "digits", out=run.path, steps=1, **TOY)
    assert not run.busy()
    assert LOCK not in {path.name for path in run.path.iterdir()}
    with run.held():
        assert run.busy()
        for how in ({"resume": True, "steps": 2}, {"force": True, "steps": 2}):
            with pytest.raises(InputError, match="run is being trained by another command; wait for it"):
                sparring.train("gan", "digits", out=run.path, **how, **TOY)
    assert not run.busy()
    assert sparring.train("gan", "digits", out=run.path, resume=True, steps=2, **TOY).about["step"] == 2


def test_a_run_that_somebody_began_meanwhile_is_not_touched(tmp_path, monkeypatch):
    """Data take a while to read: what was free before may not be after."""
    planned = launch.new_run

    def slowly(*given):
        monkeypatch.setattr(launch, "new_run", planned)
        sparring.train("gan", "digits", out=tmp_path / "run", steps=1, **TOY)
        return planned(*given)

    monkeypatch.setattr(launch, "new_run", slowly)
    with pytest.raises(InputError, match="already holds a run"):
        sparring.train("gan", "digits", out=tmp_path / "run", steps=2, **TOY)
    assert sparring.load(tmp_path / "run").about["step"] == 1


@pytest.mark.parametrize("record", [None, "{", '{"run": 1}'])
def test_a_run_with_a_damaged_record_can_be_replaced(tmp_path, record):
    run = RunFolder(tmp_path / "run")
    sparring.train("gan", "digits", out=run.path, steps=1, **TOY)
    run.recipe.unlink() if record is None else run.recipe.write_text(record)
    assert run.job() == ""
    assert sparring.train("gan", "digits", out=run.path, steps=2, force=True, **TOY).about["step"] == 2


def test_a_lock_that_a_killed_training_left_is_none(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK).touch()
    assert not RunFolder(tmp_path / "run").busy()
    assert sparring.train("gan", "digits", out=tmp_path / "run", steps=1, **TOY).about["step"] == 1
