"""The policy gradient: what beginnings of sequences are worth, and that G learns what is rewarded."""

from functools import partial

import pytest
import torch
from toys import played

from sparring.games.policy_gradient import PolicyGradientGame
from sparring.nets.sequence import LanguageModel, until_end
from sparring.nets.sequence_cnn import SequenceCnn

TOKENS, LENGTH = 3, 9
ADAM = partial(torch.optim.Adam, lr=0.01)


def game(balance=0.0, rollouts=2):
    torch.manual_seed(0)
    G, D = LanguageModel(TOKENS, 4, 16, 1), SequenceCnn(TOKENS, 4, 4)
    made = PolicyGradientGame(G, D, LENGTH, rollouts, balance, lambda codes: codes)
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


def test_a_sequence_that_is_continued_anew_keeps_its_beginning():
    made = game()
    uniform = torch.rand(200, LENGTH)
    codes = made.G.sample(uniform)
    other = torch.cat([uniform[:, :4], torch.rand(200, LENGTH - 4)], 1)
    continued = made.G.sample(other)
    assert torch.equal(continued[:, :4], codes[:, :4])
    assert not torch.equal(continued[:, 4:], codes[:, 4:])


def test_what_tokens_are_worth():
    """The last ones are worth the reward of the sequence, earlier ones that of another with the same beginning."""
    made = game(rollouts=2)
    made.G.end.bias.data[0] = -1  # longer sequences
    uniform = torch.rand(300, LENGTH)
    codes = made.G.sample(uniform)
    worth = made._worth(codes, uniform)
    longest = int(until_end(codes).sum(1).amax())
    own = made.rewards(codes)[:, None]
    assert torch.equal(worth[:, longest * 2 // 3 :], own.expand(-1, LENGTH - longest * 2 // 3))
    assert torch.equal(worth[:, : longest // 3], worth[:, :1].expand(-1, longest // 3))
    assert (worth[:, 0] != own[:, 0]).float().mean() > 0.5
    good = (codes[:, : longest // 3] == 1).all(1)
    assert worth[good][:, 0].mean() > worth[~good][:, 0].mean() + 0.1  # good beginnings are worth more


def test_rewards_are_shared_by_repeated_sequences():
    codes = torch.tensor([[1, 1, 0], [1, 1, 0], [1, 2, 0]])
    assert game().rewards(codes).tolist() == [0.5, 0.5, 0.5]
    only_D = game(balance=1.0)
    only_D.objective = None
    only_D.D.eval()
    expected = only_D.D(codes).sigmoid() / torch.tensor([2, 2, 1])
    assert torch.allclose(only_D.rewards(codes), expected)


def test_G_learns_what_is_rewarded():
    made = game(balance=0.0)
    list(played(made, made.likelihood(ADAM), 30, deal))
    before = mean_reward(made)
    list(played(made, made.adversarial(ADAM, ADAM), 60, deal))
    assert before == pytest.approx(1 / 3, abs=0.1)
    assert mean_reward(made) > before + 0.15


def test_validity_is_not_claimed():
    made = game()
    (step,) = played(made, made.adversarial(ADAM, ADAM), 1, deal)
    assert "D_accuracy" in step.observed
    assert "reward" in step.observed
    assert "valid" not in step.observed


def mean_reward(made):
    return float(ones(made.G.sample(torch.rand(500, LENGTH, generator=torch.Generator().manual_seed(1)))).mean())


def test_samples_are_those_of_G_alone():
    made = game().eval()
    z = made.draw(5, torch.device("cpu"))
    assert torch.equal(made.sample(z, None)["values"], made.values(z, None))
    assert made.sample_truncated(z, None, 1e-4)["values"].unique(dim=0).shape[0] == 1  # the most likely sequence
    with pytest.raises(ValueError, match="token by token"):
        made.graph(None)
