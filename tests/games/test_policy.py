"""Games in which a language model learns by score-function estimators."""

from functools import partial

import torch
from torch import nn
from toys import played

from sparring.games.policy import MaliGame, PolicyGame
from sparring.loop import Player
from sparring.nets.discriminator import Discriminator
from sparring.nets.sequence import LanguageModel


class Taste(Discriminator):
    """Logits that depend on the first two codes; the sequences that it sees are kept."""

    length = 2

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.table = nn.Parameter(2 * torch.randn(4, 4))
        self.seen = []

    def features(self, x, label=None):  # noqa: ARG002
        self.seen.append(x)
        return x

    def judge(self, h, label=None):  # noqa: ARG002
        return self.table[h[:, 0], h[:, 1]]


def model(tokens=3):
    torch.manual_seed(0)
    return LanguageModel(tokens, 4, 8, 1)


def deal(number, shard, n=64):  # noqa: ARG001
    return {"values": torch.tensor([[1, 2, 3, 1, 0], [3, 0, 0, 0, 0]]).repeat(n // 2, 1)}


def moved(game, steps, lr=0.0, **settings):
    """Gradients of G's losses, a row for each step."""
    gradients = []
    optimizer = torch.optim.SGD(game.G.parameters(), lr)
    player = Player("G", game.G_losses, optimizer, (game.G,), **settings)
    for _ in played(game, [player], steps, deal=lambda number, shard: deal(number, shard, 1024)):
        gradients.append(torch.cat([w.grad.flatten() for w in game.G.parameters()]))
    return torch.stack(gradients)


def test_the_estimated_gradient_is_that_of_the_expected_reward():
    """The expectation is computed by listing all sequences."""
    game = PolicyGame(model(), Taste(), 3, rollouts=4).eval()
    every = torch.tensor([[a, b, 0] for a in range(4) for b in range(4) if a or not b])
    shares = (-game.G.negative_log_likelihood(every)).exp()
    assert abs(shares.sum() - 1) < 1e-5
    expected = (shares * game.D(every).sigmoid().detach()).sum()
    exact = torch.cat([g.flatten() for g in torch.autograd.grad(expected, list(game.G.parameters()))])
    estimated = -moved(game, 60).mean(0)
    assert torch.cosine_similarity(estimated, exact, dim=0) > 0.97
    assert 0.85 < estimated.norm() / exact.norm() < 1.15


def test_rewards_teach_g_what_d_prefers():
    game = PolicyGame(model(), Taste(), 5, rollouts=2)
    best = divmod(int(game.D.table[1:].argmax()) + 4, 4)
    before = game.eval().G(torch.zeros(1, 5, dtype=torch.int64))[0, 0].softmax(0)[best[0]]
    moved(game.train(), 60, lr=1.0)
    after = game.eval().G(torch.zeros(1, 5, dtype=torch.int64))[0, 0].softmax(0)[best[0]]
    assert after > before + 0.2


def test_maligan_begins_with_real_texts_and_gives_them_up():
    game = MaliGame(model(), Taste(), 5, rollouts=4, anneal=10)
    moved(game, 1)
    begun = game.D.seen[-1]
    assert (begun[0::8, :4] == torch.tensor([1, 2, 3, 1])).all()  # all but the end of the first text
    assert (begun[4::8, 0] == 3).all()
    game.played += 10
    moved(game, 1)
    assert len(game.D.seen[-1][:, 0].unique()) == 4


def test_maligan_prefers_continuations_with_high_ratios():
    game = MaliGame(model(), Taste(), 5, rollouts=8, anneal=1)
    game.played += 1
    best = divmod(int(game.D.table[1:].argmax()) + 4, 4)
    before = game.eval().G(torch.zeros(1, 5, dtype=torch.int64))[0, 0].softmax(0)[best[0]]
    moved(game.train(), 40, lr=0.3)
    after = game.eval().G(torch.zeros(1, 5, dtype=torch.int64))[0, 0].softmax(0)[best[0]]
    assert after > before + 0.2


def test_g_is_remembered_as_it_was_before_it_learned_from_d():
    game = PolicyGame(model(), Taste(), 5, rollouts=2)
    before = {name: weight.clone() for name, weight in game.G.state_dict().items()}
    game.first.load_state_dict({name: weight + 1 for name, weight in before.items()})
    optimizer = partial(torch.optim.SGD, lr=0.5)
    for _ in played(game, game.adversarial(optimizer, optimizer, turns=2), 3, deal=deal):
        pass
    kept = game.without_D().G.state_dict()
    assert all(torch.equal(kept[name], before[name]) for name in before)
    assert not torch.equal(game.G.end.weight, before["end.weight"])
    codes = torch.rand(20, 5)
    assert torch.equal(game.without_D().eval().sequences(codes, None), model().eval().sample(codes))
