"""A run killed at any moment and resumed ends bit for bit where the undisturbed run ends."""

import multiprocessing
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch

import sparring
from sparring.training import checkpoint

STEPS = 60
RUNS = {
    "gan": {"batch": 16, "labels": True},
    "r3gan_strided": {"batch": 4, "width": 4, "augment": "ada", "flip": True, "crop": 0.2},
    "r3gan": {"batch": 4, "width": 8, "depth": 1, "group": 4, "noise": 0.2},
}


PROCESSES = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
PROCESSES.set_forkserver_preload(["sparring.recipes", "sparring.training.run", "lightning_fabric", "sklearn.datasets"])


def process(name: str, out: Path) -> multiprocessing.Process:
    """The training in another process, which does not have to import everything first."""
    started = PROCESSES.Process(target=train, args=(name, out))
    started.start()
    return started


def train(name: str, out: Path) -> None:
    sparring.train(
        name, "digits", out=out, steps=STEPS, resume=True, quiet=True, device="cpu", save_every=0.05, **RUNS[name]
    )


def begun(out: Path, is_over: Callable[[], bool]) -> None:
    """Wait until the run has a checkpoint to go back to, or is over."""
    while not is_over() and not checkpoint.saved(out / "checkpoints"):
        time.sleep(0.02)


def tensors(out: Path) -> dict[str, torch.Tensor]:
    state, _, _ = checkpoint.latest(out / "checkpoints", dict)
    model = safetensors.torch.load_file(out / "model" / "weights.safetensors")
    return state | {f"model.{name}": tensor for name, tensor in model.items()}


@pytest.mark.parametrize("name", RUNS)
def test_killed_and_resumed(name, tmp_path):
    train(name, tmp_path / "plain")
    moments = random.Random(name)
    kills = 0
    for _ in range(2):
        run = process(name, tmp_path / "killed")
        begun(tmp_path / "killed", lambda run=run: not run.is_alive())
        time.sleep(moments.uniform(0, 0.3))
        run.kill()
        run.join()
        kills += run.exitcode == -signal.SIGKILL
    assert kills
    train(name, tmp_path / "killed")
    undisturbed, resumed = tensors(tmp_path / "plain"), tensors(tmp_path / "killed")
    assert undisturbed.keys() == resumed.keys()
    assert all(torch.equal(undisturbed[key], resumed[key]) for key in undisturbed)
    steps = [line.split(",")[0] for line in (tmp_path / "killed" / "log.jsonl").read_text().splitlines()]
    assert len(steps) == len(set(steps))  # the log tells each stretch once


def test_ctrl_c_ends_well(tmp_path):
    """One SIGINT: the run stops after a step, writes its model, and exits as if it were done."""
    code = (
        "import sys, sparring\n"
        "sparring.train('gan', 'digits', out=sys.argv[1], steps=10**6, quiet=True, device='cpu', save_every=0.05)"
    )
    run = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "run")])
    begun(tmp_path / "run", lambda: run.poll() is not None)
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=60) == 0
    assert (tmp_path / "run" / "model" / "weights.safetensors").is_file()


def test_a_damaged_checkpoint_is_passed_over(tmp_path):
    """The checksum notices a flipped bit, and the one before is used; with none left, it is said."""
    for step in (1, 2, 3):
        checkpoint.save(tmp_path, step, {"w": torch.full((4,), float(step))}, {})
    assert [p.name for p in checkpoint.saved(tmp_path)] == ["000000002", "000000003"]
    newest = tmp_path / "000000003" / "state.safetensors"
    content = bytearray(newest.read_bytes())
    content[-3] ^= 1
    newest.write_bytes(content)
    found, state, problems = checkpoint.latest(tmp_path, dict)
    assert (found["w"][0], state["step"]) == (2, 2)
    assert "000000003 is damaged" in problems[0]
    (tmp_path / "000000002" / "state.json").unlink()
    with pytest.raises(ValueError, match="all checkpoints"):
        checkpoint.latest(tmp_path, dict)
    assert checkpoint.latest(tmp_path / "nowhere", dict) is None
