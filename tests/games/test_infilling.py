"""The game that fills in voices: the layout, what is unknown, the passes of a sample, and its terms."""

import pytest
import torch

from sparring.data.tensors import VALUES
from sparring.games.infilling import InfillingGAN, blocked, given, hidden, likelihood
from sparring.games.prior import path
from sparring.layers.voices import Voices
from sparring.losses.adversarial import relativistic
from sparring.losses.penalties import zero_centered
from sparring.nets.infilling import Discriminator, Generator

STEPS = 16


@pytest.fixture
def layout():
    return Voices((60, 48), (72, 65))


def codes(n=6, seed=0):
    random = torch.Generator().manual_seed(seed)
    pitches = torch.stack([torch.randint(0, size, (n, STEPS), generator=random) for size in (14, 19)], 1)
    held = torch.zeros(n, 2, STEPS, dtype=torch.bool)
    held[:, :, 1:] = (pitches[:, :, 1:] == pitches[:, :, :-1]) & (pitches[:, :, 1:] > 0)
    return torch.cat([pitches, held], 1).to(torch.uint8)


def game(layout, **settings):
    torch.manual_seed(0)
    G, D = Generator(layout, 3, 16, 2, 2), Discriminator(layout, 8, 2, 2, STEPS)
    prior = path(3 + layout.channels, 0, STEPS)
    return InfillingGAN(G, D, relativistic(), prior, **{"passes": 3, "temperature": 1.0, **settings})


def test_codes_and_channels(layout):
    x = layout.onehot(codes())
    assert x.shape == (6, layout.channels, STEPS)
    assert torch.equal(layout.codes(x), codes())
    assert (x[:, :14].sum(1) == 1).all()
    marked = x.clone()
    marked[:, layout.places :] = 1  # marks where the pitch changes mean nothing
    assert torch.equal(layout.codes(marked), codes())


def test_choices_follow_the_softmax(layout):
    logits = torch.zeros(2000, layout.channels, 1)
    logits[:, 3], logits[:, layout.places] = 2.0, 1.0
    x = layout.chosen(logits.requires_grad_(), torch.randn(2000, layout.channels, 1))
    share = float(torch.tensor(2.0).exp() / (torch.tensor(2.0).exp() + 13))
    assert x[:, 3].mean().item() == pytest.approx(share, abs=0.04)
    assert x[:, layout.places].mean().item() == pytest.approx(torch.tensor(1.0).sigmoid().item(), abs=0.04)
    assert set(x.detach().round(decimals=4).unique().tolist()) == {0.0, 1.0}
    (gradient,) = torch.autograd.grad(x[:, 3].sum(), logits)
    assert (gradient[:, 3] > 0).all()
    assert (gradient[:, :14].sum(1).abs() < 1e-5).all()


def test_what_a_listener_hears(layout):
    """Intervals and parallels agree with the metrics, which count on pitches."""
    from sparring.metrics import voices

    x = layout.onehot(codes(40))
    seen = layout.seen(x)
    assert seen.shape[1] == layout.planes
    pitches = torch.stack([torch.where(c > 0, c + low - 1, 0) for c, low in
                           zip(codes(40)[:, :2].long().unbind(1), layout.lows, strict=True)], 2).numpy()  # fmt: skip
    intervals = seen[:, layout.channels + 12 : layout.channels + 24].sum((0, 2))
    expected = sum(voices.intervals(p) * ((p > 0).all(1)).sum() for p in pitches)
    assert intervals.tolist() == pytest.approx(expected.tolist())
    similar = sum(int(voices.parallels(p).sum()) for p in pitches)
    assert similar <= seen[:, -2:].sum() <= len(pitches) * STEPS


def test_likelihood_is_of_unknown_cells(layout):
    torch.manual_seed(0)
    G = Generator(layout, 3, 16, 2, 2)
    torch.nn.init.zeros_(G.end[1].weight)
    torch.nn.init.zeros_(G.end[1].bias)
    even = [torch.tensor(float(n)).log() + torch.tensor(2.0).log() for n in (14, 19)]
    assert min(even) - 1e-3 < likelihood(G, layout.onehot(codes())) < max(even) + 1e-3


def test_unknown_cells_are_blocks_of_their_share():
    torch.manual_seed(0)
    cells = blocked(500, 2, STEPS, 0.3, torch.device("cpu"))
    assert cells.float().mean().item() == pytest.approx(0.3, abs=0.03)
    edges = (cells[:, :, 1:] != cells[:, :, :-1]).float().mean()
    assert edges < 0.6 * 2 * 0.3 * 0.7  # single cells would have 2 p (1 - p)
    whole = hidden(torch.zeros(500, 5, STEPS), 2, torch.full((500, 1, 1), 0.3))
    assert (whole.all(2) & ~whole.flip(1).any(2)).any(1).float().mean() > 0.15  # one voice given, the other not


def test_known_cells_are_kept_and_hidden_ones_are_not_seen(layout):
    g = game(layout)
    real = layout.onehot(codes())
    known = torch.zeros(6, 2, STEPS, dtype=torch.bool)
    known[:, 0] = True
    made = g.complete({VALUES: real}, known)[VALUES]
    assert torch.equal(layout.codes(made)[:, 0], codes()[:, 0])
    other = real.clone()
    other[:, 14 : layout.places] = 0
    other[:, layout.places + 1] = 0
    z = torch.randn(6, 3, STEPS)
    assert torch.equal(g.G(*given(g.G, real, known), z), g.G(*given(g.G, other, known), z))


def test_samples_of_any_length(layout):
    g = game(layout)
    made = g.sample(g.draw(2, torch.device("cpu"), None, 40), None)[VALUES]
    assert made.shape == (2, layout.channels, 40)
    assert (made[:, :14].sum(1) == 1).all()


def test_gradients_of_both_players(layout):
    g = game(layout)
    real = layout.onehot(codes())
    logits = g.D(g.refilled(real))
    sum(part.sum() for part in logits).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in g.G.parameters())
    x = real.clone().requires_grad_()
    zero_centered(g.D(x), x).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in g.D.parameters())
