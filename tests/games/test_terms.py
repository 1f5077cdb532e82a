"""Extra terms by hand, the prior's parts, and games of more than one G and one D."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import SGD
from toys import Noisy, played, state

from sparring.data.tensors import VALUES
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.gan import GAN
from sparring.games.prior import Normal, OneHot, Prior, Uniform, normal
from sparring.games.selfsupervised import Redrawn, _quarter
from sparring.games.stylegan import PathLength, StyleGAN
from sparring.games.terms import Classified, Formula, History, Invariant, Matching, Read, information
from sparring.games.unrolled import Unrolled
from sparring.games.vae import VAE, VAEGAN
from sparring.loop import Round
from sparring.losses.adversarial import non_saturating
from sparring.nets import dcgan, fastgan, mlp, stylegan2
from sparring.seeds import Seeds

SLOW = partial(SGD, lr=0.1)


def judged(turn="D", n=5, z=None, label=None, D=None):
    torch.manual_seed(1)
    real, fake = torch.randn(n, 2), torch.randn(n, 2)
    D = D or mlp.Discriminator((2,), (4,))
    z = torch.randn(n, 3) if z is None else z
    return DiscriminatorPass(D, turn, z, label, lambda: real, lambda: fake, observe=lambda **_: None)


def test_prior():
    torch.manual_seed(0)
    prior = Prior(Normal("z", 3), OneHot("kind", 4), Uniform("c", 2))
    z = prior.draw(4000, torch.device("cpu"))
    assert z.shape == (4000, prior.width) == (4000, 9)
    noise, kind, c = (z[:, prior.place(part.name)] for part in prior.parts)
    assert noise.std().item() == pytest.approx(1, abs=0.05)
    assert torch.equal(kind.sum(1), torch.ones(4000))
    assert kind.mean(0).tolist() == pytest.approx([0.25] * 4, abs=0.04)
    assert (c.min(), c.max()) == (pytest.approx(-1, abs=0.01), pytest.approx(1, abs=0.01))
    near = prior.draw(4000, torch.device("cpu"), truncation=0.5)
    assert near[:, :3].abs().max() <= 0.5
    assert near[:, 7:].abs().max() > 0.9  # codes keep their range
    with pytest.raises(ValueError, match="no part 'zz'"):
        prior.place("zz")


def test_reading_a_category():
    prior = Prior(Normal("z", 1), OneHot("kind", 2))
    z = torch.tensor([[0.3, 1.0, 0.0], [0.1, 0.0, 1.0]])
    seen = judged(n=2, z=z)
    reader = nn.Linear(4, 2)
    by_hand = F.cross_entropy(reader(seen.on_fake.features), torch.tensor([0, 1]))
    torch.testing.assert_close(Read(reader, prior, "kind", 1.0)(seen), by_hand)


def test_reading_numbers():
    """The negative log-likelihood under a deviation of 1, but for its constant."""
    prior = Prior(Uniform("c", 2))
    z = torch.tensor([[0.5, -1.0], [0.0, 0.25]])
    seen = judged(n=2, z=z)
    reader = nn.Linear(4, 2)
    normal = torch.distributions.Normal(reader(seen.on_fake.features), 1.0)
    constant = 2 * torch.tensor(2 * torch.pi).log() / 2
    torch.testing.assert_close(Read(reader, prior, "c", 1.0)(seen), -normal.log_prob(z).sum(1).mean() - constant)


def test_classes_of_real_samples_are_for_D_alone():
    label = torch.tensor([0, 1, 2, 0, 1])
    term = Classified(nn.Linear(4, 3), 3, 1.0)
    D = mlp.Discriminator((2,), (4,))
    seen = {turn: judged(turn, label=label, D=D) for turn in ("D", "G")}
    real, fake = (F.cross_entropy(term.reader(said.features), label) for said in (seen["D"].on_real, seen["D"].on_fake))
    torch.testing.assert_close(term(seen["D"]), real + fake)
    torch.testing.assert_close(term(seen["G"]), fake)


def test_matching():
    seen = judged("G")
    means = [said.features.mean(0) for said in (seen.on_real, seen.on_fake)]
    torch.testing.assert_close(Matching(1.0)(seen), ((means[0] - means[1]) ** 2).sum())


def test_history_is_the_mean_of_all_that_weights_have_been():
    net = nn.Linear(1, 1, bias=False)
    term = History("G", net, 1.0)
    past = []
    for value in (2.0, 5.0, 11.0):
        past.append(net.weight.item())
        net.weight.data.fill_(value)
        assert term(None).item() == pytest.approx((value - sum(past) / len(past)) ** 2, rel=1e-4)
        term.after({})
    assert {"count", "mean0"} == set(term.state_dict())


def test_both_sides_minimise_what_is_read_back():
    """The reader moves in D's turn alone; G is taught through it."""
    torch.manual_seed(0)
    prior = Prior(Normal("z", 2), OneHot("kind", 3))
    D = mlp.Discriminator((2,), (8,))
    term = Read(nn.Linear(8, 3), prior, "kind", 1.0)
    game = GAN(mlp.Generator(5, (2,), (8,), norm=False, output="linear"), D, non_saturating(), prior, terms=[term])
    players = game.players(SLOW, SLOW)
    moved = []
    for player in players:
        before = state(game)
        (record,) = played(game, [player], 1)
        assert set(record.losses[player.name]) == {"adversarial", "kind"}
        moved.append({name.split(".")[0] for name, t in state(game).items() if not torch.equal(t, before[name])})
    assert moved == [{"D", "terms"}, {"G"}]


def test_features_are_computed_once():
    runs = []

    class Counting(mlp.Discriminator):
        def features(self, x, label=None):
            runs.append(len(x))
            return super().features(x, label)

    prior = Prior(Normal("z", 2), OneHot("kind", 3))
    terms = [Read(nn.Linear(8, 3), prior, "kind", 1.0), Matching(1.0)]
    game = GAN(mlp.Generator(5, (2,), (8,)), Counting((2,), (8,)), non_saturating(), prior, terms=terms)
    list(played(game, game.players(SLOW, SLOW), 1))
    assert runs == [12, 6, 6]  # both at once for D; for G its own, and the real ones that are matched


def test_unrolling_by_hand():
    """One step ahead, D linear: G's loss is that against D after a step of gradient descent, and its gradient goes
    through the step."""
    torch.manual_seed(0)
    D = mlp.Discriminator((2,), ())
    game = Unrolled(nn.Identity(), D, non_saturating(), normal(2), unroll=1, rate=0.5)
    G = torch.randn(6, 2, requires_grad=True)
    game._fake = lambda _: G
    real = torch.randn(6, 2)

    loss = game.G_losses(Round({"values": real}, torch.zeros(()), Seeds(), (0, 0)))["adversarial"]
    w, b = D.head.weight.detach().clone().requires_grad_(), D.head.bias.detach().clone().requires_grad_()
    now = F.softplus(-(real @ w.T + b)).mean() + F.softplus(G @ w.T + b).mean()
    dw, db = torch.autograd.grad(now, [w, b], create_graph=True)
    ahead = F.softplus(-(G @ (w - 0.5 * dw).T + b - 0.5 * db)).mean()
    torch.testing.assert_close(loss, ahead)
    torch.testing.assert_close(*(torch.autograd.grad(value, G)[0] for value in (loss, ahead)))


def vae():
    torch.manual_seed(0)
    return VAE(dcgan.Encoder(3, 8, 1, 4), dcgan.Generator(3, 8, 1, 4), normal(3))


def pictures(number, shard):
    place = torch.Generator().manual_seed(1000 * number + shard)
    a, b = torch.rand(2, 6, 1, 1, 1, generator=place) - 0.5  # slopes: two numbers say all
    i, j = torch.meshgrid(torch.linspace(-1, 1, 8), torch.linspace(-1, 1, 8), indexing="ij")
    return {"values": a * i + b * j}


def test_a_vae_learns_to_reconstruct():
    game = vae()
    records = list(played(game, game.players(partial(torch.optim.Adam, lr=0.01)), 150, pictures))
    first, last = (records[i].observed["squared_error"] for i in (0, -1))
    assert last < first / 3
    game.eval()
    x = pictures(999, 0)["values"]
    assert (game.reconstruct(x, None) - x).square().mean() < (x - x.mean(0)).square().mean() / 3


def test_a_vaegan_teaches_each_net_in_its_turn():
    torch.manual_seed(0)
    parts = [dcgan.Encoder(3, 8, 1, 4), dcgan.Generator(3, 8, 1, 4), dcgan.Discriminator(8, 1, 4)]
    game = VAEGAN(*parts, loss=non_saturating(), prior=normal(3), likelihood=1.0, beta=1.0)
    players = game.players(SLOW, SLOW)
    assert [p.name for p in players] == ["E", "D", "G"]
    for player in players:
        before = state(game)
        list(played(game, [player], 1, pictures))
        moved = {name.split(".")[0] for name, t in state(game).items() if not torch.equal(t, before[name])}
        assert moved == {player.name}


def style(path_length):
    torch.manual_seed(0)
    G, D = stylegan2.Generator(4, 8, 1, 64, 8, depth=2), stylegan2.Discriminator(8, 1, 64, 8)
    return StyleGAN(G, D, loss=non_saturating(), prior=normal(4), terms=[PathLength(G, 2.0, every=2)] * path_length)


def test_path_lengths():
    """The norm of J^T y by finite differences, for a random picture y; and the mean follows it."""
    game = style(1)
    (term,) = game.terms
    z = torch.randn(4, 4)
    seen = DiscriminatorPass(game.D, "G", z, None, None, None, observe=lambda **found: observed.update(found))
    observed = {}
    torch.manual_seed(3)
    game.G.eval()
    term(seen)
    torch.manual_seed(3)
    with torch.no_grad():
        w = game.G.mapping(z[:2])[:, None].repeat(1, game.G.styles, 1)
        y = torch.randn_like(game.G.synthesis(w)) / 8
        slope = torch.zeros_like(w)
        for i in range(game.G.styles):
            for j in range(4):
                step = torch.zeros_like(w)
                step[:, i, j] = 1e-2
                apart = game.G.synthesis(w + step) - game.G.synthesis(w - step)
                slope[:, i, j] = (apart * y).sum((1, 2, 3)) / 2e-2
    lengths = slope.square().sum(2).mean(1).sqrt()
    assert observed["path_length"].item() == pytest.approx(lengths.mean().item(), rel=2e-2)
    term.after({"path_length": torch.tensor(5.0)})
    assert term.mean.item() == pytest.approx(0.05)


def test_lazy_terms_of_G_have_a_player():
    game = style(1)
    players = game.players(SLOW, SLOW)
    assert [(p.name, p.every) for p in players] == [("D", 1), ("G", 1), ("G_reg", 2)]
    records = list(played(game, players, 2, pictures))
    assert set(records[0].losses["G_reg"]) == {"path_length"}
    assert "G_reg" not in records[1].losses
    assert game.terms[0].mean > 0


def test_truncated_styles_lie_nearer_to_the_mean():
    game = style(0).eval()
    z = game.draw(64, torch.device("cpu"), truncation=0.1)
    assert z.abs().max() > 1  # latents are not truncated, styles are
    spread = [game.sample_truncated(z, None, share)[VALUES].std(0).mean().item() for share in (0.01, 0.5, 1.0)]
    assert spread[0] < 0.1 * spread[2] < spread[2]
    assert spread[0] < spread[1] < spread[2]
    torch.testing.assert_close(game.sample_truncated(z, None, 1.0)[VALUES], game.values(z, None), rtol=1e-4, atol=1e-5)


def test_redrawing_looks_at_the_same_quarter():
    """Where maps are the picture, a part decoder that gives them back redraws every quarter exactly."""
    torch.manual_seed(0)
    D = fastgan.Discriminator(16, 1, 4)
    term = Redrawn(D, 1, 16, 1.0)
    corners = torch.zeros(1, 1, 16, 16)
    corners[..., :8, 8:] = 1.0  # the second of four
    means = [_quarter(corners, torch.tensor([i])).mean().item() for i in range(4)]
    assert means == [0.0, 1.0, 0.0, 0.0]
    looked = []
    D.maps = lambda _: (corners, torch.zeros(1, *D.low))  # maps that show where they are
    whole = torch.zeros(1, 1, 8, 8)

    class SampleStatistics(nn.Module):
        def forward(self, maps):
            looked.append(maps.mean().item())
            return maps

    class Black(nn.Module):
        def forward(self, _):
            return whole

    term.part, term.whole = SampleStatistics(), Black()
    for _ in range(20):
        loss = term(DiscriminatorPass(D, "D", None, None, lambda: corners, None, observe=None)).item()
        assert loss == pytest.approx(F.l1_loss(whole, F.avg_pool2d(corners, 2)).item())  # the part is redrawn exactly
    assert set(looked) == {0.0, 1.0}


def test_sharing_fakes_with_an_encoder_changes_nothing(monkeypatch):
    """What E and G make of real samples is made anew for each, with the same chance."""
    from sparring import loop

    ends = []
    for share in (True, False):
        torch.manual_seed(0)
        parts = [dcgan.Encoder(3, 8, 1, 4), dcgan.Generator(3, 8, 1, 4), dcgan.Discriminator(8, 1, 4)]
        game = VAEGAN(*parts, loss=non_saturating(), prior=normal(3), likelihood=1.0, beta=1.0)
        if not share:
            monkeypatch.setattr(loop, "_sharers", lambda *_: [])
        list(played(game, game.players(SLOW, SLOW), 3, pictures))
        ends.append(state(game))
    for name in ends[0]:
        torch.testing.assert_close(ends[0][name], ends[1][name], rtol=1e-4, atol=1e-5)


def test_a_side_may_have_terms_of_several_cadences():
    """Each cadence is a player with the side's optimizer, and hears of its own moves alone."""
    heard = []

    class Noting(Formula):
        def after(self, _observed):
            heard.append(self.name)

    sizes = {name: (lambda judged: judged.on_real.features.square().mean()) for name in ("often", "seldom")}
    terms = [Noting(name, 1.0, sizes[name], every=every) for name, every in (("often", 2), ("seldom", 4))]
    game = Noisy(terms=terms)
    players = GAN.players(game, SLOW, SLOW)
    assert [(p.name, p.every) for p in players] == [("D", 1), ("D_reg2", 2), ("D_reg4", 4), ("G", 1)]
    assert len({id(p.optimizer) for p in players[:3]}) == 1
    records = list(played(game, players, 4))
    assert [sorted(set(r.losses) - {"D", "G"}) for r in records] == [["D_reg2", "D_reg4"], [], ["D_reg2"], []]
    assert heard == ["often", "seldom", "often"]


def test_information_in_common():
    """log k where both readings are sure, the same and balanced; nothing where they know nothing of each other, or say
    the same of all."""
    sure = torch.eye(4).repeat(3, 1)
    assert information(sure, sure).item() == pytest.approx(torch.tensor(4.0).log().item(), abs=1e-4)
    assert information(sure, torch.full((12, 4), 0.25)).item() == pytest.approx(0, abs=1e-4)
    one = torch.eye(4)[[2]].repeat(12, 1)
    assert information(one, one).item() == pytest.approx(0, abs=1e-4)
    halves = torch.eye(4)[[0, 0, 1, 1]]
    assert information(halves, halves).item() == pytest.approx(torch.tensor(2.0).log().item(), abs=1e-4)


def test_real_samples_are_read_alike():
    """The reader is D's to move, and saved once."""
    torch.manual_seed(0)
    prior = Prior(Normal("z", 2), OneHot("kind", 3))
    reader = nn.Linear(8, 3)
    terms = [Read(reader, prior, "kind", 1.0), Invariant(reader, 1.0, lambda x: x + 0.1)]
    game = GAN(mlp.Generator(5, (2,), (8,)), mlp.Discriminator((2,), (8,)), non_saturating(), prior, terms=terms)
    assert [name for name in game.state_dict() if name.startswith("terms")] == [
        "terms.0.reader.weight",
        "terms.0.reader.bias",
    ]
    centres = torch.tensor([[3.0, 0.0], [-3.0, 0.0], [0.0, 3.0]])

    def deal(number, _shard):
        torch.manual_seed(number)
        return {"values": centres.repeat(20, 1) + 0.2 * torch.randn(60, 2)}

    records = list(played(game, game.players(partial(torch.optim.Adam, lr=0.02), SLOW), 150, deal))
    assert set(records[0].losses["G"]) == {"adversarial", "kind"}
    assert records[-1].losses["D"]["invariant"] < -0.9  # log 3 is 1.1
    found = reader(game.D.features(centres)).argmax(1)
    assert len(set(found.tolist())) == 3
