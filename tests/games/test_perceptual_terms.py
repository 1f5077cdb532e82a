"""Terms in features of a fixed net: who they move, what they call near, and that nothing is computed twice."""

import pytest
import torch
from lightning_fabric import Fabric
from test_translation_games import adam, cycle, deal
from torch import nn

from sparring.games.cut import PerceptualContrast
from sparring.games.cycle import Weights
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.selfsupervised import Redrawn
from sparring.games.translation import L1, PairedTranslation, Perceptual
from sparring.loop import play
from sparring.losses.adversarial import non_saturating
from sparring.nets import efficientnet_lite, fastgan, perceptual
from sparring.nets.patchgan import PatchGAN
from sparring.nets.restorer import Restorer

pytestmark = pytest.mark.skipif(not efficientnet_lite.installed(), reason="the extra 'pretrained' is not installed")
CPU = Fabric(accelerator="cpu", devices=1)


@pytest.fixture
def passes(monkeypatch):
    """What the fixed net is given: the number of images, and whether a gradient is wanted."""
    found = []
    maps = perceptual.maps

    def counted(x):
        found.append((len(x), torch.is_grad_enabled() and x.requires_grad))
        return maps(x)

    monkeypatch.setattr(perceptual, "maps", counted)
    return found


def outputs(real, fake, condition=None):
    """What D would be given."""
    return DiscriminatorPass(nn.Module(), "G", None, condition, lambda: real, lambda: fake, lambda **_: None)


def test_once_per_step_of_each_image_and_only_of_g(passes):
    torch.manual_seed(0)
    D = PatchGAN(1, width=4, layers=1, norm="none")
    terms = [L1(1.0), Perceptual(1.0)]
    game = PairedTranslation(Restorer(1, 1, 1, 4, 1), D, non_saturating(), terms, [L1(1.0)])
    list(play(game, game.restoring(adam), deal, CPU, 2))
    assert not passes  # the first phase is for the smallest error
    steps = list(play(game, game.players(adam, adam), deal, CPU, 3))
    assert sorted(passes) == sorted([(4, False), (4, True)] * 3)
    assert all("perceptual" in step.losses["G"] and "perceptual" not in step.losses["D"] for step in steps)
    assert not any(p.shape == (24,) for p in game.state_dict().values())
    assert len(game.state_dict()) == len(dict(game.named_parameters())) + len(dict(game.named_buffers()))


def test_a_cycle_compares_both_reconstructions(passes):
    values = []
    for weight in (2.0, 4.0):
        game = cycle()
        game.weights = Weights(perceptual=weight)
        (step,) = play(game, game.players(adam, adam), deal, CPU, 1)
        values.append(float(step.losses["G"]["perceptual"]))
    assert passes == [(4, False), (4, True)] * 4
    assert values[1] == pytest.approx(2 * values[0], rel=1e-5)
    assert 0 < values[0] < 2 * 8  # at most 4 of each


def test_patches_must_stay_where_they_are():
    torch.manual_seed(0)
    given = nn.functional.interpolate(torch.rand(2, 3, 8, 8) * 2 - 1, size=64, mode="bicubic")
    term = PerceptualContrast(1.0, 64)
    kept, darker, moved = (
        float(term(outputs(given, fake, given))) for fake in (given, given * 0.7 - 0.2, given.flip(3))
    )
    assert kept < darker < moved


def test_reconstructions_of_fastgan_are_compared_at_two_places(passes):
    torch.manual_seed(0)
    D = fastgan.Discriminator(32, 3, 4)
    real = torch.rand(2, 3, 32, 32) * 2 - 1
    outputs = DiscriminatorPass(D, "D", None, None, lambda: real, lambda: real, lambda **_: None)
    values = {}
    for weight in (0.0, 1.0):
        torch.manual_seed(1)
        values[weight] = float(Redrawn(D, 3, 32, 1.0, weight).eval()(outputs))
    assert passes == [(2, False), (2, True)] * 2
    assert 0 < values[1.0] - values[0.0] < 8  # at most 4 of each
