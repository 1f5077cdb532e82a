"""Nets for sounds: shapes at any length, and what D may not see."""

import pytest
import torch

from sparring import recipes
from sparring.modalities.audio import Audio
from sparring.nets import spectral, wavegan

SHAPES = [(1, 5632, 256), (2, 4410, 1024), (1, 300, 64), (1, 36_864, 512)]


@pytest.mark.parametrize(("channels", "length", "size"), SHAPES)
@pytest.mark.parametrize("classes", [0, 3])
def test_shapes(channels, length, size, classes):
    label = torch.tensor([0, 2]) if classes else None
    z = torch.randn(2, 8)
    spectra = spectral.Spectra(channels, length, size)
    G = spectral.Generator(8, spectra, 4, 16, classes)
    D = spectral.Discriminator(spectra, 4, 16, classes)
    for made, net, seen in (
        (G(z, label), D, spectra.of),
        (wavegan.Generator(8, channels, length, 4, classes)(z, label),
         wavegan.Discriminator(channels, length, 4, 2, classes), lambda x: x),
    ):  # fmt: skip
        assert made.shape == (2, channels, length)
        h = net.features(seen(made), label)
        assert h.shape == (2, net.length)
        assert net.judge(h, label).shape == (2,)


def test_generator_computes_no_frames_that_are_cut():
    """144 frames are no multiple of a power of two: layers that double 5 frames would have a ninth too many."""
    spectra = spectral.Spectra(1, 36_864, 512)
    G, frames = spectral.Generator(8, spectra, 4, 16), []
    for layer in G.layers:
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.register_forward_hook(lambda _, __, h: frames.append(h.shape[-1]))
    G(torch.randn(2, 8))
    assert frames == [5, 9, 18, 36]


def test_turned_spectra_are_those_of_sounds_with_turned_phases():
    """A tone with an angle added to its phase has the spectrum of the tone, turned by this angle."""
    t, spectra = torch.arange(2048), spectral.Spectra(1, 2048, 256)
    tone, other = (torch.sin(0.3 * t + phase)[None, None] for phase in (0.0, 1.2))
    turned, real = spectra.of(tone, torch.full((1, 1, 1, 1), 1.2)), spectra.of(other)
    near, inner = slice(8, 18), slice(2, -2)  # bins next to that of the tone, and frames without its ends
    assert torch.allclose(turned[..., near, inner], real[..., near, inner], atol=0.02)
    assert (spectra.of(tone) - real)[..., near, inner].abs().max() > 1


def test_wavegan_has_the_layers_of_the_paper():
    G, D = wavegan.Generator(100, 1, 16_384, 64), wavegan.Discriminator(1, 16_384, 64)
    assert (wavegan.stages(16_384), G.base) == (5, 16)
    assert [layer.in_channels for layer in G.layers if hasattr(layer, "in_channels")] == [1024, 512, 256, 128, 64]
    assert [layer.out_channels for layer in D.layers if hasattr(layer, "out_channels")] == [64, 128, 256, 512, 1024]
    assert D.length == 1024 * 16
    assert sum(w.numel() for w in G.parameters()) == pytest.approx(19e6, rel=0.05)  # as the paper's


def test_phase_shuffle_shifts_by_a_few_steps_and_reflects():
    torch.manual_seed(0)
    x = torch.arange(10.0).expand(200, 1, 10)
    shuffled = wavegan.PhaseShuffle(2)(x)[:, 0]
    found = {tuple(row.int().tolist()) for row in shuffled}
    assert found == {
        (0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 5, 6, 7, 8, 9, 8), (2, 3, 4, 5, 6, 7, 8, 9, 8, 7),
        (1, 0, 1, 2, 3, 4, 5, 6, 7, 8), (2, 1, 0, 1, 2, 3, 4, 5, 6, 7),
    }  # fmt: skip


def test_all_parts_of_the_game_move_to_the_device():
    modality = Audio(rate=8000, channels=1, length=1024)
    game = recipes.find("audio").set({"width": 4, "most": 8}).game(modality).to("meta")
    held = [module for module in game.modules() if isinstance(module, spectral.Spectra)]
    assert len(held) == 2  # G's, and that of the view before D
    assert all(module.sign.is_meta for module in held)
