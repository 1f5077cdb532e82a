"""Metrics of recordings: by hand, and the packages for speech where they are installed."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch

from sparring.metrics.recordings import log_spectral_distance, pesq, pesq_mode, si_sdr, stoi

NO_SPEECH = "needs the extra 'speech'"


@pytest.fixture
def speech() -> torch.Tensor:
    """Something like speech, (samples,) at 8 kHz: syllables of a voice with formants."""
    torch.manual_seed(0)
    t = torch.arange(16_000) / 8000
    pulses = sum(torch.sin(2 * math.pi * 120 * k * t + k) / k for k in range(1, 25))
    syllables = torch.sin(2 * math.pi * 3 * t).clamp(min=0)
    return 0.1 * pulses * syllables


def test_si_sdr_ignores_gain_and_measures_noise() -> None:
    torch.manual_seed(0)
    x, noise = torch.randn(3, 1, 40_000), torch.randn(3, 1, 40_000)
    assert torch.allclose(si_sdr(0.3 * (x + 0.1 * noise), x), torch.full((3,), 20.0).double(), atol=0.3)
    assert (si_sdr(x, x) == 100).all()
    assert si_sdr(torch.zeros(1, 1, 100), x[:1, :, :100]).isfinite().all()


def test_log_spectral_distance_of_a_gain_is_its_logarithm() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 1, 8000)
    assert log_spectral_distance(x, x, 8000).abs().max() == 0
    assert torch.allclose(log_spectral_distance(10 * x, x, 8000), torch.full((2,), 2.0), atol=1e-3)


def test_log_spectral_distance_of_a_band_hears_that_band_only() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 1, 8000)
    spectrum = torch.fft.rfft(x)
    spectrum[..., 2000:] = 0  # above 2 kHz
    lower = torch.fft.irfft(spectrum, n=8000)
    assert log_spectral_distance(lower, x, 8000, 100, 1800).item() < 0.05
    assert log_spectral_distance(lower, x, 8000, 2200).item() > 2


def test_pesq_and_stoi_fall_with_noise(speech: torch.Tensor) -> None:
    pytest.importorskip("pesq", reason=NO_SPEECH)
    pytest.importorskip("pystoi", reason=NO_SPEECH)
    scores = []
    for level in (0.0, 0.01, 0.1):
        noisy = speech + level * torch.randn_like(speech)
        scores.append((pesq(noisy, speech, 8000), stoi(noisy, speech, 8000)))
    assert scores[0] == (pytest.approx(4.55, abs=0.01), pytest.approx(1.0, abs=1e-3))
    for better, worse in pairwise(scores):
        assert better[0] > worse[0]
        assert better[1] > worse[1]


def test_pesq_and_stoi_of_silence_are_undefined(speech: torch.Tensor) -> None:
    pytest.importorskip("pesq", reason=NO_SPEECH)
    pytest.importorskip("pystoi", reason=NO_SPEECH)
    silence = torch.zeros_like(speech)
    assert math.isnan(pesq(speech, silence, 8000))
    assert math.isnan(stoi(speech, silence, 8000))
    assert math.isnan(stoi(speech[:800], speech[:800], 8000))
    assert math.isnan(pesq(speech[:800], speech[:800], 8000))


def test_pesq_takes_other_rates(speech: torch.Tensor) -> None:
    pytest.importorskip("pesq", reason=NO_SPEECH)
    pytest.importorskip("soxr", reason="needs the extra 'audio'")
    assert [pesq_mode(rate) for rate in (8000, 11_025, 16_000, 44_100)] == ["nb", "nb", "wb", "wb"]
    assert pesq(speech, speech, 11_025) > 4.4
