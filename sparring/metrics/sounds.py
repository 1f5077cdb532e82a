"""Metrics of sounds: spectra at several resolutions, copies at the best alignment, and artifacts of generators."""

from __future__ import annotations

from collections.abc import Mapping
from math import log

import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.layers.stft import STFT, log_mel, mel_filters

RESOLUTIONS = ((128, 8), (512, 32), (2048, 64))  # samples of a frame, and mel bands
SPANS = 8  # of time, in which spectra are compared
CHUNK = 64  # sounds that are transformed together
LINE_SIZE = 512  # samples of the frames in which artifacts are looked for
NEIGHBORS = 15  # bins around a line
LOWEST = 1e-4  # magnitude below which there is no line: -80 dB
COPY = 0.95  # correlation from which a sound is a near copy
SILENT = 1e-3  # peak below which a sound is silent, relative to full scale
FULL = 0.999  # of the peak,
RUN = 4  # at which so many samples in a row are clipped


def spectral_distance(a: Tensor, b: Tensor, rate: int) -> float:
    """Differences of the means and of the standard deviations of log-mel levels over all sounds, in nepers: the mean
    of their absolute values over bands, spans of time and three resolutions. 0 for equal distributions of levels.

    Args:
        a, b: sounds (n, channels, length) and (m, channels, length).
        rate: samples per second.
    """
    distances = []
    for size, mels in RESOLUTIONS:
        if size > a.shape[-1]:
            continue
        (mean_a, std_a), (mean_b, std_b) = (_moments(x, rate, size, mels) for x in (a, b))
        distances.append(((mean_a - mean_b).abs() + (std_a - std_b).abs()).mean())
    return float(torch.stack(distances).mean())


def _moments(x: Tensor, rate: int, size: int, mels: int) -> tuple[Tensor, Tensor]:
    stft, filters = STFT(size, size // 4), mel_filters(rate, size, mels)
    levels = [log_mel(part, stft, filters).mean(1) for part in x.float().split(CHUNK)]  # type: ignore[no-untyped-call]
    spans = F.adaptive_avg_pool2d(torch.cat(levels)[:, None], (mels, SPANS))
    return spans.mean(0), spans.std(0)


def aligned_correlation(a: Tensor, b: Tensor) -> Tensor:
    """The largest correlation of two sounds over all shifts of one against the other, (...,) for (..., length) each,
    which are broadcast; 1 if one is the other at another time and level.
    """
    size = 2 * a.shape[-1]
    product = torch.fft.rfft(a, size) * torch.fft.rfft(b, size).conj()
    correlation: Tensor = torch.fft.irfft(product, size).abs().amax(-1)
    scale = a.norm(dim=-1) * b.norm(dim=-1)
    best: Tensor = correlation / scale.clamp(min=1e-12)
    return best


def artifacts(x: Tensor) -> dict[str, Tensor]:
    """How strong artifacts of generators are in sounds (n, channels, length), (n,) by name; compare them with those of
    real sounds.

    lines: the level of the strongest line in the spectrum that is there at nearly all times, in nepers above its
        surroundings.
    mirrors: the correlation of a spectrum with itself mirrored at a quarter of the rate, as upsampling by two leaves
        it without a filter.
    clicks: the largest second difference of the samples, in units of its root mean square.
    offset: the mean of the samples / their root mean square.
    clipped: 1 if samples stay at the highest level near full scale.
    silence: 1 if there is nothing to hear.
    """
    parts = [_artifacts(part.float()) for part in x.split(CHUNK)]  # type: ignore[no-untyped-call]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def _artifacts(x: Tensor) -> dict[str, Tensor]:
    mono = x.mean(1)
    size = min(LINE_SIZE, 2 ** int(log(mono.shape[-1], 2)))
    levels = STFT(size, size // 4).magnitude(mono).clamp(min=LOWEST).log()  # (n, bins, frames)
    typical = levels.quantile(0.25, dim=2)  # what is there in three quarters of all frames
    around = F.pad(typical[:, None], (NEIGHBORS // 2, NEIGHBORS // 2), "replicate")[:, 0]
    surroundings = around.unfold(1, NEIGHBORS, 1).median(2).values
    bends = mono.diff(n=2)
    peak = x.abs().amax((1, 2))
    top = (x.abs() >= FULL * peak[:, None, None]).float()
    runs = F.avg_pool1d(top, RUN, 1).amax((1, 2)) >= 1 - 1e-4
    return {
        "lines": (typical - surroundings).amax(1),
        "mirrors": _mirrored(levels),
        "clicks": bends.abs().amax(1) / bends.square().mean(1).sqrt().clamp(min=1e-9),
        "offset": mono.mean(1).abs() / mono.square().mean(1).sqrt().clamp(min=1e-9),
        "clipped": (runs & (peak > 0.9)).float(),
        "silence": (peak < SILENT).float(),
    }


def _mirrored(levels: Tensor) -> Tensor:
    """Correlation over time of each bin with its mirror image, the mean over all bins, (n,)."""
    low, high = levels[:, 1 : levels.shape[1] // 2], levels[:, levels.shape[1] // 2 + 1 : -1].flip(1)
    count = min(low.shape[1], high.shape[1])
    both = torch.stack([low[:, :count], high[:, :count]])
    # What all bins have in common, such as an onset, is no image.
    both = both - both.mean((0, 2), keepdim=True)
    both = both - both.mean(3, keepdim=True)
    product = (both[0] * both[1]).sum((1, 2))
    scale = both.square().sum((2, 3)).prod(0).sqrt()
    return product / scale.clamp(min=1e-9)


def artifact_shares(of: Mapping[str, Tensor], limits: Mapping[str, float]) -> dict[str, float]:
    """Share of sounds whose artifacts are stronger than the limits, by name."""
    return {name: float((values > limits[name]).float().mean()) for name, values in of.items()}


def artifact_limits(real: Mapping[str, Tensor], share: float = 0.01) -> dict[str, float]:
    """Limits that a share of real sounds exceeds."""
    return {name: float(values.quantile(1 - share)) for name, values in real.items()}
