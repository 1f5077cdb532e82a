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
