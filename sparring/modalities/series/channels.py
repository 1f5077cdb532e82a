"""Channels of a series: their stationary representations, which are learned, and the conversion back to values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Kind = Literal["returns", "differences", "ratio", "highest", "lowest", "log", "log1p", "level"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WALKS = ("returns", "differences")
BOUNDS = ("highest", "lowest")
ORDER = (
    "returns",
    "differences",
    "log",
    "log1p",
    "level",
    "ratio",
    *BOUNDS,
)  # of decoding: later ones depend on earlier ones
MARGIN = 0.1  # samples may be farther from the mean than the data by this share, on either side
MAX_LOG = 500.0  # absolute value, so that exponentials stay finite


@dataclass(frozen=True)
class Channel:
    """A column of a series.

    Attributes:
        name: of the column.
        kind: the stationary representation that is learned: steps of the logarithm ("returns"), steps of the value
            ("differences"), logarithm of the ratio to another channel ("ratio"), logarithmic distance above or below
            that channel and all ratios to it ("highest", "lowest"), logarithm ("log"), logarithm of 1 + value / scale
            ("log1p"), or the value itself ("level").
        anchor: index of that other channel; -1 if there is none.
        mean, deviation: of the representation. If the deviation is 0, the channel is constant and not learned.
        delta: weight of the tails: the parameter of the Lambert W x normal distribution. Goerg 2015, arXiv:1010.2265.
        centre, width: mean and deviation after normalizing the tails.
        low, high: range of the representation in the data.
        last: last value, which walks continue.
        decimals: number of decimals of the values; -1 if it is not fixed.
        scale: of the values whose logarithm is learned as "log1p".
        smallest: smallest value above 0, where there are zeros beside it: values below half of it become 0.
        least: values are never below this one; None if they may be.
    """

    name: str
    kind: Kind
    anchor: int = -1
    mean: float = 0.0
    deviation: float = 1.0
    delta: float = 0.0
    centre: float = 0.0
    width: float = 1.0
    low: float = 0.0
    high: float = 1.0
    last: float = 0.0
    decimals: int = -1
    scale: float = 1.0
    smallest: float = 0.0
    least: float | None = None

    @property
    def walks(self) -> bool:
        """True if values are cumulative sums of the representation."""
        return self.kind in WALKS

    @property
    def constant(self) -> bool:
        """True if there is nothing to learn."""
        return self.deviation == 0

    @property
    def logarithmic(self) -> bool:
        """True if all values must be above 0."""
        return self.kind not in ("differences", "level", "log1p")

    def takes(self, x: Floats) -> NDArray[np.bool_]:
        """True where a value has this representation."""
        if self.kind == "log1p":
            return x >= 0
        return x > 0 if self.logarithmic else np.ones_like(x, bool)

    def gaussianize(self, x: Floats) -> Floats:
        """The representation, standardized and with normalized tails, so that it is approximately normal."""
        from scipy.special import lambertw

        z = (x - self.mean) / self.deviation
        if self.delta > 0:
            z = np.sign(z) * np.sqrt(lambertw(self.delta * z**2).real / self.delta)
        return (z - self.centre) / self.width

    def degaussianize(self, u: Floats) -> Floats:
        """The inverse of `gaussianize`, limited to the range of the data plus a tenth on either side."""
        u = np.clip(u * self.width + self.centre, -MAX_LOG, MAX_LOG)
        with np.errstate(over="ignore"):
            x = u * np.exp(self.delta * u**2 / 2) * self.deviation + self.mean
        low, high = (edge + MARGIN * (edge - self.mean) for edge in (self.low, self.high))
        return np.clip(x, low, high)


def to_walks(channels: Sequence[Channel], values: Floats) -> Floats:
    """Values in the user's units (..., channels) as values with stationary steps: logarithms of prices and of ratios;
    other channels are unchanged.
    """
    out = np.array(values, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        for i, channel in enumerate(channels):
            if channel.kind in ("returns", "log"):
                out[..., i] = np.log(values[..., i])
            elif channel.kind == "log1p":
                out[..., i] = np.log1p(values[..., i] / channel.scale)
            elif channel.kind == "ratio":
                out[..., i] = np.log(values[..., i] / values[..., channel.anchor])
            elif channel.kind in BOUNDS:
                out[..., i] = np.maximum(0, distance(channels, values, channel))
    return out


def distance(channels: Sequence[Channel], values: Floats, channel: Channel) -> Floats:
    """The logarithmic distance of a "highest" or a "lowest" from its bound; below 0 on the wrong side of it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        away: Floats = np.log(values[..., channels.index(channel)] / _bound(channels, values, channel))
    return away if channel.kind == "highest" else -away


def _bound(channels: Sequence[Channel], values: Floats, channel: Channel) -> Floats:
    """The bound that a channel does not cross: the extreme of its anchor and of all ratios to that."""
    group = [channel.anchor, *(i for i, c in enumerate(channels) if c.kind == "ratio" and c.anchor == channel.anchor)]
    bound: Floats = (np.max if channel.kind == "highest" else np.min)(values[..., group], axis=-1)
    return bound


def to_stationary(channels: Sequence[Channel], walks: Floats) -> Floats:
    """The stationary representation (..., steps - 1, channels) of walks (..., steps, channels)."""
    out = walks[..., 1:, :].copy()
    for i, channel in enumerate(channels):
        if channel.walks:
            out[..., i] = np.diff(walks[..., i], axis=-1)
    return out


def from_stationary(channels: Sequence[Channel], stationary: Floats) -> Floats:
    """Values in the user's units from their stationary representation, (..., steps, channels). Walks continue each
    channel's last value.
    """
    out = np.array(stationary, np.float64)
    for i in sorted(range(len(channels)), key=lambda i: ORDER.index(channels[i].kind)):
        channel, x = channels[i], stationary[..., i]
        if channel.kind == "returns":
            x = channel.last * np.exp(np.clip(np.cumsum(x, -1), -MAX_LOG, MAX_LOG))
        elif channel.kind == "differences":
            x = _reflected(channel.last + np.cumsum(x, -1), channel.least)
        elif channel.kind == "ratio":
            x = out[..., channel.anchor] * np.exp(x)
        elif channel.kind in BOUNDS:
            away = np.maximum(x, 0) * (1 if channel.kind == "highest" else -1)
            x = _bound(channels, out, channel) * np.exp(away)
        elif channel.kind == "log":
            x = np.exp(x)
        elif channel.kind == "log1p":
            x = channel.scale * np.expm1(np.minimum(x, MAX_LOG))
            x = np.where(x < channel.smallest / 2, 0, x)
        out[..., i] = _rounded(channel, x)
    return out


def _reflected(x: Floats, least: float | None) -> Floats:
    """Paths that are lifted, from where they would cross a lower bound, by as much as they would have fallen below."""
    if least is None:
        return x
    lifted: Floats = x - np.minimum(0, np.minimum.accumulate(x - least, axis=-1))
    return lifted


def _rounded(channel: Channel, x: Floats) -> Floats:
    """Values rounded to the decimals of the data. The highest is rounded up and the lowest down, so that they do not
    cross their bounds.
    """
    if channel.least is not None:
        x = np.maximum(x, channel.least)
    if channel.decimals < 0:
        return x
    step = 10.0**-channel.decimals
    directed = {"highest": np.ceil, "lowest": np.floor}.get(channel.kind)
    rounded = np.round(x, channel.decimals) if directed is None else directed(np.round(x / step, 6)) * step
    minimum = step if channel.logarithmic else -np.inf
    return np.maximum(np.round(rounded, channel.decimals), minimum)
