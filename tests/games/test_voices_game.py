"""The game of voices: the layout, which voices are given, how samples are drawn, and its terms."""

import pytest
import torch

from sparring.data.tensors import VALUES
from sparring.games.prior import path
from sparring.games.voices import Pass, VoicesGAN, likelihood, some_voices
from sparring.layers.voices import Voices
from sparring.losses.adversarial import relativistic
from sparring.losses.penalties import zero_centered
from sparring.nets.voices import Discriminator, Generator, transitions

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
    G, D = Generator(layout, 16, 1, 2), Discriminator(layout, 8, 2, 2, STEPS)
    prior = path(layout.channels, 0, STEPS)
    return VoicesGAN(G, D, relativistic(), prior, **{"temperature": 1.0, **settings})


def test_codes_and_channels(layout):
    x = layout.onehot(codes())
    assert x.shape == (6, layout.channels, STEPS)
    assert torch.equal(layout.codes(x), codes())
    assert (x[:, :14].sum(1) == 1).all()
    marked = x.clone()
    marked[:, layout.places :] = 1  # marks where the pitch changes mean nothing
    assert torch.equal(layout.codes(marked), codes())


def test_choices_follow_the_softmax(layout):
    logits = torch.zeros(2000, 1, 15)
    logits[..., 3], logits[..., 14] = 2.0, 1.0
    x = layout.choose(0, logits.requires_grad_(), torch.randn(2000, 1, layout.channels))
    share = float(torch.tensor(2.0).exp() / (torch.tensor(2.0).exp() + 13))
    assert x[..., 3].mean().item() == pytest.approx(share, abs=0.04)
    assert x[..., layout.places].mean().item() == pytest.approx(torch.tensor(1.0).sigmoid().item(), abs=0.04)
    assert set(x.detach().round(decimals=4).unique().tolist()) == {0.0, 1.0}
    (gradient,) = torch.autograd.grad(x[..., 3].sum(), logits)
    assert (gradient[..., 3] > 0).all()
    assert (gradient[..., :14].sum(2).abs() < 1e-5).all()
    below = layout.choose(1, torch.zeros(5, 1, 20), torch.randn(5, 1, layout.channels))
    assert (below[..., :14] == 0).all()  # the channels of another voice
    assert (below[..., 14 : layout.places].sum(2) == 1).all()
    assert (below[..., layout.places] == 0).all()


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


def test_likelihood_is_of_cells_that_are_not_given(layout):
    torch.manual_seed(0)
    G = Generator(layout, 16, 1, 2)
    for end in G.ends:
        torch.nn.init.zeros_(end.weight)
        torch.nn.init.zeros_(end.bias)
    even = [torch.tensor(float(n)).log() + torch.tensor(2.0).log() for n in (14, 19)]
    assert min(even) - 1e-3 < likelihood(G, layout.onehot(codes())) < max(even) + 1e-3


def test_some_voices_are_given_as_a_whole():
    torch.manual_seed(0)
    cells = some_voices(2000, 3, STEPS, torch.device("cpu"))
    assert (cells == cells[:, :, :1]).all()
    count = cells[:, :, 0].sum(1)
    assert [(count == n).float().mean().item() for n in range(4)] == pytest.approx([0.5, 0.25, 0.25, 0], abs=0.04)
    assert not some_voices(50, 1, STEPS, torch.device("cpu")).any()


def test_a_cell_depends_on_what_came_before_and_on_given_voices_only(layout):
    G = game(layout).G.eval()
    torch.nn.init.normal_(G.harmony, std=0.1)
    x, other = layout.onehot(codes()), layout.onehot(codes(seed=1))
    nothing = torch.zeros(6, 2, STEPS, dtype=torch.bool)
    later, below = x.clone(), x.clone()
    later[:, :, 9:] = other[:, :, 9:]
    below[:, 14 : layout.places, 8] = other[:, 14 : layout.places, 8]
    first, second = layout.owner == 0, layout.owner == 1
    base, changed = (G(v, 0 * v, nothing) for v in (x, later))
    assert torch.allclose(base[:, :, :9], changed[:, :, :9], atol=1e-6)
    assert not torch.allclose(base[:, :, 9:], changed[:, :, 9:], atol=1e-2)
    changed = G(below, 0 * x, nothing)
    assert torch.allclose(base[:, first, 8], changed[:, first, 8], atol=1e-6)
    known = nothing.clone()
    known[:, 1] = True
    given = x * layout.wide(known)
    base, changed = G(x, given, known), G(x, given.flip(2), known)  # a given voice is heard before it sounds
    assert not torch.allclose(base[:, first, 0], changed[:, first, 0], atol=1e-4)
    assert second.sum() + first.sum() == layout.channels


def test_intervals_of_a_voice_lead_to_its_pitches():
    before = torch.nn.functional.one_hot(torch.tensor([[3], [0]]), 6).float()  # a pitch, a rest
    moved = torch.arange(25.0).expand(2, 1, 25)  # logit of interval i is i + 12
    assert transitions(before, moved)[:, 0].tolist() == [[0, 10, 11, 12, 13, 14], [0] * 6]


def test_logits_of_harmonies_are_those_of_intervals_to_the_voice_above(layout):
    G = game(layout).G
    with torch.no_grad():
        G.harmony.zero_()
        G.harmony[0, 7, 7] = -0.5  # a fifth after a fifth, if the upper voice moves
    pair = torch.zeros(1, 4, 2, dtype=torch.uint8)
    pair[0, :2, 0] = torch.tensor([67 - 60 + 1, 60 - 48 + 1])  # G over C
    pair[0, :2, 1] = torch.tensor([69 - 60 + 1, 0])  # A over what is asked
    x = layout.onehot(pair).transpose(1, 2)
    logits = G.harmonies(1, x[:, 1:], x[:, :1])[0, 0]
    assert logits.tolist() == [0, 0, -5, *[0] * 9]  # D under A
    assert not G.harmonies(1, x[:, :1], x[:, :1]).any()  # the upper voice is held


@pytest.mark.parametrize("given", [False, True])
def test_passes_over_all_steps_end_at_what_is_drawn_step_by_step(layout, given):
    g = game(layout).eval()
    torch.nn.init.normal_(g.G.harmony, std=0.1)
    noise, known = torch.randn(4, STEPS, layout.channels), torch.zeros(4, 2, STEPS, dtype=torch.bool)
    known[:, 1] = given
    voices = layout.onehot(codes(4)) * layout.wide(known)
    drawn = g.drawn(noise, voices, known, 1.0).round()
    one_pass = Pass(g)
    for _ in range(2 * STEPS):
        voices = one_pass(voices, known, noise).round()
    assert torch.equal(voices, drawn)


def test_given_cells_are_kept_and_others_are_not_seen(layout):
    g = game(layout)
    real = layout.onehot(codes())
    known = torch.zeros(6, 2, STEPS, dtype=torch.bool)
    known[:, 0] = True
    other = real.clone()
    other[:, 14 : layout.places] = 0
    made = []
    for given in (real, other):
        torch.manual_seed(1)
        made.append(g.complete({VALUES: given}, known)[VALUES])
    assert torch.equal(layout.codes(made[0])[:, 0], codes()[:, 0])
    assert torch.equal(*made)


def test_samples_of_any_length_and_temperature(layout):
    g = game(layout)
    z = g.draw(2, torch.device("cpu"), None, length=40)
    made = g.sample(z, None)[VALUES]
    assert made.shape == (2, layout.channels, 40)
    assert (made[:, :14].sum(1).round() == 1).all()
    assert g.draw(3, torch.device("cpu"), 0.1).abs().amax() > 1
    torch.nn.init.normal_(g.G.ends[0].bias)
    torch.nn.init.normal_(g.G.ends[1].bias)
    z = g.draw(50, torch.device("cpu"))
    cold, warm = layout.codes(g.sample_truncated(z, None, 0.05)[VALUES]), layout.codes(g.sample(z, None)[VALUES])
    assert len(cold[:, 0, 0].unique()) == 1 < len(warm[:, 0, 0].unique())


def test_gradients_of_both_players(layout):
    g = game(layout)
    real = layout.onehot(codes())
    logits = g.D(g._around(real, g.draw(6, torch.device("cpu"))))
    sum(part.sum() for part in logits).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in g.G.parameters())
    x = real.clone().requires_grad_()
    zero_centered(g.D(x), x).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in g.D.parameters())
