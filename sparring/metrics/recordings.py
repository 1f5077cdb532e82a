"""Metrics of generated recordings whose true result is known: waveforms (samples,) or (n, ..., samples).

| metric | says | does not say |
|---|---|---|
| `pesq` | how speech sounds to listeners on the telephone | anything of a wider band, or of music |
| `stoi` | how well speech is understood | how it sounds |
| `si_sdr` | how exact the waveform is | anything where phases are generated, as by vocoders |
| `log_spectral_distance` | how exact the levels are, also those of a new band | anything of phases |
"""

from __future__ import annotations

import math
from math import nan

import numpy as np
import torch
from torch import Tensor

from sparring.errors import needs
from sparring.layers.stft import STFT

PESQ_RATE = {"nb": 8000, "wb": 16_000}  # samples per second that each mode takes
STOI_SECONDS = 0.4  # shorter recordings have no frame of it
WINDOW = 0.032  # seconds of a frame, about
RANGE = 80.0  # decibels below the loudest value of a spectrum that are compared
MAX_SI_SDR = 100.0  # dB, of recordings without an error


def si_sdr(x: Tensor, target: Tensor) -> Tensor:
    """Scale-invariant signal-to-distortion ratio of each recording in dB: (n, ...) -> (n,). Le Roux et al. 2018,
    arXiv:1811.02508.
    """
    x, target = x.flatten(1).double(), target.flatten(1).double()
    x, target = x - x.mean(1, keepdim=True), target - target.mean(1, keepdim=True)
    tiny = torch.finfo(torch.float32).tiny
    scale = (x * target).sum(1, keepdim=True) / target.square().sum(1, keepdim=True).clamp(min=tiny)
    wanted = scale * target
    ratio = wanted.square().sum(1).clamp(min=tiny) / (x - wanted).square().sum(1).clamp(min=tiny)
    return (10 / math.log(10) * ratio.log()).clamp(-MAX_SI_SDR, MAX_SI_SDR)


def log_spectral_distance(x: Tensor, target: Tensor, rate: int, low: float = 0.0, high: float | None = None) -> Tensor:
    """Root mean square of the differences of log power spectra in decades, over frequencies, and its mean over frames:
    (n, ..., samples) -> (n,). Gray and Markel 1976, doi:10.1109/TASSP.1976.1162849.

    Args:
        rate: samples per second.
        low, high: range of frequencies in Hz; all unless given.
    """
    size = 2 ** round(math.log2(WINDOW * rate))
    stft = STFT(size, size // 4)
    powers = [stft.magnitude(s).square().flatten(1, -3) for s in (x, target)]
    floor = powers[1].amax((1, 2, 3), keepdim=True).clamp(min=1e-12) * 10 ** (-RANGE / 10)
    first = math.ceil(low * size / rate)
    last = stft.bins if high is None else math.floor(high * size / rate) + 1
    generated, true = (torch.maximum(p[..., first:last, :], floor).log10() for p in powers)
    return (generated - true).square().mean(-2).sqrt().flatten(1).mean(1)


def pesq(x: Tensor, target: Tensor, rate: int) -> float:
    """Perceptual evaluation of speech quality, ITU-T P.862.1 in narrow band for rates below 16 kHz (at most 4.55),
    P.862.2 in wide band otherwise (at most 4.64). NaN where it finds no speech.

    Args:
        x, target: (samples,).
        rate: samples per second; other rates than 8 and 16 kHz are resampled.

    Raises:
        InputError: if its package is not installed.
    """
    package = needs("pesq", "speech", "computes PESQ")
    mode = pesq_mode(rate)
    try:
        degraded, reference = (_at(s, rate, PESQ_RATE[mode]) for s in (x, target))
        return float(package.pesq(PESQ_RATE[mode], reference, degraded, mode))
    except (package.PesqError, ValueError):  # no speech, or too short; a division by zero in silence
        return nan


def pesq_mode(rate: int) -> str:
    """ "nb" or "wb"."""
    return "wb" if rate >= PESQ_RATE["wb"] else "nb"


def stoi(x: Tensor, target: Tensor, rate: int) -> float:
    """Short-time objective intelligibility, at most 1. Taal et al. 2011, doi:10.1109/TASL.2011.2114881. NaN for
    recordings that are too short.

    Args:
        x, target: (samples,).

    Raises:
        InputError: if its package is not installed.
    """
    package = needs("pystoi", "speech", "computes STOI")
    clean = target.cpu().double().numpy()
    if len(clean) < STOI_SECONDS * rate or not clean.any():
        return nan
    return _stoi(package, clean, x.cpu().double().numpy(), rate)


def _stoi(package: object, clean: np.ndarray, changed: np.ndarray, rate: int) -> float:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it warns that too little is left without silence, and returns 1e-5
        try:
            return float(package.stoi(clean, changed, rate))  # type: ignore[attr-defined]
        except (RuntimeWarning, UserWarning):
            return nan


def _at(x: Tensor, rate: int, to: int) -> np.ndarray:
    samples = x.cpu().float().numpy()
    if rate == to:
        return samples
    return np.asarray(needs("soxr", "audio", "changes the rate of sounds").resample(samples, rate, to))
