"""Metrics of sounds: they see what they are said to see, and nothing in clean sounds."""

import pytest
import torch

from sparring.metrics.sounds import (
    COPY,
    aligned_correlation,
    artifact_limits,
    artifact_shares,
    artifacts,
    spectral_distance,
)

RATE = 8000


def plucked(n=40, length=4096, seed=0):
    """Decaying harmonics of random pitch and onset."""
    random = torch.Generator().manual_seed(seed)
    t = torch.arange(length) / RATE
    hertz = 150 + 300 * torch.rand(n, 1, generator=random)
    onset = 0.05 * torch.rand(n, 1, generator=random)
    after = (t - onset).clamp(min=0)
    tones = sum(torch.sin(2 * torch.pi * k * hertz * after) / k for k in (1, 2, 3, 5))
    x = tones * torch.exp(-8 * after) * (1 - torch.exp(-200 * after))
    x = x + 1e-3 * torch.randn(n, length, generator=random)
    return (x / x.abs().amax(1, keepdim=True))[:, None]


def test_spectral_distance_is_small_for_the_same_kind_of_sounds_only():
    a, b = plucked(seed=1), plucked(seed=2)
    same = spectral_distance(a, b, RATE)
    assert spectral_distance(a, a, RATE) == 0
    for other in (b * 0.3, torch.randn_like(b) * 0.1, b.flip(-1)):
        assert spectral_distance(a, other, RATE) > 3 * same


def test_shifted_and_quieter_copies_are_found():
    x = plucked(2)[:, 0]
    moved = torch.nn.functional.pad(x[0], (700, 0))[:4096] * -0.2
    found = aligned_correlation(torch.stack([x[0], moved]), torch.stack([x[1], x[0]]))
    assert found[0] < 0.8
    assert found[1] > COPY
    direct = max(abs(float(x[0] @ torch.roll(torch.nn.functional.pad(x[1], (0, 4096)), s)[:4096])) for s in range(8192))
    assert found[0] == pytest.approx(direct / float(x[0].norm() * x[1].norm()), rel=1e-3)


def test_artifacts_are_named():
    clean = plucked(200, seed=3)
    limits = artifact_limits(artifacts(clean))
    x = plucked(50, seed=4)
    zeros = torch.zeros_like(x)
    zeros[..., ::2] = x[..., ::2]  # upsampling without a filter
    clicking = x.clone()
    clicking[..., 2000] += 1
    spoilt = {
        "mirrors": zeros * 2,
        "clicks": clicking,
        "offset": x + 0.1,
        "clipped": (x * 5).clamp(-1, 1),
        "silence": x * 1e-4,
    }
    usual = artifact_shares(artifacts(x), limits)
    assert max(usual.values()) < 0.15
    for name, sounds in spoilt.items():
        assert artifact_shares(artifacts(sounds), limits)[name] > 0.9, name


def test_lines_are_found_in_sounds_that_have_none():
    random = torch.Generator().manual_seed(0)
    t = torch.arange(4096) / RATE
    bursts = torch.randn(300, 1, 4096, generator=random) * torch.exp(-8 * t) * 0.3
    limits = artifact_limits(artifacts(bursts[:250]))
    tone = 0.05 * torch.sin(2 * torch.pi * 1700 * t)
    assert artifact_shares(artifacts(bursts[250:]), limits)["lines"] < 0.1
    assert artifact_shares(artifacts(bursts[250:] + tone), limits)["lines"] == 1
