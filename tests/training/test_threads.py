"""One thread where other programs use the cores; written down, and changed at the same steps where a run is resumed."""

import json
import shutil
import time

import numpy as np
import pytest
import torch

import sparring
from sparring.errors import InputError
from sparring.training import checkpoint, threads
from sparring.training.threads import Threads


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


class Machine:
    """A machine with a clock of its own, where the work takes some time with one and with two threads."""

    def __init__(self, monkeypatch, path, one, two):
        self.now, self.seconds = 1000.0, {1: one, 2: two}
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        self.threads, self.compared = Threads(path, self.work), 0

    def work(self):
        self.compared += 1
        self.now += self.seconds[torch.get_num_threads()]

    def look(self, step, pace=0.01, after=1.0):
        self.now += after
        before = self.compared
        said = self.threads.look(step, pace)
        return said, self.compared > before


@pytest.fixture
def busy(monkeypatch, tmp_path):
    """Two threads take ten times as long as one."""
    return Machine(monkeypatch, tmp_path / "threads.jsonl", 0.01, 0.1)


def test_one_thread_where_another_program_uses_the_cores_and_all_when_it_has_ended(busy):
    assert busy.look(1)[0] == "threads 1 from step 1 on, which are 10.0 times as fast as the 2 before"
    assert torch.get_num_threads() == 1
    assert busy.look(50) == ("", False)
    busy.seconds[2] = 0.008
    assert busy.look(90, after=30) == ("", False)
    assert busy.look(99, after=40)[0] == "threads 2 from step 99 on, which are 1.2 times as fast as the 1 before"
    assert torch.get_num_threads() == 2
    assert [json.loads(line) for line in busy.threads.path.read_text().splitlines()] == busy.threads.changes
    assert [(change["step"], change["threads"]) for change in busy.threads.changes] == [(1, 1), (99, 2)]


def test_slightly_faster_is_not_enough_so_that_equal_seeds_give_equal_models(busy):
    busy.seconds[2] = 0.013
    assert busy.look(1) == ("", True)
    assert torch.get_num_threads() == 2
    assert not busy.threads.path.exists()


def test_threads_are_compared_again_when_the_pace_falls(busy):
    busy.seconds[2] = 0.006
    assert busy.look(1) == ("", True)
    assert busy.look(200, after=100) == ("", False)
    busy.seconds[2] = 0.1
    assert busy.look(300, pace=0.014) == ("", False)
    assert busy.look(400, pace=0.05)[0]
    assert torch.get_num_threads() == 1


def test_a_pace_that_has_fallen_for_other_reasons_costs_no_more_than_a_comparison(busy):
    busy.seconds[2] = 0.006
    busy.look(1)
    assert [busy.look(step, pace=0.05, after=3)[1] for step in range(10, 60, 10)] == [False, True, False, False, False]


def test_large_nets_are_not_compared(busy):
    busy.seconds.update({1: 8.0, 2: 0.3})
    assert busy.look(1) == ("", True)
    assert busy.now < 1002
    assert torch.get_num_threads() == 2


def test_a_number_that_the_user_has_given_is_kept(monkeypatch):
    assert Threads.chosen()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert not Threads.chosen()


@pytest.mark.parametrize("number", [0, -1, 10**9])
def test_a_damaged_file_is_refused(tmp_path, number):
    (tmp_path / "threads.jsonl").write_text(f'{{"step": 1, "threads": {number}, "faster": 2.0}}\n')
    with pytest.raises(InputError, match=r"threads.jsonl is damaged: a run cannot have had"):
        Threads(tmp_path / "threads.jsonl", lambda: None).restore(1)


FIELDS = {"G": (8, 8), "D": (8,), "batch": 8}


@pytest.fixture
def points(tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(60, 2)))
    return tmp_path / "points.npy"


def played(monkeypatch):
    """The number of threads of each step from now on."""
    seen, follow = {}, Threads.follow
    monkeypatch.setattr(
        Threads, "follow", lambda self, step: seen.update({step: torch.get_num_threads()}) or follow(self, step)
    )
    return seen


def test_a_resumed_run_changes_threads_after_the_same_steps(tmp_path, points, monkeypatch):
    monkeypatch.setattr("sparring.training.clock.CHECK_SECONDS", 0.0)
    monkeypatch.setattr(threads, "SLOWER", 0.0)  # compared all the time
    monkeypatch.setattr(threads, "APART", 0.0)
    monkeypatch.setattr(Threads, "_compare", lambda self: (1.0, 2.0) if self.now == 2 else (2.0, 1.0))
    seen = played(monkeypatch)
    options = {"out": tmp_path / "run", "steps": 12, "device": "cpu", "quiet": True, "save_every": 0.0, **FIELDS}
    model = sparring.train("gan", points, **options)
    assert seen == {step: 2 - (step + 1) % 2 for step in range(1, 13)}
    assert model.about["threads"][:3] == [[0, 2], [1, 1], [2, 2]]
    assert "| threads | 2; 1 from step 1 on; 2 from step 2 on" in (tmp_path / "run" / "README.md").read_text()

    monkeypatch.setattr(Threads, "_compare", lambda _: (1.0, 1.0))
    first, *others = sorted(checkpoint.saved(tmp_path / "run" / "checkpoints"), key=lambda place: int(place.name))
    for place in others:
        shutil.rmtree(place)
    begun = int(first.name)
    assert begun < 12
    before = dict(seen)
    seen.clear()
    assert sparring.train("gan", points, resume=True, **options).about["threads"] == model.about["threads"]
    assert seen == {step: number for step, number in before.items() if step > begun}


def test_a_run_whose_weights_do_not_depend_on_ranks_keeps_its_threads(tmp_path, points, monkeypatch):
    monkeypatch.setattr(Threads, "_compare", lambda _: pytest.fail("compared"))
    model = sparring.train("gan", points, out=tmp_path / "run", steps=2, device="cpu", quiet=True, shards=2, **FIELDS)
    ((step, number),) = model.about["threads"]
    assert (step, number) == (0, max(1, sparring.devices.cores() // 2))
