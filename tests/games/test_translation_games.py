"""Games of pictures that are made of pictures."""

import pytest
import torch
from lightning_fabric import Fabric
from torch.optim import Adam

from sparring.games.cut import Contrast, Contrasted
from sparring.games.cycle import Cycle, Pool
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.translation import L1, Content, PairedTranslation
from sparring.loop import play
from sparring.losses.adversarial import least_squares, non_saturating
from sparring.nets.patchgan import PatchGAN
from sparring.nets.restorer import Restorer
from sparring.nets.translator import Translator
from sparring.nets.unet import UNet


def adam(weights):
    return Adam(weights, lr=1e-3)


def deal(number, _):
    generator = torch.Generator().manual_seed(number)
    real = torch.rand(4, 1, 16, 16, generator=generator) * 2 - 1
    return {"values": real, "condition": -real}


def restoring():
    torch.manual_seed(0)
    D = PatchGAN(1, width=4, layers=1, norm="none")
    return PairedTranslation(Restorer(1, 1, 1, 4, 1), D, non_saturating(), [L1(1.0), Content(0.1)], [L1(1.0)])


def test_alone_g_learns_without_d_and_is_kept():
    game = restoring()
    before = [p.clone() for p in game.D.parameters()]
    fabric = Fabric(accelerator="cpu", devices=1)
    steps = list(play(game, game.restoring(adam), deal, fabric, 300))
    assert set(steps[-1].losses["G"]) == {"L1"}
    assert steps[-1].losses["G"]["L1"] < 0.6 * steps[0].losses["G"]["L1"]
    assert all(torch.equal(a, b) for a, b in zip(before, game.D.parameters(), strict=True))
    x = deal(9, 0)
    one, plain = ((net(x["condition"]) - x["values"]).abs().mean() for net in (game.G, game.plain))
    assert plain < 1.1 * one  # it follows closely, however few the steps
    kept = [p.clone() for p in game.plain.parameters()]
    steps = list(play(game, game.players(adam, adam), deal, fabric, 3))
    assert set(steps[-1].losses["G"]) == {"adversarial", "L1", "content[D]"}
    assert all(torch.equal(a, b) for a, b in zip(kept, game.plain.parameters(), strict=True))


def test_sharpness_mixes_both_nets():
    game = restoring()
    with torch.no_grad():
        for p in game.plain.parameters():
            p.fill_(1.0)
        for p in game.G.parameters():
            p.fill_(3.0)
    assert game.mapping(False, 1.0) is game.G
    assert all((p == 1.5).all() for p in game.mapping(False, 0.25).parameters())
    assert all((p == 3.0).all() for p in game.G.parameters())
    with pytest.raises(ValueError, match="one direction only"):
        game.mapping(True, 1.0)


def cycle():
    torch.manual_seed(0)
    nets = [Translator(1, 1, 4, 1) for _ in range(2)]
    critics = [PatchGAN(1, width=4, layers=1, norm="instance") for _ in range(2)]
    return Cycle(*nets, *critics, least_squares(), (1, 16, 16), pool=8)


def test_a_cycle_has_all_its_terms():
    game = cycle()
    first, *_, last = play(game, game.players(adam, adam), deal, Fabric(accelerator="cpu", devices=1), 40)
    assert set(first.losses["G"]) == {"adversarial", "cycle", "identity"}
    assert set(first.losses["D"]) == {"A", "B"}
    assert last.losses["G"]["cycle"] < first.losses["G"]["cycle"]
    assert 0 <= last.observed["D_accuracy"] <= 1
    assert int(game.pool_A.filled) == 8
    assert game.mapping(True, 1.0) is game.BA
    assert game.values(None, deal(0, 0)["condition"]).shape == (4, 1, 16, 16)
    with pytest.raises(ValueError, match="no phase without D"):
        game.mapping(False, 0.5)


def test_a_pool_gives_back_what_it_was_given():
    """Nothing is lost or made up, half comes from the past, and what is handed out for it takes its place."""
    torch.manual_seed(0)
    pool = Pool(6, (1, 1, 1))
    held, olds = [], 0
    for i in range(200):
        fresh = torch.arange(3 * i, 3 * i + 3.0).view(3, 1, 1, 1)
        out = pool(fresh).flatten().tolist()
        assert len(set(out)) == 3
        olds += sum(v < 3 * i for v in out)
        if i < 2:
            assert out == fresh.flatten().tolist()
            held += out
            continue
        for new, given in zip(fresh.flatten().tolist(), out, strict=True):
            if given != new:
                held.remove(given)
                held.append(new)
        assert sorted(pool.past.flatten().tolist()) == sorted(held)
    assert 0.4 < olds / 594 < 0.6


def contrast(given, fake, identity=False):
    torch.manual_seed(0)
    G = Contrasted(Translator(1, 1, 4, 2), 8)
    term = Contrast(G, 1.0, 32, identity)
    D = PatchGAN(1, width=4, layers=1, norm="none")
    judged = DiscriminatorPass(D, "G", torch.zeros(2, 0), given, lambda: given, lambda: fake, lambda **_: None)
    return float(term(judged))


def test_patches_that_stay_where_they_are_are_told_soonest():
    given = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1
    same, moved = contrast(given, given), contrast(given, given.roll(5, -1))
    assert same < moved
    assert contrast(given, given, identity=True) != pytest.approx(same, rel=1e-6)


def test_heads_belong_to_g():
    G = Contrasted(Translator(1, 1, 4, 2), 8)
    game = PairedTranslation(
        G, PatchGAN(1, width=4, layers=1, norm="none"), least_squares(), [Contrast(G, 1.0, 16, True)]
    )
    d, g = game.players(adam, adam)
    assert {id(p) for head in G.heads for p in head.parameters()} <= {id(p) for p in g.weights}
    assert not {id(p) for p in d.weights} & {id(p) for p in g.weights}


def test_the_plain_net_has_its_own_statistics():
    """Batch norm's, too: at 0 it is the net of the first phase, whatever D has done to G since."""
    torch.manual_seed(0)
    G = UNet(1, 1, 4, 2, "batch", "resize", 0.0)
    game = PairedTranslation(G, PatchGAN(1, width=4, layers=1, norm="none"), non_saturating(), [L1(1.0)], [L1(1.0)])
    fabric = Fabric(accelerator="cpu", devices=1)
    list(play(game, game.restoring(adam), deal, fabric, 5))
    x = deal(9, 0)["condition"]
    before = game.plain.eval()(x)
    list(play(game, game.players(adam, adam), deal, fabric, 5))
    assert torch.allclose(game.mapping(False, 0.0).eval()(x), before, atol=1e-6)
    assert not torch.allclose(game.G.eval()(x), before, atol=1e-3)


def test_patches_are_of_the_same_places_whatever_the_size():
    term_given = torch.rand(2, 1, 37, 37, generator=torch.Generator().manual_seed(1)) * 2 - 1
    G = Contrasted(Translator(1, 1, 4, 2), 8)
    seen = []
    G.net.taps, taps = lambda x: seen.append(x.shape) or taps(x), G.net.taps
    judged = DiscriminatorPass(
        PatchGAN(1, width=4, layers=1, norm="none"), "G", torch.zeros(2, 0), term_given,
        lambda: term_given, lambda: G.padded(term_given), lambda **_: None,
    )  # fmt: skip
    Contrast(G, 1.0, 32, True)(judged)
    assert set(seen) == {(2, 1, 37, 37)}
