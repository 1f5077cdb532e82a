"""A run ends bit for bit the same on any number of ranks that share its shards."""

from __future__ import annotations

from pathlib import Path

import pinned
import pytest
import torch
from torch import Tensor

from sparring import devices
from sparring.training import checkpoint

STEPS = 17  # the lazy players of StyleGAN2 move in the first and in the last one
FIELDS = {
    "images-r3gan_strided": {"augment": "ada", "batch": 8},  # ADA's probability
    "images-stylegan2": {"augment": "ada", "batch": 16},  # two players share an optimizer; the mean path length
    "images-fastgan": {"batch": 8},  # spectral and batch norm in G
    "unpaired-cyclegan": {"batch": 8},  # a pool of past fakes for each shard
    "rows-table": {"batch": 8},  # conditions
}


@pytest.fixture(autouse=True)
def _forked(monkeypatch):
    """Ranks begin at once, as copies of this process, which computes with one thread."""
    monkeypatch.setattr(devices, "START_METHOD", "fork")


def end(run: Path) -> dict[str, Tensor]:
    return checkpoint.latest(run / "checkpoints", dict)[0]


def differing(one: dict[str, Tensor], other: dict[str, Tensor]) -> list[str]:
    assert one.keys() == other.keys()
    return [name for name in one if not torch.equal(one[name], other[name])]


def trained(case: str, folder: Path, shards: int = 4, steps: int = STEPS, **changed) -> dict[str, Tensor]:
    """All tensors at the end of a run."""
    folder.mkdir(exist_ok=True)
    pinned.trained(case, folder, fields={**FIELDS[case], "shards": shards}, steps=steps, **changed)
    return end(folder / "run")


@pytest.mark.parametrize(
    "case",
    [
        "images-r3gan_strided",
        "unpaired-cyclegan",
        *[pytest.param(case, marks=pytest.mark.slow) for case in ("images-stylegan2", "images-fastgan", "rows-table")],
    ],
)
def test_equal_on_any_number_of_ranks(case, tmp_path):
    alone = trained(case, tmp_path / "1")
    for ranks in (2, 4):
        assert differing(alone, trained(case, tmp_path / str(ranks), ranks=ranks)) == []
