"""A language model learns what an objective rewards."""

from functools import partial

import pytest
import torch
from toys import played

from sparring.games.objective_policy import ObjectivePolicyGame
from sparring.nets.sequence import LanguageModel, until_end
from sparring.nets.sequence_discriminator import SequenceDiscriminator

TOKENS, LENGTH = 3, 9
ADAM = partial(torch.optim.Adam, lr=0.01)


def game(balance=0.0, rollouts=2):
    torch.manual_seed(0)
    G, D = LanguageModel(TOKENS, 4, 16, 1), SequenceDiscriminator(TOKENS, 4, (1, 2), recurrent=False)
    made = ObjectivePolicyGame(G, D, LENGTH, rollouts, balance, lambda codes: codes)
    made.objective = ones
    return made


def ones(codes):
    """Share of the tokens up to the end that are token 1."""
    known = until_end(codes) & (codes > 0)
    return ((codes == 1) & known).sum(1) / known.sum(1).clamp(min=1)


def deal(number, shard, n=32):
    place = torch.Generator().manual_seed(1000 * number + shard)
    codes = torch.randint(1, TOKENS + 1, (n, LENGTH), generator=place)
    codes[:, -3:] = 0
    return {"values": codes}


def test_rewards_are_shared_by_repeated_sequences():
    codes = torch.tensor([[1, 1, 0], [1, 1, 0], [1, 2, 0]])
    assert game().rewards(codes).tolist() == [0.5, 0.5, 0.5]
    only_D = game(balance=1.0).eval()
    only_D.objective = None
    expected = only_D.D(codes).sigmoid() / torch.tensor([2, 2, 1])
    assert torch.allclose(only_D.rewards(codes), expected)


def test_G_learns_what_is_rewarded():
    made = game(balance=0.0)
    list(played(made, made.likelihood(ADAM), 30, deal))
    before = mean_reward(made)
    list(played(made, made.adversarial(ADAM, ADAM, 1), 100, deal))
    assert before == pytest.approx(1 / 3, abs=0.1)
    assert mean_reward(made) > before + 0.15


def mean_reward(made):
    return float(ones(made.G.sample(torch.rand(500, LENGTH, generator=torch.Generator().manual_seed(1)))).mean())
