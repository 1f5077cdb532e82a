"""Checkpoints are written while training goes on, and nothing that relies on them notices."""

import errno
import math
import signal
import subprocess
import sys
import threading
import time

import pytest
import torch

import sparring
from sparring.errors import InputError
from sparring.training import checkpoint
from sparring.training.average import Average
from sparring.training.run import State
from sparring.training.writer import CheckpointWriter

TOY = {"G": (8,), "D": (8,), "batch": 8, "quiet": True, "device": "cpu"}
PATIENCE = 20  # seconds
STATE = {"seconds": 0.0, "salt": 0}


def train(out, **more):
    return sparring.train("gan", "digits", out=out, **{"steps": 30, "save_every": 0.0, **TOY, **more})


def last(out):
    tensors, state, _ = checkpoint.latest(out / "checkpoints", State)
    return tensors, state["step"]


@pytest.fixture
def steps(monkeypatch):
    """Calls `steps.then(number)` after each step. The second look at the clock is after the last step."""
    numbers = []
    update = Average.update

    def updated(average, number, batch):
        update(average, number, batch)
        numbers.append(number)
        steps.then(number)

    def steps():
        return numbers

    steps.then = lambda _: None
    monkeypatch.setattr(Average, "update", updated)
    monkeypatch.setattr("sparring.training.clock.CHECK_SECONDS", 1e6)
    return steps


def test_steps_do_not_wait_for_the_disk(steps, tmp_path, monkeypatch):
    """A checkpoint is as of its step, whenever it is written, and the next one waits for it."""
    train(tmp_path / "plain")
    put, passed, written = checkpoint.put, threading.Event(), []

    def slow(part, place, names):
        if place.name == f"{1:09}":
            assert passed.wait(PATIENCE)
        written.append((place.name, steps()[-1] if steps() else 0))
        put(part, place, names)

    steps().clear()
    monkeypatch.setattr(checkpoint, "put", slow)
    monkeypatch.setattr(checkpoint, "KEEP", 9)
    steps.then = lambda number: passed.set() if number == 12 else None
    train(tmp_path / "run")
    names, during = zip(*written, strict=True)
    # The last one was due, and is written in the end anyway.
    assert list(names) == ["000000000", "000000001", "000000030", "000000030"]
    assert during[1] >= 12
    (tensors, step), (plain, _) = last(tmp_path / "run"), last(tmp_path / "plain")
    assert step == 30
    assert all(torch.equal(t, plain[name]) for name, t in tensors.items())
    train(tmp_path / "one", steps=1)
    early = checkpoint._read(tmp_path / "run" / "checkpoints" / "000000001")[0]
    one = last(tmp_path / "one")[0]
    weights = [name for name in one if name.startswith(("game.", "average."))]
    assert all(torch.equal(one[name], early[name]) for name in weights)


def test_an_error_ends_the_run_at_the_next_step(steps, tmp_path, monkeypatch):
    """Later than that, hours would be lost."""
    write, played = checkpoint.write_bytes, threading.Event()

    def full(path, content):
        if steps():
            assert played.wait(PATIENCE)
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    def then(number):
        if number == 5:
            played.set()
            for thread in threading.enumerate():
                if thread.name == "checkpoint":
                    thread.join(PATIENCE)

    monkeypatch.setattr(checkpoint, "write_bytes", full)
    steps.then = then
    with pytest.raises(InputError, match=r"cannot write .*000000001: no space left on device; free some space"):
        train(tmp_path / "run")
    assert steps()[-1] == 5
    assert last(tmp_path / "run")[1] == 0
    assert not list((tmp_path / "run").rglob(".*part*"))
    monkeypatch.undo()
    assert train(tmp_path / "run", resume=True).about["step"] == 30


def test_an_error_of_the_last_checkpoint_is_not_lost(tmp_path, monkeypatch):
    """No model is written that no checkpoint belongs to."""
    write = checkpoint.write_bytes

    def full(path, content):
        if (tmp_path / "run" / "checkpoints" / "000000000").exists():
            raise OSError(errno.EACCES, "Permission denied")
        write(path, content)

    monkeypatch.setattr(checkpoint, "write_bytes", full)
    with pytest.raises(InputError, match=r"cannot write .*000000003: permission denied"):
        train(tmp_path / "run", steps=3, save_every=1e9)
    assert not (tmp_path / "run" / "model").exists()


def test_the_first_error_is_told_when_the_checkpoint_is_written(tmp_path, monkeypatch):
    """The folder of a run is not given back while a thread writes to it."""
    put, done = checkpoint.put, []

    def slow(*args):
        time.sleep(0.1)
        put(*args)
        done.append(True)

    monkeypatch.setattr(checkpoint, "put", slow)

    def step():
        with CheckpointWriter() as writer:
            writer.save(tmp_path, 1, {"w": torch.ones(4)}, STATE)
            raise RuntimeError("of a step")

    with pytest.raises(RuntimeError, match="of a step"):
        step()
    assert done


def test_copies_are_of_the_step_and_finite(tmp_path):
    """Large numbers, whose sum is not finite, are."""
    weights = torch.full((4,), 3e38)
    with CheckpointWriter() as writer:
        writer.save(tmp_path, 1, {"w": weights}, STATE)
        weights.fill_(1.0)
        for step, value in ((2, math.inf), (3, math.nan)):
            writer.save(tmp_path, step, {"w": torch.tensor([0.0, value])}, STATE)
    assert [place.name for place in checkpoint.saved(tmp_path)] == ["000000001"]
    assert (checkpoint.latest(tmp_path, dict)[0]["w"] == 3e38).all()


KILLED = """
import sys, time, sparring
from sparring.training import checkpoint

put = checkpoint.put

def slow(part, place, names):
    if place.name != "000000000":
        print("writing", flush=True)
        time.sleep(60)
    put(part, place, names)

checkpoint.put = slow
sparring.train("gan", "digits", out=sys.argv[1], steps=30, save_every=0.0, **{toy})
"""


def test_killed_while_writing(tmp_path):
    """The older checkpoint is whole, and the run ends where the undisturbed one does."""
    train(tmp_path / "plain")
    code = KILLED.replace("{toy}", repr(TOY))
    with subprocess.Popen([sys.executable, "-c", code, tmp_path / "run"], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout.readline() == "writing\n"
        run.send_signal(signal.SIGKILL)
    assert last(tmp_path / "run")[1] == 0
    train(tmp_path / "run", resume=True)
    (tensors, step), (plain, _) = last(tmp_path / "run"), last(tmp_path / "plain")
    assert step == 30
    assert all(torch.equal(t, plain[name]) for name, t in tensors.items())
