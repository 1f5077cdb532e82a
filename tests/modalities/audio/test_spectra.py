"""Pictures of sounds and sounds of pictures; compressed complex spectra and back."""

import numpy as np
import pytest
import torch
from toy_sounds import tone

from sparring.modalities.audio.spectra import MelPictures, analysis, features, griffin_lim, levels, side_for
from sparring.nets.spectral import SCALE, Spectra, TurnedSpectra

RATE = 8000


def waves(n=2, length=5632):
    made = np.stack([tone(300 * (i + 1), length / RATE, peak=1.0)[:length] for i in range(n)])
    return torch.from_numpy(made).float()[:, None]


def decibels(x, y):
    return float(10 * torch.log10(x.square().sum() / (x - y).square().sum()))


@pytest.mark.parametrize(("size", "length", "channels"), [(256, 5632, 1), (512, 5000, 2), (64, 333, 1)])
def test_compressed_spectra_can_be_inverted(size, length, channels):
    x = waves(4, length).repeat(1, channels, 1) + 0.01 * torch.randn(4, channels, length)
    spectra = Spectra(channels, length, size)
    compressed = spectra.of(x)
    assert compressed.shape == (4, 3 * channels, size // 2, -(-length // (size // 2)))
    again = spectra.waves(compressed[:, : 2 * channels])
    assert again.shape == x.shape
    assert decibels(x, again) > 25


def test_a_stationary_sine_has_a_smooth_phase():
    spectra = Spectra(1, 4096, 256)
    t = torch.arange(4096) / 256
    compressed = spectra.of(torch.cos(2 * torch.pi * 20 * t + 1)[None, None])[0, :2, 20, 2:-2] / SCALE
    assert compressed.std(1).max() < 1e-3


def test_turning_phases_keeps_magnitudes():
    spectra, x = Spectra(1, 4096, 256), waves(2, 4096)
    compressed, after = spectra.of(x), TurnedSpectra(spectra)(x)
    assert not after.allclose(compressed)
    assert (after[:, :2].square().sum(1)).allclose(compressed[:, :2].square().sum(1), atol=1e-4)
    assert (after[:, 2:] == compressed[:, 2:]).all()


def test_griffin_lim_finds_sounds_with_the_given_magnitudes():
    x, stft = waves(2, 4096)[:, 0], analysis(RATE)
    wanted = stft.spectrum(x).abs()
    found = stft.spectrum(griffin_lim(wanted, stft)).abs()
    assert decibels(wanted, found) > 20


@pytest.mark.parametrize("length", [5632, 5000])
def test_pictures_become_sounds_with_the_same_levels(length):
    pictures = MelPictures(RATE, 64, length)
    x = waves(2, length)
    image = pictures.of(x)
    assert image.shape == (2, 1, 64, 64)
    assert image.min() == -1
    again = pictures.waves(image)
    assert again.shape == x.shape
    heard = image > 0.2  # within 30 dB of full scale; the inversion of the filters leaks into quieter bands
    assert (pictures.of(again) - image)[heard].abs().mean() < 0.08


def test_sides_follow_from_durations():
    assert [side_for(seconds) for seconds in (0.1, 0.704, 1.67, 30.0)] == [32, 64, 128, 256]


def test_features_tell_sounds_apart():
    low, high = waves(2)
    noise = torch.randn(1, 5632) * 0.1
    f = features(levels(torch.stack([low, low.roll(40, -1), high, noise]), RATE, 32))
    assert f.shape == (4, 140)
    assert (f[0] - f[1]).norm() < 0.3 * (f[0] - f[2]).norm()
    assert (f[0] - f[3]).norm() > (f[0] - f[1]).norm()
