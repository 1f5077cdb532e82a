"""Games that pull at the loop: they train, resume exactly, and play alike on one rank and on two."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from strains import STRAINS, build, play_on_ranks
from torch import Tensor

STEPS = 20  # more than 16, so that the lazy players move before and after a resume
every_strain = pytest.mark.parametrize("name", STRAINS)


@every_strain
def test_it_trains(name: str) -> None:
    strain = build(name)
    before = {n: p.detach().clone() for n, p in strain.game.named_parameters()}
    records = strain.play(STEPS)
    for record in records:
        for terms in [*record.losses.values(), record.observed]:
            assert all(value.isfinite() and value.ndim == 0 for value in terms.values())
    assert set(records[0].losses) == {player.name for player in strain.players}
    still = {n for n, p in strain.game.named_parameters() if torch.equal(p, before[n])}
    # The difference of means does not depend on the critic's last bias.
    assert still <= {"wgan_gp": {"D.head.bias"}, "ctgan": {"D.3.bias"}}.get(name, set())
    assert strain.weights().isfinite().all()


def test_stylegan2_moves_its_buffers() -> None:
    strain = build("stylegan2")
    start = strain.game.p.item()
    strain.play(4)
    assert 0 <= strain.game.p.item() <= 1
    assert strain.game.p.item() != start
    assert strain.game.length.item() > 0


def test_cyclegan_fills_its_pool_and_draws_from_it() -> None:
    strain = build("cyclegan")
    strain.play(2)
    first = strain.game.pool_A.past.clone()
    assert strain.game.pool_A.filled == len(first)
    strain.play(4, start=2)
    changed = (strain.game.pool_A.past != first).flatten(1).any(1)
    assert 0 < changed.sum() < len(changed)  # a full pool exchanges, it does not shift


@every_strain
@pytest.mark.parametrize("killed", [1, 7, 16])
def test_killed_and_resumed_it_ends_where_the_undisturbed_run_ends(name: str, killed: int) -> None:
    undisturbed = build(name)
    undisturbed.play(STEPS)

    first = build(name)
    for _ in islice(first.steps(STEPS), killed):
        pass
    saved = first.save()
    torch.manual_seed(99)  # another process
    second = build(name)
    second.load(saved)
    second.play(STEPS, start=killed)
    assert_same(second.save(), undisturbed.save())


def assert_same(a: object, b: object) -> None:
    if isinstance(a, Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, list | tuple):
        for x, y in zip(a, b, strict=True):
            assert_same(x, y)
    else:
        assert a == b


@pytest.fixture(scope="module")
def on_two_ranks() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Each game's weights and buffers, by rank."""
    return Fabric(accelerator="cpu", devices=2, strategy="ddp_fork").launch(play_on_ranks, STEPS)


@every_strain
def test_two_ranks_hold_the_same(name: str, on_two_ranks: dict) -> None:
    for ranks in on_two_ranks[name]:
        np.testing.assert_array_equal(ranks[0], ranks[1])


@every_strain
def test_two_ranks_play_as_one_with_two_shards(name: str, on_two_ranks: dict) -> None:
    strain = build(name)
    strain.play(STEPS, shards=2)
    for of_ranks, alone in zip(on_two_ranks[name], (strain.weights(), strain.buffers()), strict=True):
        np.testing.assert_array_equal(of_ranks[0], alone)
