"""A time becomes a number of steps, again and again: the run ends with the time, and its schedules with it."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lightning_fabric import Fabric

from sparring.errors import InputError
from sparring.training.bounds import AIM, Bound
from sparring.training.clock import Clock
from sparring.training.plan import Plan, PlanFile

TIME = 240.0


def simulated(monkeypatch, pace, bound=None, score=0.0, reserve=0.0):
    """Play steps that take pace(seconds) each. Returns the bound, the last step and second, and progress by second."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    clock = Clock(Fabric(accelerator="cpu", devices=1), 500, 30.0, 0, 0.0)
    bound = bound or Bound(None, TIME)
    bound.reserve = reserve
    step, course = 0, []
    while not bound.over(step):
        step += 1
        now[0] += pace(now[0] - 100)
        course.append((now[0] - 100, bound.plan.at(step)))
        if step >= clock.next:
            now[0] += score * clock.look(step, bound, False).score
            clock.go_on()
    return bound, step, now[0] - 100, course


MACHINES = {
    "steady": lambda _: 0.02,
    "busy in the first fifth": lambda t: 0.08 if t < TIME / 5 else 0.02,
    "slow at the end": lambda t: 0.02 if t < 0.8 * TIME else 0.1,
    "stopped for a while": lambda t: 15.0 if 100 < t < 101 else 0.02,
    "slow to begin": lambda t: 5.0 if t < 1 else 0.02,
    "ever slower": lambda t: 0.01 * (1 + t / 10),
    "up and down": lambda t: 0.02 if int(t / 7) % 2 else 0.07,
    "few long steps": lambda _: 2.5,
}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_run_takes_its_time_whatever_the_machine_does(machine, monkeypatch):
    bound, step, seconds, course = simulated(monkeypatch, MACHINES[machine])
    assert 0.95 * TIME <= seconds <= 1.02 * TIME
    assert bound.plan.at(step) > 0.97
    assert all(a[1] <= b[1] for a, b in pairwise(course))  # schedules never go back
    gone = [(t / (AIM * TIME), progress) for t, progress in course]
    assert max(abs(a - b) for a, b in gone) < 0.08  # and follow the time that has gone by


def test_scores_and_what_follows_the_last_step_are_part_of_the_time(monkeypatch):
    bound, step, seconds, _ = simulated(monkeypatch, MACHINES["steady"], score=4.0, reserve=30.0)
    assert 0.95 * TIME <= seconds + 30 <= 1.02 * TIME
    assert bound.plan.at(step) > 0.97


def test_a_number_of_steps_ends_a_run_before_its_time(monkeypatch):
    bound, step, seconds, course = simulated(monkeypatch, MACHINES["steady"], Bound(3000, TIME))
    assert step == 3000
    assert seconds == pytest.approx(60)
    assert bound.plan.at(step) == 1
    assert course[1500][1] == pytest.approx(0.5, abs=0.02)


def test_plans_are_few():
    """A day is not planned every quarter of a second."""
    bound, plans = Bound(None, 86400.0), set()
    step, seconds = 0, 0.0
    while not bound.over(step):
        step, seconds = step + 1, seconds + (2.0 + step % 3)
        bound.replan(step, seconds, 2.9 + step % 7 / 30)
        plans.add(bound.plan)
    assert 100 < len(plans) < 600


@given(st.integers(0, 50), st.floats(0, 0.99), st.integers(1, 1000), st.floats(0, 1))
def test_progress_and_steps_are_inverse(step, progress, more, wanted):
    plan = Plan(step, progress, step + more)
    at = plan.step_at(wanted)
    assert step <= at <= plan.total
    if wanted > progress:
        assert plan.at(at) == pytest.approx(wanted, abs=(1 - progress) / more)
    assert plan.at(plan.total) == 1
    assert Plan(total=more).at(3) == min(1.0, 3 / more)


def test_recorded_plans_are_repeated_at_their_steps(tmp_path):
    file = PlanFile(tmp_path / "plan.jsonl")
    plans = [Plan(3, 0.1, 50), Plan(7, 0.2, 40), Plan(9, 0.3, 60)]
    for plan in plans:
        file.add(plan, 1.0)
    with file.path.open("a") as lines:
        lines.write('{"step": 11, "pro')  # killed while it was written
    assert file.after(3) == plans[1:]
    bound = Bound(None, 100.0, kept=True, plan=plans[0], recorded=file.after(3))
    followed = []
    for step in range(4, 11):
        bound.replan(step, 10.0 + step, 7.0)
        followed.append(bound.plan)
    assert followed[:3] == [plans[0]] * 3
    assert followed[3:6] == [plans[1], plans[1], plans[2]]
    assert followed[6].step == 10  # planned by the clock again
    file.forget(7)
    assert file.after(0) == plans[:2]
    file.path.write_text("{}\n")
    with pytest.raises(InputError, match="is damaged"):
        file.after(0)


def test_a_run_goes_on_to_a_longer_time():
    """Resumed at two minutes with a bound of four, half of the plan has been played."""
    bound = Bound(None, 240.0)
    bound.resume(600, 0.5 * AIM * 240)
    assert (bound.plan.at(600), bound.plan.at(601)) == pytest.approx((0.5, 0.5))
    assert bound.total is None
    bound.replan(601, 0.5 * AIM * 240 + 0.2, 0.2)
    assert bound.total == pytest.approx(1191, abs=2)
