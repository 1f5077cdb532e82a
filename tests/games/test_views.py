"""What D sees: adaptive augmentation is steered by what D has not seen."""

from functools import partial

import pytest
import torch
from lightning_fabric import Fabric

from sparring.games.gan import GAN
from sparring.games.prior import normal
from sparring.games.terms import R1, R2
from sparring.games.views import Ada, Changed, InstanceNoise, Viewed
from sparring.layers.augment import diffaugment
from sparring.loop import Round, play
from sparring.losses.adversarial import relativistic
from sparring.nets import dcgan, mlp
from sparring.nets.packed import Packed, logits
from sparring.seeds import Seeds


def observed(real, held, fake, accuracy=1.0):
    named = (("D_real", real), ("D_held", held), ("D_fake", fake), ("D_accuracy", accuracy))
    return {name: torch.tensor(value) for name, value in named}


@pytest.mark.parametrize(("held", "rises"), [(1.0, False), (0.7, False), (0.3, True), (-2.0, True)])
def test_ada_follows_overfitting(held, rises):
    """r_v = (real - held) / (real - fake) above 0.4 makes changes more probable, below it less."""
    ada = Ada(batch=64, every=8)
    ada.p.fill_(0.3)
    for _ in range(50):
        ada.after(observed(1.0, held, 0.0))
    assert (ada.p > 0.3) == rises
    assert ada.p.item() == pytest.approx(0.3 + (1 if rises else -1) * 50 * 64 * 8 / 100_000, abs=0.12)


@pytest.mark.parametrize(("accuracy", "rises"), [(0.5, False), (0.7, False), (0.9, True)])
def test_ada_gives_way_where_nothing_is_told(accuracy, rises):
    """However noise has it about held-out samples: a D that takes fakes for real teaches G nothing."""
    ada = Ada(batch=64, every=8)
    ada.p.fill_(0.3)
    for _ in range(100):
        ada.after(observed(0.01, -0.02, 0.0, accuracy))
    assert (ada.p > 0.3) == rises


def test_ada_stays_within_bounds():
    ada = Ada(batch=1000, every=100)
    ada.after(observed(1.0, 1.0, 0.0))
    assert ada.p == 0
    for _ in range(12):
        ada.after(observed(1.0, -1.0, 0.0))
    assert ada.p == pytest.approx(0.8)
    ada.after({"D_real": torch.tensor(1.0)})  # a step without held-out samples says nothing
    assert ada.p == pytest.approx(0.8)


def test_instance_noise_fades():
    torch.manual_seed(0)
    x = torch.zeros(2000)
    for progress, deviation in ((0.0, 0.5), (0.5, 0.25), (1.0, 0.0)):
        round = Round({"values": x}, torch.tensor(progress), Seeds(), (0, 0))
        assert InstanceNoise(0.5)(x, round).std().item() == pytest.approx(deviation, abs=0.02)


SLOW = partial(torch.optim.SGD, lr=0.01)


def game(lazy, views=()):
    torch.manual_seed(0)
    terms = [R1(2.0, lazy), R2(2.0, lazy)]
    G, D = dcgan.Generator(4, 8, 1, 8), dcgan.Discriminator(8, 1, 8, "none")
    made = GAN(G, D, relativistic(), normal(4), 0, terms, views)
    return made, made.players(SLOW, SLOW)


def steps(made, players, n, deal):
    fabric = Fabric(accelerator="cpu", devices=1)
    return list(play(made, players, deal, fabric, n))


def deal(number, _shard):
    torch.manual_seed(number)
    return {"values": torch.randn(4, 1, 8, 8)} | ({"held values": torch.randn(3, 1, 8, 8)} if number % 2 == 0 else {})


def test_lazy_terms_have_moves_of_their_own():
    """Every so many steps, with D's weights; by the sum over a cycle as often as in every step."""
    made, players = game(lazy=4)
    assert [p.name for p in players] == ["D", "D_reg", "G"]
    assert players[0].optimizer is players[1].optimizer
    records = steps(made, players, 8, deal)
    assert [set(r.losses) for r in records] == [{"D", "D_reg", "G"}, {"D", "G"}, {"D", "G"}, {"D", "G"}] * 2
    assert set(records[0].losses["D_reg"]) == {"R1", "R2"}
    assert set(records[0].losses["D"]) == {"adversarial"}
    assert players[1].every == 4
    made, players = game(lazy=1)
    assert [p.name for p in players] == ["D", "G"]
    assert set(steps(made, players, 1, deal)[0].losses["D"]) == {"adversarial", "R1", "R2"}


def test_watching_held_out_samples_changes_nothing():
    """The same weights with and without them, statistics of layers included."""
    ends = []
    for held in (True, False):
        torch.manual_seed(0)
        D = dcgan.Discriminator(8, 1, 8, "batch")
        made = GAN(dcgan.Generator(4, 8, 1, 8), D, relativistic(), normal(4))
        players = made.players(SLOW, SLOW)
        records = steps(
            made, players, 4, lambda n, s, held=held: deal(n, s) if held else {"values": deal(n, s)["values"]}
        )
        assert ["D_held" in r.observed for r in records] == ([True, False, True, False] if held else [False] * 4)
        ends.append(made.state_dict())
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_the_state_of_views_is_saved():
    made, _ = game(1, [Ada(8, 8), Changed(diffaugment)])
    assert "views.0.p" in made.state_dict()
    assert set(made.state_metrics()) == {"ada_p"}


def test_a_packing_discriminator_behind_a_view():
    """Its logits are those of D on what the view returns, one for each sample."""
    D = Packed(lambda shape: mlp.Discriminator(shape, [4]), (2,), pack=3)
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    viewed = Viewed(D, [Changed(lambda x: x + torch.randn_like(x), fixed=lambda x: 2 * x)])
    assert torch.equal(logits(viewed, x), logits(D, 2 * x))
    assert logits(viewed, x).shape == (5,)
