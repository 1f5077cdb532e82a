"""Methods that restore sounds and need no training."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from sparring.layers.stft import STFT

QUIETEST = 0.1  # share of the quietest frames, from which the noise is estimated
OVERSUBTRACTION, FLOOR = 2.0, 0.05  # of the noise's power that is subtracted, and of what remains at least


def identity(x: Tensor) -> Tensor:
    """The given sound, unchanged."""
    return x


def spectral_subtraction(stft: STFT) -> Callable[[Tensor], Tensor]:
    """The power spectrum of the noise, estimated from the quietest frames, is subtracted from that of every frame.
    Boll 1979, doi:10.1109/TASSP.1979.1163209, with the oversubtraction of Berouti et al. 1979,
    doi:10.1109/ICASSP.1979.1170788.
    """

    def restore(x: Tensor) -> Tensor:
        spectrum = stft.spectrum(x)
        power = spectrum.abs().square()
        frames = power.shape[-1]
        order = power.sum(-2).argsort(-1)[..., : max(1, round(QUIETEST * frames))]
        noise = power.gather(-1, order[..., None, :].expand(*power.shape[:-1], -1)).mean(-1, keepdim=True)
        left = (power - OVERSUBTRACTION * noise).clamp(min=0)
        gain = (left / power.clamp(min=1e-12)).sqrt().clamp(min=FLOOR)
        return stft.inverse(spectrum * gain, x.shape[-1])

    return restore
