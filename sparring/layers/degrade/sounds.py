"""Degradations of recordings: (n, 1, samples), each with its own random draw.

All are applied on the recordings' device but for MP3 compression and resampling, which are done by libraries on the
CPU.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import log

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.errors import InputError, needs
from sparring.layers.degrade.words import Kind, Step, steps

QUIET = 1e-4  # root mean square of a recording below which noise gets no quieter
TRANSITION = (0.01, 0.3)  # widths of low-pass filters, as shares of their frequency: steep and gentle ones
QUALITIES = ("QQ", "LQ", "MQ", "HQ", "VHQ")  # of soxr: several, so that a net does not learn one filter's edge
DIRECT_SHARE = (0.3, 0.9)  # range of the direct sound's share of the energy in a room
SLOPES = (0.0, 2.0)  # range of the slope of colored noise: its power falls with frequency to this power
LOWEST_SHARE = 1 / 400  # of the sampling rate: frequency below which noise has no more power
# Bit rates of MP3, in kbit/s, by the highest sampling rate for which they hold.
MPEG_RATES = {12_000: (8, 64), 24_000: (8, 160), 48_000: (32, 320)}
MPEG_DELAY, MPEG_FRAME = 1105, 1152  # samples: of encoder and decoder together, and of a frame
FORMATS = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)  # sampling rates of MP3


def uniform(x: Tensor, low: float, high: float) -> Tensor:
    """A number in [low, high] for each recording, (n, 1, 1)."""
    return low + (high - low) * torch.rand(len(x), 1, 1, device=x.device)


def add(x: Tensor, noise: Tensor, low: float, high: float) -> Tensor:
    """Noise at a signal-to-noise ratio in decibels, from the root mean squares of the whole recordings."""
    level = x.square().mean(-1, keepdim=True).sqrt().clamp(min=QUIET)
    wanted = level * 10 ** (-uniform(x, low, high) / 20)
    return x + noise * wanted / noise.square().mean(-1, keepdim=True).sqrt().clamp(min=1e-12)


def colored(x: Tensor, slope: Tensor | float) -> Tensor:
    """Gaussian noise of the same shape whose power falls with frequency to the power of the slope: 0 white, 1 pink,
    2 brown.
    """
    spectrum = torch.fft.rfft(torch.randn_like(x))
    share = torch.linspace(0, 0.5, spectrum.shape[-1], device=x.device).clamp(min=LOWEST_SHARE)
    noise: Tensor = torch.fft.irfft(spectrum * share ** (-slope / 2), n=x.shape[-1])
    return noise


def add_noise(x: Tensor, rate: int, low: float, high: float, slope: float) -> Tensor:  # noqa: ARG001
    return add(x, colored(x, slope), low, high)


def add_colored(x: Tensor, rate: int, low: float, high: float) -> Tensor:  # noqa: ARG001
    """Noise of a random color from white to brown."""
    return add(x, colored(x, uniform(x, *SLOPES)), low, high)


def lowpass(x: Tensor, rate: int, low: float, high: float) -> Tensor:
    """What is above a frequency in Hz is removed, by filters without a delay of different steepness."""
    spectrum = torch.fft.rfft(F.pad(x, (0, x.shape[-1])))
    hertz = torch.linspace(0, rate / 2, spectrum.shape[-1], device=x.device)
    cut = uniform(x, low, high)
    width = cut * uniform(x, *TRANSITION)
    gain = torch.sigmoid((cut - hertz) / width * 8)
    passed: Tensor = torch.fft.irfft(spectrum * gain, n=2 * x.shape[-1])
    return passed[..., : x.shape[-1]]


def resample(x: Tensor, rate: int, low: float, high: float) -> Tensor:
    """To a lower sampling rate in Hz and back."""
    soxr = needs("soxr", "audio", "changes the rate of sounds")
    rates = uniform(x, low, min(high, rate)).flatten().round().tolist()
    qualities = torch.randint(len(QUALITIES), (len(x),), device=x.device).tolist()

    def there_and_back(signal: np.ndarray, to: float, quality: int) -> np.ndarray:
        lower = soxr.resample(signal, rate, to, QUALITIES[quality])
        return np.asarray(soxr.resample(lower, to, rate, QUALITIES[quality]))

    return _one_by_one(x, lambda signal, i: there_and_back(signal, rates[i], qualities[i]))


def overdrive(x: Tensor, rate: int, low: float, high: float) -> Tensor:  # noqa: ARG001
    """Clipping: peaks are cut this many decibels below the highest one."""
    limit = x.abs().amax(-1, keepdim=True) * 10 ** (-uniform(x, low, high) / 20)
    return torch.maximum(torch.minimum(x, limit), -limit)


def reverberate(x: Tensor, rate: int, low: float, high: float) -> Tensor:
    """A synthetic room: the direct sound, and noise that decays by 60 decibels in a time in seconds. Polack 1988, "La
    transmission de l'energie sonore dans les salles". The direct sound keeps its place and its level.
    """
    length = min(x.shape[-1], max(2, round(high * rate)))
    seconds = torch.arange(length, device=x.device) / rate
    decay = torch.exp(-log(1000) * seconds / uniform(x, low, high))
    tail = torch.randn(len(x), 1, length, device=x.device) * decay
    tail[..., 0] = 0
    direct = uniform(x, *DIRECT_SHARE)
    energy = tail.square().sum(-1, keepdim=True).clamp(min=1e-12)
    tail = tail * ((1 - direct) / direct / energy).sqrt()
    size = x.shape[-1] + length
    echo: Tensor = torch.fft.irfft(torch.fft.rfft(x, n=size) * torch.fft.rfft(tail, n=size), n=size)
    return x + echo[..., : x.shape[-1]]


def compress(x: Tensor, rate: int, low: float, high: float) -> Tensor:
    """MP3 at a constant bit rate in kbit/s, of one channel."""
    soundfile = needs("soundfile", "audio", "writes MP3")
    kilobits = uniform(x, low, high).flatten().tolist()
    slowest, fastest = next(limits for top, limits in MPEG_RATES.items() if rate <= top)

    def coded(signal: np.ndarray, kilobit: float) -> np.ndarray:
        file, signal = io.BytesIO(), np.pad(signal, (0, MPEG_DELAY + MPEG_FRAME))
        level = min(0.99, max(0.0, (fastest - kilobit) / (fastest - slowest)))
        soundfile.write(
            file, signal, rate, format="MP3", subtype="MPEG_LAYER_III", compression_level=level,
            bitrate_mode="CONSTANT",
        )  # fmt: skip
        file.seek(0)
        decoded = np.asarray(soundfile.read(file, dtype="float32")[0])
        # The frames of low bit rates have no room for the encoder's delay, which a decoder otherwise removes.
        return decoded if len(decoded) == len(signal) else decoded[MPEG_DELAY:]

    return _one_by_one(x, lambda signal, i: coded(signal, kilobits[i]))


def _one_by_one(x: Tensor, change: Callable[[np.ndarray, int], np.ndarray]) -> Tensor:
    """Each recording as an array, changed and brought to its length: (n, 1, samples)."""
    changed = torch.zeros(x.shape)
    for i, signal in enumerate(x[:, 0].detach().float().cpu().numpy()):
        y = change(signal, i)[: x.shape[-1]]
        changed[i, 0, : len(y)] = torch.from_numpy(np.array(y, np.float32))
    return changed.to(x.device)


RATIO = (0.0, 60.0)  # bounds of signal-to-noise ratios
KINDS = {
    "noise": Kind(partial(add_noise, slope=0.0), RATIO),
    "pink": Kind(partial(add_noise, slope=1.0), RATIO),
    "brown": Kind(partial(add_noise, slope=2.0), RATIO),
    "colored": Kind(add_colored, RATIO),
    "recorded": Kind(lambda *_: torch.empty(0), RATIO),  # done by the chain, which has the recordings
    "lowpass": Kind(lowpass, (50, 96_000)),
    "resample": Kind(resample, (500, 192_000)),
    "clip": Kind(overdrive, (1, 40)),
    "room": Kind(reverberate, (0.05, 5)),
    "mpeg": Kind(compress, (8, 320)),
}


@dataclass(frozen=True)
class SoundChain:
    """Degradations of recordings, applied in order.

    Attributes:
        steps: the degradations.
        rate: samples per second.
        noises: recordings of noise, one after the other, (samples,), for "recorded".
    """

    steps: tuple[Step[Kind], ...]
    rate: int
    noises: Tensor | None = field(default=None, compare=False)

    def __call__(self, x: Tensor) -> Tensor:
        """Degrade recordings, each with its own random draw from torch's global generator on their device.

        Args:
            x: (n, 1, samples).

        Returns:
            The same shape, float32.
        """
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            for step in self.steps:
                x = self._recorded(x, *step.amounts) if step.name == "recorded" else self._changed(x, step)
            return x

    def _changed(self, x: Tensor, step: Step[Kind]) -> Tensor:
        return step.kind.function(x, self.rate, *step.amounts)

    def _recorded(self, x: Tensor, low: float, high: float) -> Tensor:
        """A random part of the recordings of noise, at a signal-to-noise ratio."""
        assert self.noises is not None
        noises, length = self.noises.to(x.device), x.shape[-1]
        starts = (torch.rand(len(x), 1, device=x.device) * len(noises)).long()
        places = (starts + torch.arange(length, device=x.device)) % len(noises)
        return add(x, noises[places][:, None], low, high)


def parse(texts: Sequence[str], rate: int, noises: Tensor | None = None) -> SoundChain:
    """Degradations from words such as noise5-15, lowpass3000, mpeg16-32: a name, and a number or a range from which
    each recording draws uniformly.

    | word | effect | number |
    |---|---|---|
    | noise, pink, brown, colored | noise of that color, or of a random one | signal-to-noise ratio in dB |
    | recorded | noise from the recordings in `noises=` | signal-to-noise ratio in dB |
    | lowpass | high frequencies are removed | frequency in Hz |
    | resample | to a lower rate and back | sampling rate in Hz |
    | clip | peaks are cut | decibels below the highest peak |
    | room | reverberation of a synthetic room | seconds in which it decays by 60 dB |
    | mpeg | MP3 compression | kbit/s |

    Args:
        rate: samples per second; 0 while it is unknown.
        noises: for "recorded", (samples,).

    Raises:
        InputError: if a word is unknown, its number is missing or out of bounds, or the rate does not allow it.
    """
    found = steps(texts, KINDS)
    for text, step in zip(texts, found, strict=True):
        if (
            rate
            and step.name in ("lowpass", "resample")
            and step.amounts[0] >= rate / (2 if step.name == "lowpass" else 1)
        ):
            raise InputError(f"{text!r} changes nothing in recordings of {rate:,} Hz; give a lower frequency")
        if rate and step.name == "mpeg" and rate not in FORMATS:
            raise InputError(f"{text!r} was given, but MP3 has no sampling rate of {rate:,} Hz; give rate=16000")
    return SoundChain(found, rate, noises)
