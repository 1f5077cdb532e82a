"""Spectra of sounds as pictures and as features, and sounds of such pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, log

import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.layers.stft import LOG_FLOOR, STFT, log_mel, mel_filters

WINDOW = 0.032  # seconds of a frame, about
MIN_SIZE, MAX_SIZE = 64, 4096  # samples of a frame
BANDS, SEGMENTS = 20, 6  # of the features by which trainings are scored
FINE_BANDS, FINE_SEGMENTS = 32, 16  # of the levels by which near copies are found
QUIET, LOUD = log(1e-4), log(0.5)  # log-mel levels at -1 and at 1 in pictures: from -80 dB to a sine at full scale
FRAME_SPACING = 0.016  # seconds between two columns of a picture at most
MIN_SIDE, MAX_SIDE = 32, 256  # of a picture whose side is chosen
ITERATIONS = 48  # of Griffin-Lim
MOMENTUM = 0.99  # of its fast version, Perraudin et al. 2013, doi:10.1109/WASPAA.2013.6701851


def frame_size(rate: int) -> int:
    """Samples of a frame of about 32 milliseconds, a power of two."""
    return min(MAX_SIZE, max(MIN_SIZE, 1 << round(log(WINDOW * rate, 2))))


def side_for(seconds: float) -> int:
    """Bands and frames of a picture of a sound: a power of two."""
    frames = max(1.0, seconds / FRAME_SPACING)
    return min(MAX_SIDE, max(MIN_SIDE, 1 << ceil(log(frames, 2))))


def analysis(rate: int) -> STFT:
    """The transform by which sounds are drawn and judged: three quarters of a frame overlap."""
    size = frame_size(rate)
    return STFT(size, size // 4)


@lru_cache(maxsize=16)
def _filters(rate: int, size: int, mels: int, device: torch.device) -> Tensor:
    return mel_filters(rate, size, mels).to(device)


def levels(waves: Tensor, rate: int, mels: int) -> Tensor:
    """Log-mel levels of sounds (n, channels, length), their mean over the channels: (n, mels, frames)."""
    stft = analysis(rate)
    return log_mel(waves, stft, _filters(rate, stft.size, mels, waves.device)).mean(1)


def pooled(levels: Tensor, bands: int, segments: int) -> Tensor:
    """Mean levels (n, mels, frames) over bands and equal spans of time: (n, bands, segments)."""
    return F.adaptive_avg_pool2d(levels[:, None], (bands, segments))[:, 0]


def features(levels: Tensor) -> Tensor:
    """Mean levels of bands and spans of time, and how much each band varies: (n, 140)."""
    spans = pooled(levels, BANDS, SEGMENTS)
    varying = F.adaptive_avg_pool2d(levels.std(2, correction=0)[:, None, :, None], (BANDS, 1))
    return torch.cat([spans.flatten(1), varying.flatten(1)], 1)


@dataclass(frozen=True)
class MelPictures:
    """Sounds as square pictures of their log-mel levels, as SpecGAN takes them: a line for each band, a column for each
    frame. Donahue et al. 2019, arXiv:1802.04208, section 3.2, there with all bins of the transform.

    Attributes:
        rate: samples per second.
        side: number of bands and of frames.
        length: samples of a sound.
    """

    rate: int
    side: int
    length: int

    @property
    def stft(self) -> STFT:
        hop = -(-self.length // self.side)
        hop += hop % 2
        return STFT(4 * hop, hop)

    def of(self, waves: Tensor) -> Tensor:
        """Sounds (n, channels, length) -> pictures (n, channels, side, side) in [-1, 1]."""
        stft = self.stft
        padded = F.pad(waves, (0, self.side * stft.hop - waves.shape[-1]))
        found = log_mel(padded, stft, _filters(self.rate, stft.size, self.side, waves.device))
        return ((found - QUIET) / (LOUD - QUIET) * 2 - 1).clamp(-1, 1)

    def levels(self, pictures: Tensor) -> Tensor:
        """The log-mel levels of pictures."""
        return (pictures.float().clamp(-1, 1) + 1) / 2 * (LOUD - QUIET) + QUIET

    def waves(self, pictures: Tensor) -> Tensor:
        """Pictures (n, channels, side, side) -> sounds (n, channels, length), with phases by `griffin_lim`."""
        stft = self.stft
        filters = _filters(self.rate, stft.size, self.side, pictures.device)
        mels = torch.where(pictures > -1, self.levels(pictures).exp(), 0.0)
        magnitude = (torch.linalg.pinv(filters) @ mels).clamp(min=0) * (stft.size / 2)
        return griffin_lim(magnitude, stft)[..., : self.length]


def griffin_lim(magnitude: Tensor, stft: STFT, iterations: int = ITERATIONS) -> Tensor:
    """Sounds whose spectra have nearly these magnitudes, (..., bins, frames) -> (..., samples). Griffin and Lim 1984,
    doi:10.1109/TASSP.1984.1164317, with momentum. The same magnitudes always give the same sound.
    """
    generator = torch.Generator().manual_seed(0)
    phase = torch.rand(magnitude.shape[-2:], generator=generator).to(magnitude.device) * (2 * torch.pi)
    spectrum = torch.polar(magnitude, phase.expand_as(magnitude))
    before = torch.zeros_like(spectrum)
    for _ in range(iterations):
        rebuilt = stft.spectrum(stft.inverse(spectrum))
        moved = rebuilt + MOMENTUM * (rebuilt - before)
        before = rebuilt
        spectrum = magnitude * moved / moved.abs().clamp(min=1e-8)
    return stft.inverse(spectrum)


def as_share(levels: Tensor) -> Tensor:
    """Log-mel levels in [0, 1] for colors: silence is 0, a sine at full scale 1."""
    return ((levels - LOG_FLOOR / 1.25) / (LOUD - LOG_FLOOR / 1.25)).clamp(0, 1)
