"""Loss terms of generators of recordings."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from sparring.games.terms import Formula, Term, Weighting
from sparring.layers.stft import STFT
from sparring.losses.spectral import compressed_distance, mel_distance, mel_scales


def Mel(weight: Weighting, rate: int, samples: int) -> Term:
    """`spectral.mel_distance` to the true recording, for segments of this length."""
    scales = mel_scales(rate, samples)
    return Formula("mel", weight, lambda j: mel_distance(j.fake, j.real, scales), of=("G",))


def Spectrum(weight: Weighting, stft: STFT) -> Term:
    """`spectral.compressed_distance` to the true recording."""
    return Formula("spectrum", weight, lambda j: compressed_distance(j.fake, j.real, stft), of=("G",))


def LayerMatching(weight: Weighting, sizes: Sequence[int]) -> Term:
    """Feature matching: mean absolute difference of D's features from those of the true recording, the mean over
    layers. Larsen et al. 2015, arXiv:1512.09300, in the form of Kong et al. 2020, arXiv:2010.05646, eq. 6.

    Args:
        sizes: numbers of each layer, in the order of D's features.
    """

    def distance(real: Tensor, fake: Tensor) -> Tensor:
        parts = zip(*(torch.split(h.float(), list(sizes), 1) for h in (real.detach(), fake)), strict=True)
        return torch.stack([(a - b).abs().mean() for a, b in parts]).mean()

    return Formula("matching", weight, lambda j: distance(j.on_real.features, j.on_fake.features), of=("G",))
