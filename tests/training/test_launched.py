"""Processes that torchrun has started train one run, which survives the end of any of them."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

import sparring
from sparring.errors import InputError
from sparring.runs.folder import RunFolder
from sparring.training import checkpoint, setup
from sparring.training.launch import follow
from sparring.training.launcher import Launcher, find_launcher
from sparring.training.prepare import prepare
from sparring.training.publish import publish
from sparring.training.run import Run
from sparring.training.team import Team

FIELDS = {"G": (8, 8), "D": (8,), "batch": 8, "shards": 2}
TRAIN = ("-m", "sparring", "train")
OPTIONS = ("--recipe", "gan", "--device", "cpu", *(
    f"{name}={','.join(map(str, value)) if isinstance(value, tuple) else value}" for name, value in FIELDS.items()
))  # fmt: skip
# Restarted processes would find the addresses of their predecessors (pytorch#135712).
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
PATIENCE = 300  # seconds


def torchrun(*options: str, run: tuple[str, ...]) -> subprocess.Popen:
    """An agent of torchrun, in a process group of its own with its workers' groups apart."""
    command = [sys.executable, "-m", "torch.distributed.run", *options, *run]
    return subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def children(process: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def end(run: Path) -> dict[str, Tensor]:
    return checkpoint.latest(run / "checkpoints", dict)[0]


def alone(out: Path, steps: int, data: str | Path = "digits") -> dict[str, Tensor]:
    """The tensors at the end of the same run in this process alone."""
    sparring.train("gan", data, out=out, steps=steps, device="cpu", quiet=True, **FIELDS)
    return end(out)


def assert_equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert [name for name in one if not torch.equal(one[name], other[name])] == []


def reached(run: Path, step: int) -> None:
    """Wait for a checkpoint at or after this step."""
    deadline = time.monotonic() + PATIENCE
    while not any(int(place.name) >= step for place in checkpoint.saved(run / "checkpoints")):
        assert time.monotonic() < deadline
        time.sleep(0.05)


TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "photos", "RANK": "5", "WORLD_SIZE": "6", "LOCAL_RANK": "1", "GROUP_WORLD_SIZE": "3",
    "TORCHELASTIC_RESTART_COUNT": "0",
}  # fmt: skip
SRUN = {
    "SLURM_JOB_ID": "77", "SLURM_STEP_NUM_TASKS": "6", "SLURM_STEP_NUM_NODES": "2", "SLURM_PROCID": "4",
    "SLURM_LOCALID": "1", "SLURM_NTASKS": "6",
}  # fmt: skip


def test_launchers_are_recognized():
    assert find_launcher(TORCHRUN) == Launcher("torchrun", 5, 6, 1, 3, "photos")
    assert find_launcher(SRUN) == Launcher("srun", 4, 6, 1, 2, "77")
    assert find_launcher(SRUN | {"SLURM_RESTART_COUNT": "1"}).restarted
    batch_script = {name: value for name, value in SRUN.items() if "STEP" not in name}
    assert find_launcher(batch_script) == find_launcher({}) == Launcher()


@pytest.mark.parametrize(
    ("recorded", "job", "restarted", "continues"),
    [
        ("torchrun photos", "photos", False, True),  # a machine has joined or left
        ("torchrun photos", "other", True, False),  # a second job in the same folder
        ("torchrun none", "none", True, True),
        ("torchrun none", "none", False, False),  # perhaps another job without a name
        ("", "photos", True, False),
    ],
)
def test_a_job_continues_its_own_run_only(recorded, job, restarted, continues):
    assert Launcher("torchrun", job=job, restarted=restarted).continues(recorded) == continues


def test_a_second_command_in_a_job_of_slurm_does_not_continue_the_run_of_the_first():
    assert not Launcher("srun", job="77").continues("srun 77")
    assert Launcher("srun", job="77", restarted=True).continues("srun 77")


def srun(monkeypatch, tasks: int, restarts: int = 0) -> None:
    """This process as the first task that srun has started."""
    first = {"SLURM_STEP_NUM_TASKS": str(tasks), "SLURM_STEP_NUM_NODES": "1", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}
    for name, value in {**SRUN, **first, "SLURM_NTASKS": str(tasks), "SLURM_RESTART_COUNT": str(restarts)}.items():
        monkeypatch.setenv(name, value)


GAN = {"device": "cpu", "steps": 2, **FIELDS}


def test_a_restarted_job_says_that_it_continues_and_ignores_force(tmp_path, monkeypatch, capsys):
    srun(monkeypatch, tasks=1)
    sparring.train("gan", "digits", out=tmp_path, force=True, **GAN)
    with pytest.raises(InputError, match="already holds a run"):
        sparring.train("gan", "digits", out=tmp_path, **GAN)
    srun(monkeypatch, tasks=1, restarts=1)
    capsys.readouterr()
    sparring.train("gan", "digits", out=tmp_path, force=True, **GAN)
    said = capsys.readouterr()
    assert "srun has started job 77 again; its run continues without --force" in said.out + said.err


def test_ranks_within_one_task_of_slurm(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.devices.START_METHOD", "fork")
    srun(monkeypatch, tasks=1)
    sparring.train("gan", "digits", out=tmp_path / "two", ranks=2, quiet=True, **GAN)
    assert_equal(end(tmp_path / "two"), alone(tmp_path / "one", 2))


@pytest.mark.parametrize("command", ["#!/bin/sh\necho $@ >> queued", "#!/bin/sh\necho no such job >&2; exit 1", ""])
def test_a_job_that_ends_is_queued_again(tmp_path, monkeypatch, command):
    """SIGUSR1 arrives before the first step."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    if command:
        (tmp_path / "scontrol").write_text(command)
        (tmp_path / "scontrol").chmod(0o755)
    srun(monkeypatch, tasks=1)
    restore = Run.restore
    monkeypatch.setattr(Run, "restore", lambda run: os.kill(os.getpid(), signal.SIGUSR1) or restore(run))
    monkeypatch.setattr("sparring.training.clock.CHECK_SECONDS", 0.0)
    begin = partial(sparring.train, "gan", "digits", out=tmp_path / "run", quiet=True, **{**GAN, "steps": 500})
    if "queued" in command:
        assert begin().about["step"] < 500
        assert (tmp_path / "queued").read_text() == "requeue 77\n"
    else:
        why = "no such job" if command else r"scontrol cannot be run"
        with pytest.raises(
            InputError, match=f"^job 77 cannot be queued again: {why}.*queue it yourself, with --resume$"
        ):
            begin()


def test_a_job_is_queued_again_if_its_time_is_over_soon_when_the_data_are_read(tmp_path, monkeypatch):
    (tmp_path / "scontrol").write_text("#!/bin/sh\necho $@ >> $(dirname $0)/queued")
    (tmp_path / "scontrol").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    srun(monkeypatch, tasks=1)
    monkeypatch.setattr(setup, "prepare", lambda *what: os.kill(os.getpid(), signal.SIGUSR1) or prepare(*what))
    monkeypatch.setattr("sparring.training.clock.CHECK_SECONDS", 0.0)
    sparring.train("gan", "digits", out=tmp_path / "run", quiet=True, **{**GAN, "steps": 500})
    assert (tmp_path / "queued").read_text() == "requeue 77\n"


def test_a_finished_run_is_not_queued_again(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # without scontrol
    srun(monkeypatch, tasks=1)
    finish = "sparring.training.run.publish"
    monkeypatch.setattr(finish, lambda *what: os.kill(os.getpid(), signal.SIGUSR1) or publish(*what))
    assert sparring.train("gan", "digits", out=tmp_path / "run", quiet=True, **GAN).about["step"] == 2
    os.kill(os.getpid(), signal.SIGUSR1)  # does not end this process


class Connection:
    """To the first rank; notes what was waited for."""

    def __init__(self, plan) -> None:
        self.plan, self.calls = plan, []

    def broadcast(self, _):
        return self.plan

    def barrier(self):
        self.calls.append("barrier")


@pytest.mark.parametrize("local_rank", [0, 1])
def test_a_follower_without_the_data_meets_the_others_before_it_says_so(tmp_path, monkeypatch, local_rank):
    recipe = sparring.recipes.find("gan").set(FIELDS)
    plan = pickle.dumps((None, RunFolder(tmp_path), None, None))
    connection = Connection((recipe.source, asdict(recipe), plan))
    team = Team(connection, Launcher("torchrun", 2 + local_rank, 4, local_rank, 2))

    def gather(problems, problem):
        connection.calls.append(problem)
        problems[:] = [problem] * len(problems)

    monkeypatch.setattr(torch.distributed, "all_gather_object", gather)
    request = SimpleNamespace(data=str(tmp_path / "missing"), room=1)
    with pytest.raises(SystemExit):
        follow(request, team, lambda: False)
    (barrier, problem) = connection.calls
    assert barrier == "barrier"
    assert "is not recognized as data" in problem


@pytest.mark.parametrize(
    ("launcher", "ranks", "problem"),
    [
        (Launcher("torchrun", ranks=4), 2, r"ranks=2 was given, but torchrun has started the processes \(4\)"),
        (Launcher("srun", ranks=5, nodes=2), 1, "srun has started 5 processes on 2 machines; start equally many"),
        (Launcher("srun", 3, 6, 3, 2), 1, "more than 3 of its 6 processes on one of 2 machines; start equally many"),
    ],
)
def test_what_processes_cannot_do_is_refused(launcher, ranks, problem):
    with pytest.raises(InputError, match=problem):
        launcher.check(ranks)


def test_two_processes_train_what_one_trains(tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).normal(size=(60, 2)))  # read sooner than digits
    run = (*TRAIN, str(tmp_path / "points.npy"), *OPTIONS, "--steps", "4", "--out", str(tmp_path / "two"))
    process = torchrun("--standalone", "--nproc-per-node", "2", run=run)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert "2 ranks share batches of 8 samples in 2 shards" in output
    assert output.count("sparring sample") == 2  # the first rank alone says what to try
    assert_equal(end(tmp_path / "two"), alone(tmp_path / "one", 4, tmp_path / "points.npy"))


# In Python, with checkpoints all the time.
SCRIPT = f"""
import sys, sparring
sparring.train("gan", "digits", out=sys.argv[1], steps=int(sys.argv[2]), device="cpu", save_every=0.05, **{FIELDS})
"""
STEPS = 600


@pytest.fixture
def script(tmp_path):
    (tmp_path / "run.py").write_text(SCRIPT)
    return str(tmp_path / "run.py"), str(tmp_path / "run"), str(STEPS)


def elastic(script: tuple[str, ...], port: int) -> subprocess.Popen:
    """One of up to two agents, as on two machines with one process each."""
    address = ("--rdzv-backend", "c10d", "--rdzv-endpoint", f"localhost:{port}", "--rdzv-id", "job")
    waits = ("--rdzv-conf", "last_call_timeout=2,keep_alive_interval=1,keep_alive_max_attempt=3")
    return torchrun("--nnodes", "1:2", "--max-restarts", "3", *address, *waits, run=script)


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("localhost", 0))
        return int(place.getsockname()[1])


def finished(process: subprocess.Popen, tmp_path: Path) -> str:
    """What torchrun says in the end of a run, which must be that of the undisturbed one."""
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert "resumed at step" in output
    assert_equal(end(tmp_path / "run"), alone(tmp_path / "one", STEPS))
    return output


@pytest.mark.slow
def test_a_killed_process_is_started_again_and_the_run_goes_on(tmp_path, script):
    process = torchrun("--standalone", "--nproc-per-node", "2", "--max-restarts", "2", run=script)
    reached(tmp_path / "run", 50)
    os.kill(children(process.pid)[-1], signal.SIGKILL)
    finished(process, tmp_path)


@pytest.mark.slow
def test_an_agent_is_killed_with_its_process_and_the_run_goes_on_alone(tmp_path, script):
    port = free_port()
    stays = elastic(script, port)  # holds the meeting place
    leaves = elastic(script, port)
    reached(tmp_path / "run", 50)
    for process in (*children(leaves.pid), leaves.pid):
        os.kill(process, signal.SIGKILL)
    leaves.communicate()
    output = finished(stays, tmp_path)
    assert "2 ranks share" in output


@pytest.mark.slow
def test_an_agent_joins_and_the_run_goes_on_with_both(tmp_path, script):
    port = free_port()
    first = elastic(script, port)
    reached(tmp_path / "run", 50)
    second = elastic(script, port)
    output = finished(first, tmp_path)
    assert second.wait(PATIENCE) == 0
    assert "2 ranks share" in output


@pytest.mark.slow
def test_a_second_run_in_the_same_folder_is_refused_in_one_line(tmp_path, script):
    with RunFolder(tmp_path / "run").held():
        run = (*TRAIN, "digits", *OPTIONS, "--out", script[1])
        process = torchrun("--standalone", "--nproc-per-node", "2", run=run)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode
    assert output.count("is being trained by another command") == 1
    assert "InputError" not in output  # no traceback but that of torchrun
    assert "exitcode  : 2" in output
