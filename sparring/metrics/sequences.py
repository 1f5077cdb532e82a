"""Numbers about time series: what is called the stylised facts of returns (Cont 2001, doi:10.1080/713665670), and what
a classifier makes of them.

Series are walks (paths, steps, channels): logarithms of prices, or whatever else adds up. Their steps are called
returns here, of walk or not.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

Floats = NDArray[np.float64]
UNITS = 24  # of each of the classifier's two layers
STEPS, BATCH, RATE = 300, 128, 3e-3


def returns(walks: Floats, lag: int = 1) -> Floats:
    """(paths, steps - lag, channels)."""
    return walks[:, lag:] - walks[:, :-lag]


def earth_mover(real: Floats, made: Floats, lag: int) -> float:
    """The mean distance that returns over a lag have to be moved, in deviations of the real ones, over the channels;
    NaN where no path is that long. Rubner et al. 2000, doi:10.1023/A:1026543900054.
    """
    from scipy.stats import wasserstein_distance

    if min(real.shape[1], made.shape[1]) <= lag:
        return float("nan")
    a, b = (_flat(returns(walks, lag)) for walks in (real, made))
    found = [wasserstein_distance(x, y) / max(1e-12, x.std()) for x, y in zip(a.T, b.T, strict=True) if x.std() > 0]
    return float(np.mean(found)) if found else float("nan")


def autocorrelation(x: Floats, lags: int) -> Floats:
    """At lags from 1 on, the mean over paths, (lags, channels)."""
    centred = x - x.mean(1, keepdims=True)
    variance = np.maximum(1e-30, (centred**2).mean(1))
    return np.stack(
        [((centred[:, k:] * centred[:, :-k]).sum(1) / x.shape[1] / variance).mean(0) for k in range(1, lags + 1)]
    )


def leverage(x: Floats, lags: int) -> Floats:
    """The correlation of returns with the squares of those some steps later, (lags, channels): losses are followed by
    greater moves.
    """
    centred = x - x.mean(1, keepdims=True)
    squares = centred**2 - (centred**2).mean(1, keepdims=True)
    scale = np.maximum(1e-30, centred.std(1) * squares.std(1))
    return np.stack(
        [((squares[:, k:] * centred[:, :-k]).sum(1) / x.shape[1] / scale).mean(0) for k in range(1, lags + 1)]
    )


def apart(a: Floats, b: Floats) -> float:
    """How far two curves (lags, channels) are from one another: the root of the mean square."""
    return float(np.sqrt(((a - b) ** 2).mean()))


def kurtosis(x: Floats) -> float:
    """Of returns, the mean over channels; 0 for a normal distribution."""
    flat = _flat(x)
    flat = flat - flat.mean(0)
    variance = np.maximum(1e-30, (flat**2).mean(0))
    return float(((flat**4).mean(0) / variance**2 - 3).mean())


def coverage(real: Floats, made: Floats, level: float) -> float:
    """The share of real returns that are below the quantile of made ones: value at risk holds where it is the level."""
    at_risk = np.quantile(_flat(made), level, axis=0)
    return float((_flat(real) < at_risk).mean())


def together(x: Floats) -> Floats:
    """Correlations of the channels' returns, (pairs,)."""
    flat = _flat(x)
    with np.errstate(invalid="ignore"):
        matrix: Floats = np.nan_to_num(np.atleast_2d(np.corrcoef(flat.T)))
    return matrix[np.triu_indices(flat.shape[1], 1)]


def nearest(windows: Floats, others: Floats) -> Floats:
    """For each of some windows (n, steps, channels) how far the nearest of others is, both with mean 0 and deviation
    1, (n,).
    """
    a, b = (torch.from_numpy(_alike(x).reshape(len(x), -1)).float() for x in (windows, others))
    return np.asarray(
        torch.cat([torch.cdist(part, b).min(1).values for part in torch.split(a, 256)]).numpy(), np.float64
    )


def _alike(windows: Floats) -> Floats:
    centred = windows - windows.mean((1, 2), keepdims=True)
    alike: Floats = centred / np.maximum(1e-12, centred.std((1, 2), keepdims=True))
    return alike


def told_apart(real: tuple[Floats, Floats], made: tuple[Floats, Floats]) -> float:
    """How far above a half a recurrent classifier's accuracy is in telling windows: 0 is best, .5 worst. Yoon et al.
    2019, "Time-series generative adversarial networks", NeurIPS, section 5.

    Args:
        real, made: windows (n, steps, channels) to learn from, and others to tell.
    """
    mean, deviation = real[0].mean((0, 1)), np.maximum(1e-12, real[0].std((0, 1)))
    scaled = [torch.from_numpy((x - mean) / deviation).float().clamp(-10, 10) for x in (*real, *made)]
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        net = Told(real[0].shape[2])
        optimizer = torch.optim.Adam(net.parameters(), RATE)
        for _ in range(STEPS):
            a, b = (x[torch.randint(len(x), (BATCH // 2,))] for x in (scaled[0], scaled[2]))
            said = net(torch.cat([a, b]))
            loss = F.binary_cross_entropy_with_logits(said, torch.cat([torch.ones(len(a)), torch.zeros(len(b))]))
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        with torch.no_grad():
            right = (net(scaled[1]) > 0).float().mean() + (net(scaled[3]) <= 0).float().mean()
    return float(abs(right / 2 - 0.5))


class Told(nn.Module):
    """Windows (n, steps, channels) -> logits (n,)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = nn.GRU(channels, UNITS, num_layers=2, batch_first=True)
        self.head = nn.Linear(UNITS, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        said: torch.Tensor = self.head(self.net(x)[0][:, -1])
        return said.squeeze(1)


def _flat(x: Floats) -> Floats:
    return x.reshape(-1, x.shape[-1])
