"""Channels of a series: what of each is learnt, so that it looks alike at all times, and the way back."""

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
ORDER = ("returns", "differences", "log", "level", "ratio", *BOUNDS)  # in which values are made, each of those before
PERSISTENT = {20: 0.4, 100: 0.2}  # over so many steps a walk goes farther than this share of as many times as far,
TIED = 20, 0.15  # over so many steps what keeps to another goes no farther than this share of as many times as far
SMOOTH = 0.5  # correlation of its steps from which on they are smooth
WIDER = 0.1  # how much farther from the mean than the data samples may go, on either side
HEAVIEST = 2.0
SAME = 1e-9  # of its size that a value may differ by and count as the same
FARTHEST = 500.0  # that the logarithm of a price may go, so that it stays a number
DECIMALS = 6  # that are looked for


@dataclass(frozen=True)
class Channel:
    """A column of a series.

    Attributes:
        name: of the column.
        kind: what is learnt of it: the logarithm's steps ("returns"), its own ("differences"), the logarithm of how
            many times another channel it is ("ratio"), or how far it is above or below this other and all its
            ratios ("highest", "lowest"), its logarithm, or itself ("level").
        anchor: the place of that other channel; -1 for none.
        mean, deviation: of what is learnt; 0 where it is always the same, and not learnt at all.
        delta: how heavy its tails are: of Lambert's W x normal distribution. Goerg 2015, arXiv:1010.2265.
        centre, width: mean and deviation once the tails are lightened.
        low, high: the least and the greatest of what is learnt.
        last: the last value, from which walks go on.
        decimals: that values have, -1 for any.
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
        """Whether its values are sums of what is learnt."""
        return self.kind in WALKS

    @property
    def constant(self) -> bool:
        """Whether there is nothing to learn."""
        return self.deviation == 0

    @property
    def logarithmic(self) -> bool:
        """Whether its values have to be above 0."""
        return self.kind not in ("differences", "level")

    def normal(self, x: Floats) -> Floats:
        """What is learnt, about normal: standardised, and its tails lightened."""
        from scipy.special import lambertw

        z = (x - self.mean) / self.deviation
        if self.delta > 0:
            z = np.sign(z) * np.sqrt(lambertw(self.delta * z**2).real / self.delta)
        return (z - self.centre) / self.width

    def heavy(self, u: Floats) -> Floats:
        """Back from `normal`, on either side no farther from the mean than the data and a tenth more."""
        u = np.clip(u * self.width + self.centre, -FARTHEST, FARTHEST)
        with np.errstate(over="ignore"):
            x = u * np.exp(self.delta * u**2 / 2) * self.deviation + self.mean
        low, high = (edge + WIDER * (edge - self.mean) for edge in (self.low, self.high))
        return np.clip(x, low, high)


def walked(channels: Sequence[Channel], values: Floats) -> Floats:
    """Values in the user's units (..., channels) as those whose steps are alike at all times: logarithms of prices and
    of ratios, others as they are.
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
    """Above or below what a channel is at every step: its anchor and all ratios to that."""
    group = [channel.anchor, *(i for i, c in enumerate(channels) if c.kind == "ratio" and c.anchor == channel.anchor)]
    bound: Floats = (np.max if channel.kind == "highest" else np.min)(values[..., group], axis=-1)
    return bound


def learnt_of(channels: Sequence[Channel], walks: Floats) -> Floats:
    """What is learnt of `walked` values (..., steps, channels): (..., steps - 1, channels)."""
    out = walks[..., 1:, :].copy()
    for i, channel in enumerate(channels):
        if channel.walks:
            out[..., i] = np.diff(walks[..., i], axis=-1)
    return out


def valued(channels: Sequence[Channel], learnt: Floats) -> Floats:
    """What is learnt (..., steps, channels) as values in the user's units, walks from each channel's last value on."""
    out = np.array(learnt, np.float64)
    for i in sorted(range(len(channels)), key=lambda i: ORDER.index(channels[i].kind)):
        channel, x = channels[i], learnt[..., i]
        if channel.kind == "returns":
            x = channel.last * np.exp(np.clip(np.cumsum(x, -1), -FARTHEST, FARTHEST))
        elif channel.kind == "differences":
            x = channel.last + np.cumsum(x, -1)
        elif channel.kind == "ratio":
            x = out[..., channel.anchor] * np.exp(x)
        elif channel.kind in BOUNDS:
            away = np.maximum(x, 0) * (1 if channel.kind == "highest" else -1)
            x = _bound(channels, out, channel) * np.exp(away)
        elif channel.kind == "log":
            x = np.exp(x)
        out[..., i] = _rounded(channel, x)
    return out


def _rounded(channel: Channel, x: Floats) -> Floats:
    """With the decimals that the data have: the highest upwards, the lowest downwards, so that they stay so."""
    if channel.decimals < 0:
        return x
    step = 10.0**-channel.decimals
    towards = {"highest": np.ceil, "lowest": np.floor}.get(channel.kind)
    rounded = np.round(x, channel.decimals) if towards is None else towards(np.round(x / step, 6)) * step
    least = step if channel.logarithmic else -np.inf
    return np.maximum(np.round(rounded, channel.decimals), least)


def fitted(names: Sequence[str], values: Floats, train: int, told: Mapping[str, str]) -> tuple[Channel, ...]:
    """What is to be known of channels.

    Args:
        values: (steps, channels), none missing.
        train: how many of the steps may be looked at; the last values are those of all.
        told: kinds that are not to be found out, by name.

    Raises:
        InputError: where a channel cannot be of the kind that was told, or there is none of that name.
    """
    for name, kind in told.items():
        if name not in names:
            raise InputError(f"kinds={name}={kind}: there is no channel {name!r}; {nearest(name, names)}")
        if kind not in KINDS:
            raise InputError(f"channel {name!r} cannot be {kind!r}; {nearest(kind, KINDS)}")
        if kind not in ("differences", "level") and not (values[:, names.index(name)] > 0).all():
            raise InputError(
                f"channel {name!r} has values that are not above 0 and no {kind}; use level or differences"
            )
    seen = values[:train]
    positive = np.all(values > 0, axis=0)  # of all values: that they have a logarithm is no statistic
    kinds = [told.get(name) or kind_of(seen[:, i], bool(positive[i])) for i, name in enumerate(names)]
    channels = [Channel(name, kind) for name, kind in zip(names, kinds, strict=True)]  # type: ignore[arg-type]
    channels = _anchored(channels, seen, told)
    learnt = learnt_of(channels, walked(channels, seen))
    return tuple(
        _shaped(replace(channel, last=float(values[-1, i]), decimals=_decimals(values[:, i])), learnt[:, i])
        for i, channel in enumerate(channels)
    )


def kind_of(values: Floats, positive: bool) -> Kind:
    """What is to be learnt of values in the order of time.

    Args:
        positive: whether all are above 0, those too that are not looked at.
    """
    logs = np.log(values) if positive else values
    if positive and is_walk(logs) and not _even(np.diff(values)):
        return "returns"
    if is_walk(values):
        return "differences"
    if not positive or values.std() == 0:
        return "level"
    return "log" if abs(_skew(logs)) < abs(_skew(values)) else "level"


def is_walk(x: Floats) -> bool:
    """Whether steps add up: over many of them the variance is about as many times that of one, or all are the same. Lo
    and MacKinlay 1988, doi:10.1093/rfs/1.1.41.
    """
    step = np.diff(x)
    if _even(step):
        return bool(step.any())

    def farther(lag: int) -> float:
        return float((x[lag:] - x[:-lag]).var() / (lag * step.var()))

    if len(x) < 20 or any(farther(min(lag, len(x) // 10)) <= least for lag, least in PERSISTENT.items()):
        return False
    # Smooth steps add up for a while, those of a season too; a walk's still do over a tenth of the time.
    smooth = np.corrcoef(step[1:], step[:-1])[0, 1] >= SMOOTH
    return bool(not smooth or farther(len(x) // 10) > 1)


def _even(step: Floats) -> bool:
    """Whether all steps are the same."""
    return bool(np.ptp(step) <= SAME * np.abs(step).max())


def _keeps(x: Floats) -> bool:
    """Whether values return within a few steps: over more of them they go hardly farther than over one."""
    lag = min(TIED[0], len(x) // 10)
    return bool((x[lag:] - x[:-lag]).var() <= TIED[1] * lag * np.diff(x).var()) if lag > 1 else False


def _anchored(channels: list[Channel], values: Floats, told: Mapping[str, str]) -> list[Channel]:
    """Prices that keep to another's, as a day's lowest to its last, as ratios to it."""
    close = [i for i, c in enumerate(channels) if re.search(r"(^|\s)close$", c.name.lower())]
    prices = [i for i, c in enumerate(channels) if c.kind == "returns"]
    anchors: list[int] = []
    found = list(channels)
    for i in sorted(prices, key=lambda i: (i not in close, i)):
        tied = [j for j in anchors if _keeps(np.log(values[:, i] / values[:, j]))]
        if tied and channels[i].name not in told:
            found[i] = replace(channels[i], kind="ratio", anchor=tied[0])
        else:
            anchors.append(i)
    for i, channel in enumerate(found):
        if channel.kind in ("ratio", *BOUNDS) and channel.anchor < 0:
            if not anchors:
                raise InputError(f"channel {channel.name!r} cannot be {channel.kind}: no other channel is a price")
            found[i] = replace(channel, anchor=anchors[0])
    return _bounded(found, values, told)


def _bounded(channels: list[Channel], values: Floats, told: Mapping[str, str]) -> list[Channel]:
    """Ratios that are never below their anchor, nor below any that crosses it, as the highest; so for the lowest."""
    found = list(channels)
    for i, channel in enumerate(channels):
        if channel.kind != "ratio" or channel.name in told:
            continue
        side = values[:, i] - values[:, channel.anchor]
        if (side >= 0).all() and side.any():
            found[i] = replace(channel, kind="highest")
        elif (side <= 0).all() and side.any():
            found[i] = replace(channel, kind="lowest")
    for i, channel in enumerate(found):
        if channel.kind in BOUNDS:
            over = np.log(values[:, i] / _bound(found, values, channel)) * (1 if channel.kind == "highest" else -1)
            if (over >= 0).all():
                continue
            if channel.name in told:
                raise InputError(f"channel {channel.name!r} is not always the {channel.kind}; leave its kind out")
            found[i] = replace(channel, kind="ratio")
    return found


def _shaped(channel: Channel, x: Floats) -> Channel:
    """With mean, deviation and tails of what is learnt."""
    if x.max() - x.min() <= SAME * max(1e-300, np.abs(x).max()):
        return replace(channel, mean=float(x[-1]), deviation=0.0)
    channel = replace(channel, mean=float(x.mean()), deviation=float(x.std()), low=float(x.min()), high=float(x.max()))
    channel = replace(channel, delta=_delta((x - channel.mean) / channel.deviation))
    u = channel.normal(x)
    return replace(channel, centre=float(u.mean()), width=float(u.std()) or 1.0)


def _delta(z: Floats) -> float:
    """How heavy the tails are: with this, those that are lightened have the kurtosis of a normal distribution."""
    from scipy.optimize import brentq

    def excess(delta: float) -> float:
        u = Channel("", "level", delta=delta).normal(z)
        return float(((u - u.mean()) ** 4).mean() / u.var() ** 2 - 3) if u.var() else -3.0

    if excess(0.0) <= 0:
        return 0.0
    return HEAVIEST if excess(HEAVIEST) > 0 else float(brentq(excess, 0.0, HEAVIEST, xtol=1e-6))


def _skew(x: Floats) -> float:
    return float(((x - x.mean()) ** 3).mean() / max(1e-30, x.std() ** 3))


def _decimals(x: Floats) -> int:
    """The fewest that all values have."""
    return next((d for d in range(DECIMALS + 1) if np.allclose(np.round(x, d), x, rtol=1e-12, atol=1e-12)), -1)
