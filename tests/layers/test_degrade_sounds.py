"""Degradations of recordings against arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sparring.errors import InputError
from sparring.layers.degrade.sounds import colored, parse
from sparring.metrics.recordings import si_sdr

RATE = 8000
ALL = [
    "noise5-15",
    "pink10",
    "brown10",
    "colored0-20",
    "lowpass1000-3000",
    "resample3000-6000",
    "clip6-12",
    "room0.1-0.4",
]


@pytest.fixture
def x() -> torch.Tensor:
    """A chord that swells, (4, 1, samples)."""
    t = torch.arange(6000) / RATE
    chord = sum(torch.sin(2 * math.pi * f * t) for f in (220, 700, 1500, 3100))
    return (0.1 * chord * (t / t.max()))[None, None].repeat(4, 1, 1)


def degraded(words: list[str], x: torch.Tensor, seed: int = 1, **settings: torch.Tensor) -> torch.Tensor:
    torch.manual_seed(seed)
    return parse(words, RATE, **settings)(x)


@pytest.mark.parametrize("word", ALL)
def test_each_recording_has_its_own_draw_and_keeps_its_length(word: str, x: torch.Tensor) -> None:
    if word.startswith(("resample", "mpeg")):
        pytest.importorskip("soxr")
    output = degraded([word], x)
    assert output.shape == x.shape
    assert output.dtype == torch.float32
    assert torch.equal(output, degraded([word], x))
    assert not torch.allclose(output[0], output[1], atol=1e-6)
    assert (output - x).abs().max() > 1e-3


@pytest.mark.parametrize("word", ["mpeg8", "mpeg64", "mpeg8-64"])
def test_mp3_keeps_length_and_place(word: str) -> None:
    """Of low bit rates too, whose files do not state the encoder's delay."""
    pytest.importorskip("soundfile")
    torch.manual_seed(0)
    x = 0.1 * torch.fft.irfft(torch.fft.rfft(torch.randn(3, 1, 6000)) * torch.linspace(1, 0, 3001) ** 4, n=6000)
    output = degraded([word], x)
    assert output.shape == x.shape
    spectrum = torch.fft.rfft(output, n=16384) * torch.fft.rfft(x, n=16384).conj()
    assert (torch.fft.irfft(spectrum).argmax(-1) == 0).all()
    assert (si_sdr(output, x) > 3).all()
    assert (si_sdr(output, x) < 60).all()


@pytest.mark.parametrize("word", ["noise", "pink", "brown", "colored"])
def test_noise_has_the_ratio_that_was_asked_for(word: str, x: torch.Tensor) -> None:
    noise = degraded([f"{word}12"], x) - x
    ratio = 10 * (x.square().mean(-1) / noise.square().mean(-1)).log10()
    assert torch.allclose(ratio, torch.full((4, 1), 12.0), atol=0.01)


def test_recorded_noise_is_a_part_of_the_recordings(x: torch.Tensor) -> None:
    noises = torch.arange(20_000) % 100 - 50.0
    noise = degraded(["recorded6"], x, noises=noises) - x
    steps = noise.diff(dim=-1)
    rising = (steps > 0).float().mean()
    assert rising == pytest.approx(0.99, abs=0.005)  # a sawtooth, as recorded
    assert not torch.allclose(noise[0], noise[1], atol=1e-3)


def test_colors_are_slopes_of_the_power() -> None:
    torch.manual_seed(0)
    x = torch.zeros(200, 1, 8192)
    for slope in (0.0, 1.0, 2.0):
        power = torch.fft.rfft(colored(x, slope)).abs().square().mean((0, 1))
        frequency = torch.arange(len(power)).float()
        part = slice(200, 4000)
        fitted = np.polyfit(frequency[part].log(), power[part].log(), 1)[0]
        assert fitted == pytest.approx(-slope, abs=0.05)


def test_lowpass_keeps_what_is_below(x: torch.Tensor) -> None:
    output = degraded(["lowpass1000"], x)
    spectrum, before = (torch.fft.rfft(s[0, 0] * torch.hann_window(6000)).abs() for s in (output, x))
    bins = [round(f * 6000 / RATE) for f in (220, 700, 1500, 3100)]
    assert (spectrum[bins[:1]] / before[bins[:1]] > 0.9).all()
    assert (spectrum[bins[2:]] / before[bins[2:]] < 0.1).all()


def test_clipping_cuts_at_the_level(x: torch.Tensor) -> None:
    output = degraded(["clip6"], x)
    assert torch.allclose(output.abs().amax(-1), x.abs().amax(-1) * 10 ** (-6 / 20), rtol=1e-5)


def test_rooms_keep_the_direct_sound_in_its_place_and_decay() -> None:
    click = torch.zeros(1, 1, 8000)
    click[..., 1000] = 1
    output = degraded(["room0.5"], click)[0, 0]
    assert output[:1000].abs().max() < 1e-5  # nothing sounds before
    assert output[1000].item() == pytest.approx(1, abs=1e-4)
    early, late = output[1001:2001].square().sum(), output[3001:4001].square().sum()
    decay = 10 * (early / late).log10().item()
    assert decay == pytest.approx(60 * 0.25 / 0.5, abs=4)  # dB in a quarter of a second


def test_silence_stays_finite() -> None:
    silence = torch.zeros(2, 1, 4000)
    for word in ALL:
        if not word.startswith("resample"):
            assert degraded([word], silence).isfinite().all()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["hiss"], "'hiss' is not a degradation; "),
        (["noise"], "'noise' lacks its number; noise takes a number or a range within 0-60"),
        (["noise20-10"], "'noise20-10' is out of bounds; noise takes .*, the smaller number first"),
        (["lowpass5000"], "'lowpass5000' changes nothing in recordings of 8,000 Hz; give a lower frequency"),
        (["resample9000"], "'resample9000' changes nothing in recordings of 8,000 Hz; give a lower frequency"),
    ],
)
def test_wrong_words_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(words, RATE)


def test_mp3_of_a_rate_that_it_lacks_is_refused() -> None:
    with pytest.raises(InputError, match="MP3 has no sampling rate of 9,000 Hz"):
        parse(["mpeg16"], 9000)
