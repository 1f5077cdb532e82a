"""Runs with a bound in time, on machines whose speed changes, with a clock that only steps move."""

import json
import shutil
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import sparring
from sparring.training import checkpoint, clock, reserve, watch
from sparring.training.average import Average
from sparring.training.run import State

TIME = 60.0


class Killed(Exception):
    pass


@pytest.fixture
def machine(monkeypatch):
    """A machine whose `pace(step)` is the seconds of a step; it is killed after step `dies`."""
    state = SimpleNamespace(now=50.0, pace=lambda _: 1.0, dies=10**9)
    fake = SimpleNamespace(monotonic=lambda: state.now)
    for module in (clock, reserve):
        monkeypatch.setattr(module, "time", fake)
    update = Average.update

    def step(self, number, batch):
        update(self, number, batch)
        state.now += state.pace(number)
        if number >= state.dies:
            raise Killed

    monkeypatch.setattr(Average, "update", step)
    monkeypatch.setattr(watch, "animation", lambda *_: b"")  # takes longer than these runs
    return state


@pytest.fixture
def points(tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(200, 2)))
    return tmp_path / "points.npy"


def train(points, out, **more):
    settings = {
        "G": (8,),
        "D": (8,),
        "batch": 8,
        "time": TIME,
        "device": "cpu",
        "save_every": 20,
        "quiet": True,
        **more,
    }
    return sparring.train("r3gan_mlp", points, out=out, **settings)


def plans(out):
    return [json.loads(line) for line in (out / "plan.jsonl").read_text().splitlines()]


def last(out):
    tensors, state, _ = checkpoint.latest(out / "checkpoints", State)
    return tensors, state


def busy(step):
    """Four times as slow for the first ten steps, and at the end."""
    return 1.2 if step < 10 or step > 85 else 0.3


def test_the_whole_time_is_used_and_told(machine, points, tmp_path, capsys):
    machine.pace = busy
    model = train(points, tmp_path / "run", quiet=False)
    assert 0.95 * TIME <= model.about["seconds"] <= 1.02 * TIME
    assert model.about["plan"] > 0.97
    told = capsys.readouterr().out
    assert f"{model.about['step']} steps in 0:59 of 1:00, " in told
    assert "% of the plan" in told
    steps = [entry["step"] for entry in plans(tmp_path / "run")]
    assert steps == sorted(set(steps))


def test_a_killed_run_repeats_its_plans(machine, points, tmp_path, monkeypatch):
    """A run that is killed at its last step, and resumed from its first on a machine that is as fast on the whole but
    not from step to step, ends with the same bits.
    """
    machine.pace = busy
    monkeypatch.setattr(checkpoint, "KEEP", 9)
    train(points, tmp_path / "plain", save_every=1e9)
    shutil.copytree(tmp_path / "plain", tmp_path / "killed")
    for place in checkpoint.saved(tmp_path / "killed" / "checkpoints")[1:]:
        shutil.rmtree(place)
    machine.pace = lambda step: busy(step) + (0.2 if step % 2 else -0.2) * (10 <= step < 84)
    train(points, tmp_path / "killed", save_every=1e9, resume=True)
    (tensors, state), (again, resumed) = last(tmp_path / "plain"), last(tmp_path / "killed")
    assert state["step"] == resumed["step"] > 85
    assert state["plan"] == resumed["plan"]
    assert all(torch.equal(tensor, again[name]) for name, tensor in tensors.items())
    assert plans(tmp_path / "plain") == plans(tmp_path / "killed")


def test_a_run_killed_on_its_way_ends_with_its_time(machine, points, tmp_path):
    machine.pace, machine.dies = busy, 70
    with pytest.raises(Killed):
        train(points, tmp_path / "run")
    before = plans(tmp_path / "run")
    assert max(checkpoint.saved(tmp_path / "run" / "checkpoints")).name < "000000068"
    machine.dies = 10**9
    model = train(points, tmp_path / "run", resume=True)
    assert plans(tmp_path / "run")[: len(before)] == before
    assert 0.95 * TIME <= model.about["seconds"] <= 1.02 * TIME
    assert model.about["plan"] > 0.97


def test_a_run_goes_on_to_another_time(machine, points, tmp_path):
    first = train(points, tmp_path / "run")
    machine.pace = lambda _: 0.5
    model = train(points, tmp_path / "run", resume=True, time=2 * TIME)
    assert 0.95 * 2 * TIME <= model.about["seconds"] <= 1.02 * 2 * TIME
    again = plans(tmp_path / "run")
    begun = next(entry for entry in again if entry["step"] > first.about["step"])
    assert 0.4 < begun["progress"] < 0.6
    assert all(a["progress"] <= b["progress"] for a, b in pairwise(again) if a["step"] > first.about["step"])


def test_a_table_says_why_it_ends_before(machine, tmp_path, capsys):
    random = np.random.default_rng(0)
    rows = "\n".join(f"{random.normal():.3f},{random.choice(list('xyz'))}" for _ in range(60))
    (tmp_path / "t.csv").write_text(f"a,b\n{rows}\n")
    machine.pace = lambda _: 0.1
    small = {"batch": 20, "width": 8, "D": 8, "z": 4, "passes": 10, "sweeps": 0}
    sparring.train("table", tmp_path / "t.csv", out=tmp_path / "run", time=TIME, device="cpu", **small)
    assert "27 steps are the most for 54 rows, which more would memorize), 100% of the plan" in capsys.readouterr().out


@pytest.mark.parametrize(("pace", "few"), [(5.0, True), (0.2, False)])
def test_a_time_for_few_steps_is_reported(machine, points, tmp_path, capsys, pace, few):
    machine.pace = lambda _: pace
    train(points, tmp_path / "run", quiet=False)
    assert ("hardly anything is learned" in capsys.readouterr().out) == few
