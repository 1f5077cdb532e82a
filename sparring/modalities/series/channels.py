"""Channels of a series: their stationary representations, which are learned, and the conversion back to values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, nearest

Floats = NDArray[np.float64]
Kind = Literal["returns", "differences", "ratio", "highest", "lowest", "log", "level"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WALKS = ("returns", "differences")
BOUNDS = ("highest", "lowest")
ORDER = ("returns", "differences", "log", "level", "ratio", *BOUNDS)  # of decoding: later ones depend on earlier ones
MIN_VARIANCE_RATIO = {20: 0.4, 100: 0.2}  # of a walk, by lag in steps
MAX_TIED_VARIANCE_RATIO = 0.15  # of the ratio of two prices that stay together,
TIED_LAG = 20  # at this lag in steps
SMOOTH = 0.5  # autocorrelation of the steps above which a series counts as smooth
MARGIN = 0.1  # samples may be farther from the mean than the data by this share, on either side
MAX_DELTA = 2.0
RELATIVE_TOLERANCE = 1e-9  # for values that count as equal
MAX_LOG = 500.0  # absolute value, so that exponentials stay finite
MAX_DECIMALS = 6  # that are detected
MIN_WALK_STEPS = 20


@dataclass(frozen=True)
class Channel:
    """A column of a series.

    Attributes:
        name: of the column.
        kind: the stationary representation that is learned: steps of the logarithm ("returns"), steps of the value
            ("differences"), logarithm of the ratio to another channel ("ratio"), logarithmic distance above or below
            that channel and all ratios to it ("highest", "lowest"), logarithm ("log"), or the value itself ("level").
        anchor: index of that other channel; -1 if there is none.
        mean, deviation: of the representation. If the deviation is 0, the channel is constant and not learned.
        delta: weight of the tails: the parameter of the Lambert W x normal distribution. Goerg 2015, arXiv:1010.2265.
        centre, width: mean and deviation after normalizing the tails.
        low, high: range of the representation in the data.
        last: last value, which walks continue.
        decimals: number of decimals of the values; -1 if it is not fixed.
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
        return self.kind not in ("differences", "level")

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
            elif channel.kind == "ratio":
                out[..., i] = np.log(values[..., i] / values[..., channel.anchor])
            elif channel.kind in BOUNDS:
                out[..., i] = np.abs(np.log(values[..., i] / _bound(channels, values, channel)))
    return out


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
            x = channel.last + np.cumsum(x, -1)
        elif channel.kind == "ratio":
            x = out[..., channel.anchor] * np.exp(x)
        elif channel.kind in BOUNDS:
            distance = np.maximum(x, 0) * (1 if channel.kind == "highest" else -1)
            x = _bound(channels, out, channel) * np.exp(distance)
        elif channel.kind == "log":
            x = np.exp(x)
        out[..., i] = _rounded(channel, x)
    return out


def _rounded(channel: Channel, x: Floats) -> Floats:
    """Values rounded to the decimals of the data. The highest is rounded up and the lowest down, so that they do not
    cross their bounds.
    """
    if channel.decimals < 0:
        return x
    step = 10.0**-channel.decimals
    directed = {"highest": np.ceil, "lowest": np.floor}.get(channel.kind)
    rounded = np.round(x, channel.decimals) if directed is None else directed(np.round(x / step, 6)) * step
    minimum = step if channel.logarithmic else -np.inf
    return np.maximum(np.round(rounded, channel.decimals), minimum)


def fit_channels(names: Sequence[str], values: Floats, train: int, given: Mapping[str, str]) -> tuple[Channel, ...]:
    """Fitted channels.

    Args:
        values: (steps, channels), without missing values.
        train: number of steps that statistics are computed from. The last values are those of all steps.
        given: kinds that are not detected automatically, by name.

    Raises:
        InputError: if a channel cannot have the given kind, or there is no such channel.
    """
    for name, kind in given.items():
        if name not in names:
            raise InputError(f"kinds={name}={kind}: there is no channel {name!r}; {nearest(name, names)}")
        if kind not in KINDS:
            raise InputError(f"channel {name!r} cannot be {kind!r}; {nearest(kind, KINDS)}")
        if kind not in ("differences", "level") and not (values[:, names.index(name)] > 0).all():
            raise InputError(
                f"channel {name!r} has values that are not above 0 and cannot be {kind}; choose level or differences"
            )
    training = values[:train]
    positive = np.all(values > 0, axis=0)  # all values must have a logarithm, also the held-out ones
    kinds = [given.get(name) or kind_of(training[:, i], bool(positive[i])) for i, name in enumerate(names)]
    channels = [Channel(name, kind) for name, kind in zip(names, kinds, strict=True)]  # type: ignore[arg-type]
    channels = _with_anchors(channels, training, given)
    stationary = to_stationary(channels, to_walks(channels, training))
    return tuple(
        _fitted(replace(channel, last=float(values[-1, i]), decimals=_decimals(values[:, i])), stationary[:, i])
        for i, channel in enumerate(channels)
    )


def kind_of(values: Floats, positive: bool) -> Kind:
    """The stationary representation of values in the order of time.

    Args:
        positive: True if all values are above 0, including held-out ones.
    """
    logs = np.log(values) if positive else values
    if positive and is_walk(logs) and not _constant(np.diff(values)):
        return "returns"
    if is_walk(values):
        return "differences"
    if not positive or values.std() == 0:
        return "level"
    return "log" if abs(_skew(logs)) < abs(_skew(values)) else "level"


def is_walk(x: Floats) -> bool:
    """True if steps accumulate: the variance over many steps is about that of one step times their number (variance
    ratio test, Lo and MacKinlay 1988, doi:10.1093/rfs/1.1.41), or all steps are equal.
    """
    step = np.diff(x)
    if _constant(step):
        return bool(step.any())

    def variance_ratio(lag: int) -> float:
        return float((x[lag:] - x[:-lag]).var() / (lag * step.var()))

    if len(x) < MIN_WALK_STEPS:
        return False
    if any(variance_ratio(min(lag, len(x) // 10)) <= low for lag, low in MIN_VARIANCE_RATIO.items()):
        return False
    # Smooth or seasonal steps accumulate for a while only; those of a walk still do over a tenth of the time.
    smooth = np.corrcoef(step[1:], step[:-1])[0, 1] >= SMOOTH
    return bool(not smooth or variance_ratio(len(x) // 10) > 1)


def _constant(step: Floats) -> bool:
    """True if all steps are equal."""
    return bool(np.ptp(step) <= RELATIVE_TOLERANCE * np.abs(step).max())


def _mean_reverting(x: Floats) -> bool:
    """True if values return within a few steps: the variance over many steps is hardly larger than over one."""
    lag = min(TIED_LAG, len(x) // 10)
    if lag <= 1:
        return False
    return bool((x[lag:] - x[:-lag]).var() <= MAX_TIED_VARIANCE_RATIO * lag * np.diff(x).var())


def _with_anchors(channels: list[Channel], values: Floats, given: Mapping[str, str]) -> list[Channel]:
    """Channels in which prices that stay close to another price, such as a day's opening to its close, are ratios to
    it.
    """
    close = [i for i, c in enumerate(channels) if re.search(r"(^|\s)close$", c.name.lower())]
    prices = [i for i, c in enumerate(channels) if c.kind == "returns"]
    anchors: list[int] = []
    anchored = list(channels)
    for i in sorted(prices, key=lambda i: (i not in close, i)):
        tied = [j for j in anchors if _mean_reverting(np.log(values[:, i] / values[:, j]))]
        if tied and channels[i].name not in given:
            anchored[i] = replace(channels[i], kind="ratio", anchor=tied[0])
        else:
            anchors.append(i)
    for i, channel in enumerate(anchored):
        if channel.kind in ("ratio", *BOUNDS) and channel.anchor < 0:
            if not anchors:
                raise InputError(
                    f"channel {channel.name!r} cannot be {channel.kind}: no channel is a price; leave its kind out"
                )
            anchored[i] = replace(channel, anchor=anchors[0])
    return _with_bounds(anchored, values, given)


def _with_bounds(channels: list[Channel], values: Floats, given: Mapping[str, str]) -> list[Channel]:
    """Channels in which ratios that are never below their anchor and the other ratios to it are "highest", and those
    that are never above are "lowest".
    """
    bounded = list(channels)
    for i, channel in enumerate(channels):
        if channel.kind != "ratio" or channel.name in given:
            continue
        side = values[:, i] - values[:, channel.anchor]
        if (side >= 0).all() and side.any():
            bounded[i] = replace(channel, kind="highest")
        elif (side <= 0).all() and side.any():
            bounded[i] = replace(channel, kind="lowest")
    for i, channel in enumerate(bounded):
        if channel.kind in BOUNDS:
            sign = 1 if channel.kind == "highest" else -1
            distance = sign * np.log(values[:, i] / _bound(bounded, values, channel))
            if (distance >= 0).all():
                continue
            if channel.name in given:
                raise InputError(f"channel {channel.name!r} is not always the {channel.kind}; leave its kind out")
            bounded[i] = replace(channel, kind="ratio")
    return bounded


def _fitted(channel: Channel, x: Floats) -> Channel:
    """A channel with mean, deviation and tails of its representation."""
    if x.max() - x.min() <= RELATIVE_TOLERANCE * max(1e-300, np.abs(x).max()):
        return replace(channel, mean=float(x[-1]), deviation=0.0)
    channel = replace(channel, mean=float(x.mean()), deviation=float(x.std()), low=float(x.min()), high=float(x.max()))
    channel = replace(channel, delta=_delta((x - channel.mean) / channel.deviation))
    u = channel.gaussianize(x)
    return replace(channel, centre=float(u.mean()), width=float(u.std()) or 1.0)


def _delta(z: Floats) -> float:
    """The weight of the tails that gives normalized values the kurtosis of a normal distribution."""
    from scipy.optimize import brentq

    def excess(delta: float) -> float:
        u = Channel("", "level", delta=delta).gaussianize(z)
        return float(((u - u.mean()) ** 4).mean() / u.var() ** 2 - 3) if u.var() else -3.0

    if excess(0.0) <= 0:
        return 0.0
    return MAX_DELTA if excess(MAX_DELTA) > 0 else float(brentq(excess, 0.0, MAX_DELTA, xtol=1e-6))


def _skew(x: Floats) -> float:
    return float(((x - x.mean()) ** 3).mean() / max(1e-30, x.std() ** 3))


def _decimals(x: Floats) -> int:
    """The smallest number of decimals that represents all values; -1 if there is none."""
    return next((d for d in range(MAX_DECIMALS + 1) if np.allclose(np.round(x, d), x, rtol=1e-12, atol=1e-12)), -1)
