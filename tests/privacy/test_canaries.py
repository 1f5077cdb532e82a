"""Planted canaries: what an attacker who sees every move of D refutes, in many trainings with and without them.

The attacker knows all other records, G, the latents, and the direction in which the canary moves D.
"""

from functools import partial

import pytest
import torch
from torch import Tensor

from sparring import devices
from sparring.data.dataset import Dataset
from sparring.data.poisson import PoissonBatches
from sparring.games.prior import normal
from sparring.games.private import PrivateGAN
from sparring.loop import play
from sparring.losses.adversarial import wasserstein
from sparring.metrics.epsilon import lower_bound
from sparring.nets import mlp
from sparring.privacy import Release, SecretNoise, epsilon
from sparring.privacy.gradient import PrivateGradient
from sparring.seeds import Seeds

CPU = torch.device("cpu")
FABRIC = devices.fabric(CPU)
CANARY = 60.0  # far from all other records
RECORDS, RATE, CLIP, NOISE, TRAININGS = 8, 1.0, 1.0, 3.0, 100
DELTA = 1e-5


def scores(noise: float, member: bool, seeded: bool = False) -> Tensor:
    """How far each of many trainings of one move has moved D towards the canary, (n,).

    Args:
        seeded: draw the noise from the seed of the run, which the attacker knows and subtracts.
    """
    torch.manual_seed(0)
    G, D = mlp.Generator(2, (2,), (4,), norm=False, output="linear"), mlp.Discriminator((2,), (4,))
    game = PrivateGAN(G, D, wasserstein(), normal(2), batch=4, conditions=lambda *_: None)
    values = torch.cat([torch.randn(RECORDS, 2) / 10, torch.full((1, 2), CANARY)])[: RECORDS + member]
    data = Dataset({"values": values}, torch.arange(len(values)), torch.arange(0), "")
    direction, source, found = direction_of(game), SecretNoise(), []
    batches = PoissonBatches(data, RATE, 1, source.chosen, CPU)
    player, _ = game.players(partial(torch.optim.SGD, lr=0.0), partial(torch.optim.SGD, lr=0.0))
    player.gradient = PrivateGradient(game.drawn, CLIP, noise, 1.0, Replayed() if seeded else source)
    for training in range(TRAININGS):
        for _ in play(game, [player], batches, FABRIC, 1, seeds=Seeds(training)):
            gradient = torch.cat([w.grad.flatten() for w in player.weights if w.grad is not None])
            if seeded:
                gradient = gradient - noise * CLIP * Replayed.drawn(player.weights)
            found.append(gradient @ direction)
    return torch.stack(found)


def direction_of(game: PrivateGAN) -> Tensor:
    """In which the canary's clipped gradient points, with any fake: it is far larger than that of the fake."""
    loss = -game.D(torch.full((1, 2), CANARY)).mean()
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(game.D.parameters()))])
    return gradient / gradient.norm()


class Replayed(SecretNoise):
    """Noise that depends on a known seed."""

    def normal(self, like: Tensor, deviation: float) -> Tensor:
        return deviation * torch.randn(like.shape, generator=torch.Generator().manual_seed(like.numel()))

    @staticmethod
    def drawn(weights: list[torch.nn.Parameter]) -> Tensor:
        source = Replayed()
        return torch.cat([source.normal(w, 1.0).flatten() for w in weights])


def bound(noise: float, **settings: bool) -> float:
    """The lower bound of epsilon that holds with 95%. Trainings are independent."""
    return lower_bound(scores(noise, True, **settings), scores(noise, False, **settings))


@pytest.fixture(scope="module")
def claimed() -> float:
    pytest.importorskip("opacus")
    return epsilon([Release("", NOISE, RATE)], DELTA)


def test_what_canaries_refute_is_below_the_claim(claimed):
    assert bound(NOISE) <= claimed


@pytest.mark.parametrize(
    ("noise", "settings"), [(0.05, {}), (NOISE, {"seeded": True})], ids=["hardly any noise", "noise from the seed"]
)
def test_canaries_refute_the_claim_of_a_broken_training(claimed, noise, settings):
    assert bound(noise, **settings) > claimed
