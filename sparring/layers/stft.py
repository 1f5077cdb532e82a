"""Short-time Fourier transforms whose lengths are exact, and mel spectrograms; differentiable, in float32."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

# What a mel band is: the mean magnitude of its frequencies, or the area under them.
Bands = Literal["mean", "area"]

FLOOR = 1e-5  # smallest magnitude whose logarithm is taken: -100 dB, below the noise of 16 bits
LOG_FLOOR = math.log(FLOOR)  # the value of silence in a log-mel spectrogram, with which one is padded
LINEAR_HZ = 200 / 3  # width of a mel below BREAK_HZ
BREAK_HZ = 1000.0
LOG_STEP = math.log(6.4) / 27  # logarithm of the ratio of two mels above BREAK_HZ
SMALLEST_POWER = 1e-9  # added to powers before their root is taken, in `area_log_mel`


@dataclass(frozen=True)
class STFT:
    """Frames of `size` samples with a Hann window, one every `hop` samples: `frames * hop` samples have `frames`
    frames, and the inverse of these has exactly as many samples. The signal is padded with zeros, (size - hop) / 2 on
    either side, as in Siuzdak 2023, arXiv:2306.00814.

    Attributes:
        size: samples of a frame, a multiple of the hop.
        hop: samples between two frames; an even number.

    Raises:
        ValueError: if the hop is odd, or does not divide the size at least twice.
    """

    size: int
    hop: int

    def __post_init__(self) -> None:
        if self.hop < 2 or self.hop % 2 or self.size % self.hop or self.size < 2 * self.hop:
            raise ValueError(f"frames of {self.size} samples cannot start every {self.hop}; halve or quarter the size")

    @property
    def bins(self) -> int:
        """Number of frequencies, from 0 to half the sampling rate."""
        return self.size // 2 + 1

    @property
    def margin(self) -> int:
        """Samples by which the first frame starts before the signal, and the last one ends after it."""
        return (self.size - self.hop) // 2

    def frames(self, samples: int) -> int:
        """Number of frames of a signal; the last hop may be incomplete."""
        return -(-samples // self.hop)

    def spectrum(self, x: Tensor) -> Tensor:
        """(..., samples) -> complex (..., bins, frames). An incomplete last hop is filled with zeros."""
        spectrum: Tensor = torch.fft.rfft(self._framed(x.float()) * self._window(x.device))
        return spectrum.mT

    def magnitude(self, x: Tensor) -> Tensor:
        """(..., samples) -> (..., bins, frames), in units of the signal: half the amplitude of a stationary sine."""
        return self.spectrum(x).abs() * (2 / self.size)

    def inverse(self, spectrum: Tensor, samples: int | None = None) -> Tensor:
        """Complex (..., bins, frames) -> (..., samples), the signal whose spectrum is nearest: Griffin and Lim 1984,
        doi:10.1109/TASSP.1984.1164317, eq. 6.

        Args:
            samples: length of the signal, for one that ends before its last hop does; frames * hop unless given.
        """
        window = self._window(spectrum.device)
        frames = torch.fft.irfft(spectrum.mT, n=self.size) * window
        weights = self._overlapped(window.square().expand(frames.shape[-2], -1))
        return (self._overlapped(frames) / weights)[..., :samples]

    def _window(self, device: torch.device) -> Tensor:
        return torch.hann_window(self.size, device=device)

    def _framed(self, x: Tensor) -> Tensor:
        """(..., samples) -> (..., frames, size)."""
        x = F.pad(x, (self.margin, self.margin + -x.shape[-1] % self.hop))  # a multiple of the hop
        overlap = self.size // self.hop
        hops = x.reshape(*x.shape[:-1], -1, self.hop)
        count = hops.shape[-2] - overlap + 1
        return torch.cat([hops[..., i : i + count, :] for i in range(overlap)], -1)

    def _overlapped(self, frames: Tensor) -> Tensor:
        """(..., frames, size) -> their sum over time, (..., frames * hop), without the margins."""
        overlap = self.size // self.hop
        parts = frames.reshape(*frames.shape[:-1], overlap, self.hop).unbind(-2)
        padded = [F.pad(part, (0, 0, i, overlap - 1 - i)) for i, part in enumerate(parts)]
        whole = torch.stack(padded).sum(0).flatten(-2)
        return whole[..., self.margin : whole.shape[-1] - self.margin]


def hz_to_mel(hz: Tensor) -> Tensor:
    """Slaney's mel scale, "Auditory Toolbox", 1998: linear below 1 kHz, logarithmic above."""
    above = BREAK_HZ / LINEAR_HZ + (hz.clamp(min=BREAK_HZ) / BREAK_HZ).log() / LOG_STEP
    return torch.where(hz < BREAK_HZ, hz / LINEAR_HZ, above)


def mel_to_hz(mel: Tensor) -> Tensor:
    """The inverse of `hz_to_mel`."""
    linear = mel * LINEAR_HZ
    return torch.where(linear < BREAK_HZ, linear, BREAK_HZ * ((mel - BREAK_HZ / LINEAR_HZ) * LOG_STEP).exp())


def mel_filters(rate: int, size: int, mels: int, low: float = 0.0, high: float | None = None) -> Tensor:
    """Triangular filters that are equally spaced on the mel scale: (mels, bins). The weights of each sum to 1.

    Filters narrower than a bin are widened to one, so that none is empty.

    Args:
        rate: samples per second.
        size: samples of a frame.
        low, high: range of frequencies in Hz; up to half the rate unless given.
    """
    limits = hz_to_mel(torch.tensor([low, rate / 2 if high is None else high], dtype=torch.float64))
    step = torch.linspace(0, 1, mels + 2, dtype=torch.float64)
    edges = mel_to_hz(limits[0] + (limits[1] - limits[0]) * step) * (size / rate)  # in bins
    bins = torch.arange(size // 2 + 1, dtype=torch.float64)
    center = edges[1:-1, None]
    rising = (bins - center) / (center - edges[:-2, None]).clamp(min=1) + 1
    falling = (center - bins) / (edges[2:, None] - center).clamp(min=1) + 1
    filters = torch.minimum(rising, falling).clamp(min=0)
    return (filters / filters.sum(1, keepdim=True)).float()


def log_mel(x: Tensor, stft: STFT, filters: Tensor) -> Tensor:
    """Logarithm of the mean magnitude in each mel band, at least LOG_FLOOR: (..., samples) -> (..., mels, frames).

    Args:
        filters: from `mel_filters`, for the size of the frames.
    """
    return (filters @ stft.magnitude(x)).clamp(min=FLOOR).log()


def area_filters(rate: int, size: int, mels: int, high: float | None = None) -> Tensor:
    """The filters of `mel_filters` with an area of 1 over frequencies in Hz, (mels, bins), as most vocoders have them
    (McFee et al. 2015, doi:10.25080/Majora-7b98e3ed-003).
    """
    top = hz_to_mel(torch.tensor(rate / 2 if high is None else high, dtype=torch.float64))
    edges = mel_to_hz(top * torch.linspace(0, 1, mels + 2, dtype=torch.float64))  # in Hz
    hz = torch.arange(size // 2 + 1, dtype=torch.float64) * (rate / size)
    low, center, upper = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    filters = torch.minimum((hz - low) / (center - low), (upper - hz) / (upper - center)).clamp(min=0)
    return (filters * 2 / (upper - low)).float()


def area_log_mel(x: Tensor, stft: STFT, filters: Tensor) -> Tensor:
    """Logarithm of the area under the magnitudes in each mel band, at least LOG_FLOOR, of sounds that are mirrored at
    their ends: (n, samples) -> (n, mels, frames), as in Kong et al. 2020, arXiv:2010.05646.

    Args:
        filters: from `area_filters`, for the size of the frames.
    """
    missing = max(-x.shape[-1] % stft.hop, stft.margin + 1 - x.shape[-1])
    x = F.pad(F.pad(x.float(), (0, missing)), (stft.margin, stft.margin), mode="reflect")
    window = torch.hann_window(stft.size, device=x.device)
    spectrum = torch.stft(x, stft.size, stft.hop, window=window, center=False, return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()
    return (filters @ (power + SMALLEST_POWER).sqrt()).clamp(min=FLOOR).log()
