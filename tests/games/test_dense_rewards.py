"""A game in which D rewards every token."""

import torch
from torch import nn
from toys import played

from sparring.games.dense_rewards import DenseRewardsGame, returns
from sparring.nets.scratchgan import TokenDiscriminator
from sparring.nets.sequence import LanguageModel


class Likes(nn.Module):
    """A logit for each code."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.tensor([0.0, -3.0, 3.0, -3.0]))

    def forward(self, codes, classes=None):  # noqa: ARG002
        return self.table[codes]


def deal(number, shard):  # noqa: ARG001
    return {"values": torch.tensor([[2, 2, 0, 0]]).repeat(512, 1)}


def test_returns_by_hand():
    found = returns(torch.tensor([[1.0, 2.0, 4.0], [0.0, 0.0, 1.0]]), 0.5)
    assert found.tolist() == [[3.0, 4.0, 4.0], [0.25, 0.5, 1.0]]


def test_the_estimated_gradient_is_that_of_the_expected_return():
    """The expectation of the sum of rewards is computed by listing all sequences; without a discount, that is what the
    returns of all actions estimate.
    """
    torch.manual_seed(0)
    game = DenseRewardsGame(LanguageModel(3, 4, 8, 1), Likes(), 3, 1.0).eval()
    every = torch.tensor([[a, b, 0] for a in range(4) for b in range(4) if a or not b])
    shares = (-game.G.negative_log_likelihood(every)).exp()
    rewards = 2 * game.D(every[:, :-1]).sigmoid().detach() - 1
    rewards[0, 1] = 0  # nothing is rewarded after the end
    exact = torch.autograd.grad((shares * rewards.sum(1)).sum(), list(game.G.parameters()))
    _, player = game.adversarial(torch.optim.Adam, lambda weights: torch.optim.SGD(weights, 0.0))
    estimated = []
    for _ in played(game, [player], 60, deal=lambda number, shard: {"values": every.repeat(80, 1)}):  # noqa: ARG005
        estimated.append(torch.cat([w.grad.flatten() for w in game.G.parameters()]))
    exact, estimated = torch.cat([g.flatten() for g in exact]), -torch.stack(estimated).mean(0)
    assert torch.cosine_similarity(estimated, exact, dim=0) > 0.97
    assert 0.85 < estimated.norm() / exact.norm() < 1.15
    assert game.mean_return != 0


def test_both_learn_from_nothing():
    torch.manual_seed(0)
    game = DenseRewardsGame(LanguageModel(3, 8, 16, 1), TokenDiscriminator(3, 8, 16), 4, 0.23)
    settings = (lambda w: torch.optim.Adam(w, 5e-3), lambda w: torch.optim.Adam(w, 5e-3))
    for _ in played(game, game.adversarial(*settings), 160, deal=deal):
        pass
    torch.manual_seed(1)
    codes = game.eval().G.sample(torch.rand(200, 4))
    assert (codes == torch.tensor([2, 2, 0, 0])).all(1).float().mean() > 0.3


def test_d_judges_tokens_by_those_before_them():
    torch.manual_seed(0)
    net = TokenDiscriminator(4, 6, 8, classes=2).eval()
    a, b = torch.tensor([[1, 2, 3, 0]]), torch.tensor([[1, 2, 4, 1]])
    classes = torch.tensor([1])
    assert torch.equal(net(a, classes)[:, :2], net(b, classes)[:, :2])
    assert not torch.equal(net(a, classes)[:, 2], net(b, classes)[:, 2])
    assert not torch.equal(net(a, classes), net(a, 1 - classes))
