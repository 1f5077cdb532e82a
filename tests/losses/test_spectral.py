"""Spectral distances against arithmetic by hand."""

from __future__ import annotations

import math

import pytest
import torch

from sparring.layers.stft import STFT
from sparring.losses.spectral import compressed_distance, mel_distance, mel_scales


def test_mel_distance_of_a_gain_is_its_logarithm() -> None:
    scales = mel_scales(8000, 4096)
    assert [stft.size for stft, _ in scales] == [32, 64, 128, 256, 512, 1024, 2048]
    assert [len(filters) for _, filters in scales] == [5, 10, 20, 40, 80, 80, 80]
    x = torch.randn(2, 1, 4096)
    assert mel_distance(x, 2 * x, scales).item() == pytest.approx(math.log(2), abs=1e-4)
    assert mel_distance(x, x, scales) == 0


def test_mel_distance_does_not_hear_what_is_below_80_decibels() -> None:
    scales = mel_scales(8000, 4096)
    noise = torch.randn(1, 1, 4096)
    assert mel_distance(1e-5 * noise, torch.zeros_like(noise), scales) == 0
    assert mel_distance(1e-2 * noise, torch.zeros_like(noise), scales) > 1


def test_mel_scales_fit_short_segments() -> None:
    assert [stft.size for stft, _ in mel_scales(8000, 500)] == [32, 64, 128]


def test_compressed_distance_hears_phase_only_as_far_as_it_should() -> None:
    """A signal and its negative have the same magnitudes; their values are two magnitudes apart."""
    x, stft = torch.randn(1, 1, 2048), STFT(256, 64)
    assert compressed_distance(x, -x, stft, phase=0.0).item() == pytest.approx(0, abs=1e-6)
    power = (stft.spectrum(x).abs() ** 0.6).mean().item()
    assert compressed_distance(x, -x, stft, phase=1.0).item() == pytest.approx(4 * power, rel=1e-3)


def test_gradients_are_finite_in_silence() -> None:
    x = torch.zeros(1, 1, 2048, requires_grad=True)
    y = torch.randn(1, 1, 2048)
    (compressed_distance(x, y, STFT(256, 64)) + mel_distance(x, y, mel_scales(8000, 2048))).backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
