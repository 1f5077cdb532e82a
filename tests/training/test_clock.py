"""A time becomes a number of steps by the pace of steps alone."""

import time

from lightning_fabric import Fabric

from sparring.training.bounds import Bound
from sparring.training.clock import Clock


def test_what_is_done_between_looks_is_not_the_pace(monkeypatch):
    """A score of thirteen seconds in the first twentieth of a run does not make its end come soon."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock(Fabric(accelerator="cpu", devices=1), 8, 30.0, 0, 0.0)
    bound = Bound(None, 180.0)
    for step in range(1, 40):
        now[0] += 0.4
        clock.look(step, bound, False)
        if step == 8:
            now[0] += 13.0
        clock.go_on()
        if bound.total is not None:
            break
    assert 350 < bound.total < 450


def test_a_time_is_settled_again():
    """A run that begins slowly, and is then four times as fast, takes its time and not a part of it."""
    bound = Bound(None, 100.0)
    step, seconds, totals = 0, 0.0, []
    while not bound.over(step, seconds):
        pace = 0.4 if seconds < 8 else 0.1
        step, seconds = step + 1, seconds + pace
        bound.settle(step, seconds, pace)
        totals.append(bound.total)
    assert 85 < seconds < 100
    assert len(set(totals)) >= 4  # none, and one at each of several marks


def test_a_slower_phase_ends_when_its_schedule_does():
    """The second half of the steps takes three times as long each, as where D joins: time runs out with the steps."""
    bound = Bound(None, 100.0)
    step, seconds = 0, 0.0
    while not bound.over(step, seconds):
        pace = 0.1 if bound.total is None or step < bound.total / 2 else 0.3
        step, seconds = step + 1, seconds + pace
        bound.settle(step, seconds, pace)
    assert step == bound.total
    assert 80 < seconds < 100
