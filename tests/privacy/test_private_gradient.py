"""Private gradients against plain ones, and what makes them private."""

from functools import partial

import numpy as np
import pytest
import torch

from sparring import devices
from sparring.errors import InputError
from sparring.games.prior import normal
from sparring.games.private import PrivateGAN
from sparring.games.terms import GP, R1, R2, Dragan, Matching
from sparring.games.views import Ada
from sparring.layers.minibatch import MinibatchHead
from sparring.loop import Round, Turn, backpropagate, play
from sparring.losses.adversarial import non_saturating, relativistic, wasserstein
from sparring.nets import dcgan, mlp
from sparring.privacy import SecretNoise
from sparring.privacy.gradient import PrivateGradient
from sparring.seeds import Seeds

FABRIC = devices.fabric(torch.device("cpu"))
N = 6


def game(terms=(), labels=0, loss=non_saturating, norm="layer", views=(), G_norm="layer"):
    torch.manual_seed(0)
    return PrivateGAN(
        dcgan.Generator(8, 16, 1, 8, labels, G_norm),
        dcgan.Discriminator(16, 1, 8, norm, labels),
        loss(),
        normal(8),
        classes=labels,
        terms=terms,
        views=views,
        batch=5,
        conditions=lambda n, _: torch.randint(labels, (n,)) if labels else None,
    )


def batch(labels=0, n=N):
    torch.manual_seed(1)
    values = {"values": torch.randn(n, 1, 16, 16).tanh()}
    return values | ({"condition": torch.randint(labels, (n,))} if labels else {})


def gradient(game, estimator, tensors):
    optimizer = partial(torch.optim.SGD, lr=0.1)
    player, other = game.players(optimizer, optimizer)
    for weight in game.parameters():
        weight.requires_grad_(False).grad = None
    round = Round(tensors, torch.zeros(()), Seeds(), (0, 0))
    with player.acting():
        losses, observed = estimator(Turn(player, [round], [other]), round, 1.0, FABRIC)
    return [weight.grad.clone() for weight in player.weights], losses, observed


def private(game, clip=float("inf"), noise=0.0, expected=N, source=None):
    return PrivateGradient(game.drawn, clip, noise, expected, source or SecretNoise())


@pytest.mark.parametrize("labels", [0, 3])
@pytest.mark.parametrize(
    "terms", [[], [R1(1.0), R2(0.5)], [GP(10.0)]], ids=["adversarial alone", "R1 and R2", "gradient penalty"]
)
def test_without_clipping_and_noise_it_is_the_plain_gradient(terms, labels):
    one = game(terms, labels, wasserstein if labels else non_saturating)
    tensors = batch(labels, 1 if terms and terms[0].name == "GP" else N)  # GP draws a number per sample, in another way
    plain, losses, _ = gradient(one, backpropagate, tensors)
    mine, reported, observed = gradient(one, private(one, expected=len(tensors["values"])), tensors)
    assert losses
    assert reported == observed == {}  # they would be published without noise
    for a, b in zip(plain, mine, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=2e-6 * max(1.0, float(a.abs().max())))


def fixed(game):
    """The same latents for the same records, whatever the others are."""
    z = torch.randn(N, 8)
    fakes = game.G(z).detach()
    return lambda round: {"z": z[: round.size], "fake": fakes[: round.size]}


def norm_of(tensors):
    return float(torch.stack([t.norm() for t in tensors]).norm())


def test_one_sample_moves_the_sum_by_at_most_the_clip():
    """With all samples but one, the sum differs by no more than the clip. Without clipping, it differs by far more."""
    one, tensors = game([R1(1.0)]), batch()
    tensors["values"][-1] *= 50  # a record unlike all others
    fewer = {name: t[:-1] for name, t in tensors.items()}

    drawn = fixed(one)

    def moved(clip):
        estimator = PrivateGradient(drawn, clip, 0.0, 1, SecretNoise())
        both = (gradient(one, estimator, each)[0] for each in (tensors, fewer))
        return norm_of([a - b for a, b in zip(*both, strict=True)])

    assert moved(0.01) <= 0.01 * (1 + 1e-4)
    assert moved(float("inf")) > 1


def test_a_sample_whose_gradient_is_not_finite_is_left_out():
    one, tensors = game(), batch()
    fewer = {name: t[:-1] for name, t in tensors.items()}
    estimator = PrivateGradient(fixed(one), 1.0, 0.0, N, SecretNoise())
    expected, _, _ = gradient(one, estimator, fewer)
    tensors["values"][-1] = torch.nan
    found, _, _ = gradient(one, estimator, tensors)
    for a, b in zip(expected, found, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("n", [0, N])
def test_the_noise_has_the_deviation_that_is_accounted_for(n):
    one, tensors = game(), batch(n=n)
    exact, _, _ = gradient(one, private(one, 0.5), tensors)
    noisy, _, _ = gradient(one, private(one, 0.5, noise=3.0), tensors)
    difference = torch.cat([(a - b).flatten() for a, b in zip(noisy, exact, strict=True)])
    assert float(difference.std()) == pytest.approx(0.5 * 3.0 / N, rel=0.1)


def test_the_noise_is_added_once_to_several_shards():
    one = game()
    optimizer = partial(torch.optim.SGD, lr=0.0)
    player, other = one.players(optimizer, optimizer)
    seen = []
    player.gradient = PrivateGradient(one.drawn, 1.0, 2.0, N, SecretNoise(), lambda: seen.append(1))
    quiet = PrivateGradient(one.drawn, 1.0, 0.0, N, SecretNoise())

    def after_a_step(estimator):
        player.gradient = estimator
        for _ in play(one, [player, other], lambda *_: batch(), FABRIC, 1, shards=4):
            pass
        return torch.cat([w.grad.flatten() for w in player.weights])

    difference = after_a_step(player.gradient) - after_a_step(quiet)
    assert float(difference.std()) == pytest.approx(2.0 / N, rel=0.1)
    assert seen == [1]  # paid for once


def test_noise_is_secret():
    """Neither PyTorch's nor numpy's seed determines it, and no two sources share a key."""
    drawn = []
    for _ in range(2):
        torch.manual_seed(0)
        np.random.seed(0)
        drawn.append(SecretNoise().normal(torch.zeros(100), 1.0))
    assert not torch.isclose(*drawn).any()


def test_G_sees_neither_records_nor_how_many_there_are():
    one = game(labels=3)
    optimizer = partial(torch.optim.SGD, lr=0.1)
    _, player = one.players(optimizer, optimizer)
    found = []
    for n in (2, N):
        for weight in one.parameters():
            weight.requires_grad_(False).grad = None
        round = Round(batch(3, n), torch.zeros(()), Seeds(), (0, 0))
        with player.acting():
            backpropagate(Turn(player, [round], []), round, 1.0, FABRIC)
        found.append([w.grad.clone() for w in player.weights])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


class Compared(mlp.Discriminator):
    def __init__(self):
        super().__init__((1, 8, 8), (8,))
        self.head = MinibatchHead(8, 4, 2)

    def judge(self, h, label=None):
        return self.head(h, label)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"norm": "batch"}, "D has batch norm, by which samples depend on the rest of their batch; give norm=layer"),
        ({"G_norm": "batch"}, "G has batch norm"),
        ({"views": [Ada(8, 8)]}, "augment=ada adapts to how D judges real and held-out samples"),
        ({"loss": relativistic}, "the loss trains G on real samples, too"),
        ({"terms": [Matching(1.0)]}, "the term 'matching' of G's loss uses real samples"),
        ({"terms": [R1(1.0, every=4)]}, "the term 'R1' has moves of its own"),
        ({"terms": [Dragan(1.0)]}, "the term 'dragan' is computed from the whole batch"),
    ],
)
def test_games_that_couple_samples_are_refused(settings, reason):
    with pytest.raises(InputError, match=f"^a private run bounds what each record adds to the weights, but {reason}"):
        game(**settings)


def test_nets_that_compare_samples_are_refused():
    for D, reason in ((Compared(), "D has minibatch statistics"), (packed(), "D judges pack=2 samples together")):
        G = mlp.Generator(8, (1, 8, 8), (8,), norm=False)
        with pytest.raises(InputError, match=reason):
            PrivateGAN(G, D, non_saturating(), normal(8), batch=5, conditions=lambda *_: None)


def packed():
    net = mlp.Discriminator((1, 8, 8), (8,))
    net.pack = 2
    return net


class Noisy(mlp.Discriminator):
    """Adds random numbers to its logits, and scales them by a weight without dimensions."""

    def __init__(self):
        super().__init__((1, 8, 8), (8,))
        self.scale = torch.nn.Parameter(torch.tensor(1.0))

    def judge(self, h, label=None):
        return super().judge(h, label) * self.scale * torch.rand(len(h), device=h.device)


def test_chunks_of_a_batch_draw_different_numbers_and_weights_may_be_scalars(monkeypatch):
    """Equal records have equal gradients unless their random numbers differ."""
    torch.manual_seed(0)
    G = mlp.Generator(8, (1, 8, 8), (8,), norm=False)
    one = PrivateGAN(G, Noisy(), non_saturating(), normal(8), batch=5, conditions=lambda *_: None)
    z = torch.zeros(N, 8)
    fakes = G(z).detach()
    tensors = {"values": torch.ones(N, 1, 8, 8)}
    monkeypatch.setattr("sparring.privacy.gradient.MAX_NUMBERS", 1)  # a chunk for each sample
    summed = []
    estimator = PrivateGradient(lambda _: {"z": z, "fake": fakes}, float("inf"), 0.0, 1, SecretNoise())

    def clipped(gradients):
        summed.append(torch.cat([g.flatten() for g in gradients]))
        return [g[0] for g in gradients]

    monkeypatch.setattr(estimator, "_clipped", clipped)
    gradient(one, estimator, tensors)
    assert len(summed) == N
    assert len({round(float(each.norm()), 6) for each in summed}) == N
    monkeypatch.undo()
    found, _, _ = gradient(one, estimator, tensors)
    assert any(each.ndim == 0 and float(each.abs()) > 0 for each in found)


def test_D_turn_runs_G_without_a_graph():
    one = game()
    optimizer = partial(torch.optim.SGD, lr=0.1)
    player, other = one.players(optimizer, optimizer)
    round = Round(batch(), torch.zeros(()), Seeds(), (0, 0))
    round.begin(player, [other])
    with other.acting():
        assert not one.drawn(round)["fake"].requires_grad
