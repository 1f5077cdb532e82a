"""A run in a job of a real Slurm, which ends it before its time is over, queues it again, and takes it off its node."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm import Cluster, cluster, install
from test_launched import FIELDS, alone, assert_equal, end

ROOT = Path(__file__).parents[2]
# While there is a file `slowly`, each step takes time, and next to no work.
RECIPE = """
import os, time
from sparring.recipes.gan import Gan

class Slow(Gan):
    def phases(self, game):
        phases = super().phases(game)
        phases[0].players[-1].after = lambda observed: time.sleep(0.2 * os.path.exists("slowly"))
        return phases
"""
STEPS = 700
MINUTES = 15  # of everything
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY")


@pytest.fixture
def slurm() -> Iterator[Cluster]:
    if problem := install():
        pytest.skip(problem)
    with tempfile.TemporaryDirectory(prefix="slurm") as folder, cluster(Path(folder)) as found:
        yield found


def job_script(train: str) -> str:
    """That of the docs, for two processes and three minutes."""
    (script,) = re.findall(r"```\n(#!/bin/bash\n#SBATCH.*?)```", (ROOT / "docs/scale.md").read_text(), re.DOTALL)
    for told, tested in (
        ("--nodes 3 --ntasks-per-node 8 --gpus-per-node 8", "--nodes 1 --ntasks-per-node 2"),
        ("--time 4:00:00", "--time 3"),
        ("USR1@180", "USR1@60"),
        ("sparring train photos/ --out /shared/run batch=192", train),
    ):
        assert script.count(told) == 1
        script = script.replace(told, tested)
    return script


@pytest.mark.slow
def test_a_job_is_queued_again_and_its_run_goes_on(tmp_path, slurm, monkeypatch):
    (tmp_path / "slow.py").write_text(RECIPE)
    (tmp_path / "slowly").touch()
    fields = f"G={','.join(map(str, FIELDS['G']))} D={FIELDS['D'][0]} batch={FIELDS['batch']} shards={FIELDS['shards']}"
    train = (
        f"{sys.executable} -m sparring train digits --recipe slow.py --device cpu --steps {STEPS} --out run {fields}"
    )
    (tmp_path / "job").write_text(job_script(train))
    monkeypatch.chdir(tmp_path)
    slurm.environment |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    job = slurm.run("sbatch", "--parsable", "--output", "said", "job")
    said = tmp_path / "said"

    # Slurm sends the signal 90 to 120 seconds after the start.
    restarts, deadline = 0, time.monotonic() + 60 * MINUTES
    while (state := slurm.job(job))["JobState"] not in ENDED:
        assert time.monotonic() < deadline, said.read_text()
        if int(state["Restarts"]) == 1 and not restarts and said.read_text().count("resumed at step") == 1:
            (tmp_path / "slowly").unlink()
            slurm.run("scontrol", "update", f"JobId={job}", "TimeLimit=30")  # no more signals
            slurm.run("scontrol", "requeue", job)  # as after the failure of a node
            restarts = 1
        time.sleep(1)
    text = said.read_text()
    print(text)  # shown where the test fails
    assert state["JobState"] == "COMPLETED"
    assert int(state["Restarts"]) >= 2
    assert restarts == 1
    assert "2 ranks share batches of 8 samples in 2 shards" in text
    steps = [int(step) for step in re.findall(rf"stopped at step (\d+); job {job} is queued again", text)]
    assert steps
    assert all(0 < step < STEPS for step in steps)
    assert f"srun has started job {job} again; its run continues" in text
    assert f"resumed at step {steps[0]}" in text
    assert_equal(end(tmp_path / "run"), alone(tmp_path / "one", STEPS))
