"""Which stationary representation each channel of a series has, and its statistics.

No decision hangs on a single value: kinds are detected after isolated spikes have been removed, and from quantiles.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, nearest
from sparring.modalities.series.channels import (
    BOUNDS,
    KINDS,
    Channel,
    Floats,
    Kind,
    distance,
    to_stationary,
    to_walks,
)

MIN_VARIANCE_RATIO = {20: 0.4, 100: 0.2}  # of a walk, by lag in steps
MAX_TIED_VARIANCE_RATIO = 0.15  # of the ratio of two prices that stay together,
TIED_LAG = 20  # at this lag in steps
SMOOTH = 0.5  # autocorrelation of the steps above which a series counts as smooth
MIN_WALK_STEPS = 20
MAX_DELTA = 2.0
RELATIVE_TOLERANCE = 1e-9  # for values that count as equal
MAX_DECIMALS = 8  # that are detected,
MIN_ROUNDED = 0.99  # in this share of the values
MAX_LEFT_OUT = 0.02  # share of steps that are left out, because a price is not above 0
MAX_CROSSINGS = 0.01  # share of steps in which a highest or lowest price may be on the wrong side of another
SPIKE_WINDOW = 11  # steps around a value, whose median it is compared with
SPIKE = 10.0  # deviations from that median that make a spike
MAX_SPIKES = 0.01  # share of spikes; if there are more of them, they belong to the series
TAIL = 0.05  # quantile by which skewness is measured
SCALE_QUANTILE = 0.1  # of the values above 0, that values with zeros are compared with


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
        channel = Channel(name, kind)
        if not channel.takes(values[:, names.index(name)]).all():
            side = "below 0" if kind == "log1p" else "not above 0"
            raise InputError(
                f"channel {name!r} has values that are {side} and cannot be {kind}; choose level or differences"
            )
    training = values[:train]
    positive = np.all(values > 0, axis=0)  # all values must have a logarithm, also the held-out ones
    kinds = [given.get(name) or kind_of(training[:, i], bool(positive[i])) for i, name in enumerate(names)]
    channels = [_scaled(Channel(n, k), v) for n, k, v in zip(names, kinds, values.T, strict=True)]  # type: ignore[arg-type]
    channels = _with_anchors(channels, training, given)
    stationary = to_stationary(channels, to_walks(channels, training))
    return tuple(
        _fitted(replace(channel, last=float(values[-1, i]), decimals=_decimals(values[:, i])), stationary[:, i])
        for i, channel in enumerate(channels)
    )


def not_prices(names: Sequence[str], values: Floats, given: Mapping[str, str]) -> NDArray[np.bool_]:
    """True for steps that are left out, because a channel that is a price otherwise is not above 0 there.

    A zero among prices stands for a missing one. A price that was really below 0 is kept, and its steps are learned.
    With a given kind, values that do not have its representation are left out, if they are few.
    """
    wrong = np.zeros(len(values), bool)
    for name, x in zip(names, values.T, strict=True):
        kind = given.get(name)
        bad = x <= 0 if kind not in KINDS else ~Channel(name, kind).takes(x)
        if not bad.any() or bad.mean() > MAX_LEFT_OUT:
            continue
        if kind is not None or ((x >= 0).all() and kind_of(x[~bad], positive=True) == "returns"):
            wrong |= bad
    return wrong


def kind_of(values: Floats, positive: bool) -> Kind:
    """The stationary representation of values in the order of time.

    Args:
        positive: True if all values are above 0, including held-out ones.
    """
    x = without_spikes(values)
    if (x > 0).all() and is_walk(np.log(x)) and not _constant(np.diff(x)):
        return "returns" if positive else "differences"
    if is_walk(x):
        return "differences"
    if values.std() == 0 or values.min() < 0:
        return "level"
    zeros = not positive
    logs = np.log1p(values / _scale(values)) if zeros else np.log(values)
    if abs(_skew(logs)) > abs(_skew(values)) - RELATIVE_TOLERANCE * (not zeros):
        return "level"
    return "log1p" if zeros else "log"


def without_spikes(x: Floats) -> Floats:
    """Values whose isolated outliers are replaced by the median of their neighbors (Hampel 1974,
    doi:10.1080/01621459.1974.10482962). Nothing is replaced if there are many of them.
    """
    half = SPIKE_WINDOW // 2
    if len(x) < SPIKE_WINDOW:
        return x
    around = np.lib.stride_tricks.sliding_window_view(np.pad(x, half, mode="reflect"), SPIKE_WINDOW)
    median = np.median(around, axis=-1)
    away, step = np.abs(x - median), np.abs(np.diff(x))
    usual = max(1.4826 * np.median(away), np.median(step)) or step.mean()
    spikes = away > SPIKE * usual
    replaced: Floats = np.where(spikes, median, x)
    return replaced if 0 < spikes.mean() <= MAX_SPIKES else x


def _scaled(channel: Channel, values: Floats) -> Channel:
    """A channel with the lower bound of its values, and the scale of values with zeros."""
    if channel.kind == "log1p":
        return replace(channel, scale=_scale(values), smallest=_smallest(values), least=0.0)
    return replace(channel, least=0.0) if channel.kind in ("differences", "level") and values.min() >= 0 else channel


def _scale(values: Floats) -> float:
    return float(np.quantile(values[values > 0], SCALE_QUANTILE)) if (values > 0).any() else 1.0


def _smallest(values: Floats) -> float:
    return float(values[values > 0].min()) if (values > 0).any() else 0.0


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
    lag, x = min(TIED_LAG, len(x) // 10), without_spikes(x)
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
    """Channels in which ratios that are never, but for a few steps, below their anchor and the other ratios to it are
    "highest", and those that are never above are "lowest".
    """
    bounded = list(channels)
    for i, channel in enumerate(channels):
        if channel.kind != "ratio" or channel.name in given:
            continue
        side = np.sign(values[:, i] - values[:, channel.anchor])
        if (side >= 0).mean() >= 1 - MAX_CROSSINGS and (side > 0).any():
            bounded[i] = replace(channel, kind="highest")
        elif (side <= 0).mean() >= 1 - MAX_CROSSINGS and (side < 0).any():
            bounded[i] = replace(channel, kind="lowest")
    for i, channel in enumerate(bounded):
        if channel.kind in BOUNDS:
            if crossings(bounded, values, channel).mean() <= MAX_CROSSINGS:
                continue
            if channel.name in given:
                raise InputError(f"channel {channel.name!r} is not always the {channel.kind}; leave its kind out")
            bounded[i] = replace(channel, kind="ratio")
    return bounded


def crossings(channels: Sequence[Channel], values: Floats, channel: Channel) -> NDArray[np.bool_]:
    """True for steps in which a "highest" or a "lowest" is on the wrong side of its bound."""
    return distance(channels, values, channel) < -RELATIVE_TOLERANCE


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
    """Skewness by quantiles, in [-1, 1]: of the two tails, how much longer the upper one is."""
    low, middle, high = np.quantile(x, [TAIL, 0.5, 1 - TAIL])
    return float((low + high - 2 * middle) / (high - low)) if high > low else 0.0


def _decimals(x: Floats) -> int:
    """The smallest number of decimals that represents the values, but for a few; -1 if there is none."""
    return next((d for d in range(MAX_DECIMALS + 1) if _represented(x, d) >= MIN_ROUNDED), -1)


def _represented(x: Floats, decimals: int) -> float:
    return float(np.isclose(np.round(x, decimals), x, rtol=1e-12, atol=1e-12).mean())
