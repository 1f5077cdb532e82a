"""Metrics of time series: the stylized facts of returns (Cont 2001, doi:10.1080/713665670), and a classifier.

Series are walks (paths, steps, channels): logarithms of prices, or other values whose steps add up. Steps are called
returns here, for every kind of channel.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

Floats = NDArray[np.float64]
UNITS = 24  # of each of the classifier's two layers
STEPS, BATCH, LEARNING_RATE = 300, 128, 3e-3  # of the classifier's training
DISTANCE_BATCH = 256  # windows compared with all others in one step


def returns(walks: Floats, lag: int = 1) -> Floats:
    """Differences over a lag, (paths, steps - lag, channels)."""
    return walks[:, lag:] - walks[:, :-lag]


def wasserstein(real: Floats, generated: Floats, lag: int) -> float:
    """Wasserstein distance of the distributions of returns over a lag, in standard deviations of the real ones; mean
    over the channels. NaN if no path is that long. Rubner et al. 2000, doi:10.1023/A:1026543900054.
    """
    from scipy.stats import wasserstein_distance

    if min(real.shape[1], generated.shape[1]) <= lag:
        return float("nan")
    a, b = (_flat(returns(walks, lag)) for walks in (real, generated))
    distances = [wasserstein_distance(x, y) / max(1e-12, x.std()) for x, y in zip(a.T, b.T, strict=True) if x.std() > 0]
    return float(np.mean(distances)) if distances else float("nan")


def autocorrelation(x: Floats, lags: int) -> Floats:
    """Autocorrelation at the lags 1, 2, ..., the mean over the paths, (lags, channels)."""
    centered = x - x.mean(1, keepdims=True)
    variance = np.maximum(1e-30, (centered**2).mean(1))
    return np.stack(
        [((centered[:, k:] * centered[:, :-k]).sum(1) / x.shape[1] / variance).mean(0) for k in range(1, lags + 1)]
    )


def leverage(x: Floats, lags: int) -> Floats:
    """Correlation of returns with the squares of later ones at the lags 1, 2, ..., (lags, channels). It is negative if
    losses are followed by larger moves.
    """
    centered = x - x.mean(1, keepdims=True)
    squares = centered**2 - (centered**2).mean(1, keepdims=True)
    scale = np.maximum(1e-30, centered.std(1) * squares.std(1))
    return np.stack(
        [((squares[:, k:] * centered[:, :-k]).sum(1) / x.shape[1] / scale).mean(0) for k in range(1, lags + 1)]
    )


def rms_difference(a: Floats, b: Floats) -> float:
    """Root mean square difference of two curves (lags, channels)."""
    return float(np.sqrt(((a - b) ** 2).mean()))


def kurtosis(x: Floats) -> float:
    """Excess kurtosis of returns, the mean over the channels; 0 for a normal distribution."""
    flat = _flat(x)
    flat = flat - flat.mean(0)
    variance = np.maximum(1e-30, (flat**2).mean(0))
    return float(((flat**4).mean(0) / variance**2 - 3).mean())


def var_coverage(real: Floats, generated: Floats, level: float) -> float:
    """Share of real returns below a quantile of the generated ones. The generated value at risk is right if it is equal
    to the level.
    """
    at_risk = np.quantile(_flat(generated), level, axis=0)
    return float((_flat(real) < at_risk).mean())


def cross_correlations(x: Floats) -> Floats:
    """Correlations of the returns of each pair of channels, (pairs,)."""
    flat = _flat(x)
    with np.errstate(invalid="ignore"):
        matrix: Floats = np.nan_to_num(np.atleast_2d(np.corrcoef(flat.T)))
    return matrix[np.triu_indices(flat.shape[1], 1)]


def nearest(windows: Floats, others: Floats) -> Floats:
    """Distance of each window (n, steps, channels) to the nearest of others, (n,), after standardizing all of them."""
    a, b = (torch.from_numpy(_standardized(x).reshape(len(x), -1)).float() for x in (windows, others))
    return np.asarray(
        torch.cat([torch.cdist(part, b).min(1).values for part in torch.split(a, DISTANCE_BATCH)]).numpy(), np.float64
    )


def _standardized(windows: Floats) -> Floats:
    centered = windows - windows.mean((1, 2), keepdims=True)
    standardized: Floats = centered / np.maximum(1e-12, centered.std((1, 2), keepdims=True))
    return standardized


def discriminative_score(real: tuple[Floats, Floats], generated: tuple[Floats, Floats]) -> float:
    """|accuracy - 0.5| of a recurrent classifier that distinguishes real from generated windows: 0 is best, 0.5 worst.
    Yoon et al. 2019, "Time-series generative adversarial networks", NeurIPS, section 5.

    Args:
        real, generated: windows (n, steps, channels) for training, and others for testing.
    """
    mean, deviation = real[0].mean((0, 1)), np.maximum(1e-12, real[0].std((0, 1)))
    scaled = [torch.from_numpy((x - mean) / deviation).float().clamp(-10, 10) for x in (*real, *generated)]
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        net = WindowClassifier(real[0].shape[2])
        optimizer = torch.optim.Adam(net.parameters(), LEARNING_RATE)
        for _ in range(STEPS):
            a, b = (x[torch.randint(len(x), (BATCH // 2,))] for x in (scaled[0], scaled[2]))
            labels = torch.cat([torch.ones(len(a)), torch.zeros(len(b))])
            loss = F.binary_cross_entropy_with_logits(net(torch.cat([a, b])), labels)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        with torch.no_grad():
            correct = (net(scaled[1]) > 0).float().mean() + (net(scaled[3]) <= 0).float().mean()
    return float(abs(correct / 2 - 0.5))


class WindowClassifier(nn.Module):
    """Windows (n, steps, channels) -> logits (n,)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = nn.GRU(channels, UNITS, num_layers=2, batch_first=True)
        self.head = nn.Linear(UNITS, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.net(x)[0][:, -1])
        return logits.squeeze(1)


def _flat(x: Floats) -> Floats:
    return x.reshape(-1, x.shape[-1])
