"""A game in which gradients reach a language model through relaxed draws, and RelGAN's nets."""

from functools import partial

import torch
from torch import nn
from toys import played

from sparring.games.relaxed import RelaxedGame
from sparring.losses.adversarial import relativistic
from sparring.nets.discriminator import Discriminator
from sparring.nets.relgan import RelationalMemory, RepresentationsDiscriminator
from sparring.nets.sequence import END, LanguageModel


def model(**settings):
    torch.manual_seed(0)
    return LanguageModel(3, 6, 8, 1, core=partial(RelationalMemory, slots=1, heads=2, head=4), **settings).eval()


def noise(n, length, codes=4):
    torch.manual_seed(1)
    return -(-torch.rand(n, length, codes).log()).log()


def test_sharp_draws_are_one_hot_and_have_the_frequencies_of_the_model():
    net = model()
    soft = net.relaxed(noise(4000, 3), None, 1e4)
    assert soft.amax(2).mean() > 0.999
    codes = soft.argmax(2)
    ended = codes[:, 0] == END
    assert (codes[ended] == END).all()
    assert (codes[:, -1] == END).all()
    expected = net(codes[:1])[0, 0].softmax(0)
    assert torch.allclose(codes[:, 0].bincount(minlength=4) / 4000, expected, atol=0.03)
    second = codes[codes[:, 0] == 2][:, 1].bincount(minlength=4)
    given = net(torch.tensor([[2, 1, 0]]))[0, 1].softmax(0)
    assert torch.allclose(second / second.sum(), given, atol=0.06)


def test_soft_draws_are_shares_that_sum_to_one():
    soft = model().relaxed(noise(50, 5), None, 0.5)
    assert torch.allclose(soft.sum(2), torch.ones(50, 5), atol=1e-5)
    assert (soft[:, 0].amax(1) < 0.99).any()


def test_memory_step_by_step_is_the_memory_of_the_sequence():
    torch.manual_seed(0)
    net = RelationalMemory(5, 2, 2, 3)
    x = torch.randn(4, 6, 5)
    whole, after = net(x)
    memory, parts = None, []
    for step in x.unbind(1):
        output, memory = net(step[:, None], memory)
        parts.append(output)
    assert whole.shape == (4, 6, net.width)
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-6)
    assert torch.allclose(memory, after, atol=1e-6)


def test_d_sees_codes_and_their_one_hot_shares_alike():
    torch.manual_seed(0)
    net = RepresentationsDiscriminator(3, 4, 5, classes=2).eval()
    codes = torch.tensor([[1, 2, 3, 0, 0], [3, 0, 0, 0, 0]])
    classes = torch.tensor([0, 1])
    logits = net(codes, classes)
    assert logits.shape == (2, 4)
    assert torch.allclose(logits, net(nn.functional.one_hot(codes, 4).float(), classes), atol=1e-6)


class First(Discriminator):
    """The share of code 2 at the first place."""

    length = 1

    def __init__(self):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(5.0))

    def features(self, x, label=None):  # noqa: ARG002
        shares = x if x.is_floating_point() else nn.functional.one_hot(x, 4).float()
        return shares[:, 0, 2:3]

    def judge(self, h, label=None):  # noqa: ARG002
        return self.factor * h[:, 0]


def test_gradients_through_draws_teach_g_what_d_prefers():
    game = RelaxedGame(model(), First(), relativistic(), 4, sharpest=10.0, anneal=20)
    start = torch.zeros(1, 4, dtype=torch.int64)
    before = game.G(start)[0, 0].softmax(0)[2]
    _, player = game.adversarial(torch.optim.Adam, partial(torch.optim.Adam, lr=1e-2), 1)
    real = {"values": torch.tensor([[2, 1, 1, 0]]).repeat(32, 1)}
    for _ in played(game, [player], 60, deal=lambda number, shard: real):  # noqa: ARG005
        pass
    assert game.eval().G(start)[0, 0].softmax(0)[2] > before + 0.3
    assert game.sharpness == 10
