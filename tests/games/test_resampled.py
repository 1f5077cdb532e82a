"""The game of a language model and a discriminator that chooses among its sequences."""

from functools import partial

import pytest
import torch
from torch import nn

from sparring.games.resampled import ResampledGame, as_uniform, shares
from sparring.nets.discriminator import Discriminator
from sparring.nets.sequence import LanguageModel


class Prefers(Discriminator):
    """Logits are the first number of what it sees."""

    length = 2

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(3.0))

    def features(self, x, label=None):  # noqa: ARG002
        return x

    def judge(self, h, label=None):  # noqa: ARG002
        return self.factor * h[:, 0]


def view(codes):
    """Whether the first code is 2, and as valid what does not begin with 3."""
    first = codes[:, 0]
    return torch.stack([(first == 2).float(), torch.ones(len(codes))], 1), first != 3


def game(candidates=8, taught=0.5):
    torch.manual_seed(0)
    return ResampledGame(LanguageModel(3, 4, 8, 1), Prefers(), view, 5, candidates, taught, 0).eval()


def test_shares_are_the_ratios_of_valid_candidates():
    logits = torch.tensor([[0.0, 1.0, 5.0], [2.0, 0.0, 0.0]])
    valid = torch.tensor([[True, True, False], [False, False, False]])
    found = shares(logits, valid)
    assert torch.allclose(found[0], torch.tensor([1.0, torch.e, 0.0]) / (1 + torch.e), atol=1e-6)
    assert torch.allclose(found[1], torch.full((3,), 1 / 3))
    extreme = shares(torch.tensor([[1e4, 0.0]]), torch.ones(1, 2, dtype=torch.bool))
    assert torch.isfinite(extreme).all()
    assert extreme[0, 1] > 0


@torch.no_grad()
def test_resampling_prefers_what_d_prefers_and_never_an_invalid_candidate():
    played = game()
    z = played.draw(400, torch.device("cpu"))
    first, chosen = played.values(z, None)[:, 0], played.sample(z, None)
    shares_of = [(codes == 2).float().mean() for codes in (first, chosen["values"][:, 0])]
    assert shares_of[1] > shares_of[0] + 0.2
    assert (first == 3).any()
    assert not ((chosen["values"][:, 0] == 3) & (chosen["valid"] > 0)).any()
    assert abs(chosen["valid"].mean() - (first != 3).float().mean()) < 0.1
    assert (chosen["candidates"] == 8).all()
    one = played.sample(z[7:8], None)  # whatever is drawn beside it
    assert torch.equal(one["values"][0], chosen["values"][7])


@torch.no_grad()
def test_resampling_restores_the_density_that_d_measures():
    """With the exact ratio of densities, samples have the real density in the limit of many candidates."""
    played = game(candidates=64)
    z = played.draw(600, torch.device("cpu"))
    first = as_first_shares(played)
    ratio = torch.where(torch.arange(4) == 2, 3.0, 0.0).exp() * (torch.arange(4) != 3)
    expected = first * ratio / (first * ratio).sum()
    chosen = played.sample(z, None)["values"][:, 0].bincount(minlength=4) / 600
    assert (chosen - expected).abs().max() < 0.05


def as_first_shares(played):
    return played.G(torch.zeros(1, 5, dtype=torch.int64))[0, 0].softmax(0)


def test_teaching_moves_g_toward_what_d_prefers():
    played = game(taught=1.0).train()
    optimizer = torch.optim.SGD(played.G.parameters(), 0.1)
    before = as_first_shares(played.eval()).detach()
    for i in range(30):
        with torch.no_grad():
            torch.manual_seed(i)
            codes = played.G.sample(torch.rand(64, 5))
            seen, valid = view(codes)
            weights = shares(played.D(seen)[None], valid[None])[0] - 1 / 64
        loss = (weights * played.G.negative_log_likelihood(codes)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = as_first_shares(played).detach()
    assert after[2] > before[2] + 0.1
    assert after[3] < before[3]


def test_quantiles_of_latents_are_uniform():
    z = game().draw(100, torch.device("cpu"))
    assert z.shape == (100, 8 * 5 + 1)
    u = as_uniform(z)
    assert 0 <= u.min() < 0.02 < 0.98 < u.max() <= 1
    assert abs(u.mean() - 0.5) < 0.02


@torch.no_grad()
def test_without_d_sequences_are_those_of_the_language_model():
    played = game(candidates=8).without_D()
    z = played.draw(2000, torch.device("cpu"))
    assert z.shape == (2000, 5 + 1)
    shares_of = played.sample(z, None)["values"][:, 0].bincount(minlength=4) / 2000
    assert torch.allclose(shares_of, as_first_shares(played), atol=0.05)


@torch.no_grad()
def test_truncation_is_a_temperature():
    played = game(candidates=1)
    z = played.draw(500, torch.device("cpu"), truncation=0.01)
    assert z.abs().max() > 3
    cold = played.sample_truncated(z, None, 0.01)["values"][:, 0]
    assert (cold == as_first_shares(played).argmax()).float().mean() > 0.95
    assert len(played.sample(z, None)["values"][:, 0].unique()) == 4


@torch.no_grad()
@pytest.mark.parametrize(("condition", "truncation"), [(0, None), (2, None), (0, 0.7)])
def test_every_second_sample_begins_as_asked(condition, truncation):
    """Whatever the condition and the temperature. The others stay as they were, and others follow the beginning."""
    torch.manual_seed(0)
    model = LanguageModel(3, 4, 8, 1, condition=condition)
    model.end.bias[0] = -2  # longer sequences
    played = ResampledGame(model, Prefers(), view, 6, 2, 0.5, condition).eval()
    z = played.draw(400, torch.device("cpu"))
    given = torch.randn(400, condition) if condition else None
    beginnings = torch.tensor([[2, 1, -1], [1, 1, 3]])
    begun = played.begun(z, given, beginnings, truncation)
    assert torch.equal(begun[1::2], z[1::2])
    generate = played.sample if truncation is None else partial(played.sample_truncated, truncation=truncation)
    codes = generate(begun, given)["values"]
    short = (codes[::2, :2] == torch.tensor([2, 1])).all(1)
    long = (codes[::2, :3] == torch.tensor([1, 1, 3])).all(1)
    assert (short | long).all()
    assert 0.1 < long.float().mean() < 0.9
    assert len(codes[::2][short][:, 2:].unique(dim=0)) > 5
    before = generate(z, given)["values"]
    assert torch.equal(codes[1::2], before[1::2])
