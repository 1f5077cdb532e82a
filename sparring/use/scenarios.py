"""`scenarios(run)` simulates prices, and measures possible losses of a portfolio next to historical ones."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sparring.errors import InputError, nearest
from sparring.evaluation.evaluate import training_data
from sparring.files import write_bytes, write_text
from sparring.folders import check_folder, output_folder
from sparring.modalities.base import Prices
from sparring.model import Model, load

Floats = NDArray[np.float64]

SCENARIOS = "scenarios"  # in the marker of their folder
LEVELS = (0.95, 0.99)
MIN_PATHS = 100
PERCENTILES = (5, 25, 50, 75, 95)  # of the fan plot
BANDS = ((0, 4, 0.15), (1, 3, 0.25))  # of the fan plot: indices of percentiles, and opacity
BINS = 60
HISTORY_COLOR, PATH_COLOR = "#6b7280", "#1f4fbf"


@dataclass(frozen=True)
class Risk:
    """Possible losses over a number of steps, as fractions of the portfolio's value.

    Attributes:
        horizon: number of steps.
        level: confidence level.
        value_at_risk: the loss that is exceeded in 1 - level of the cases.
        expected_shortfall: mean of the losses that exceed it.
        historical_value_at_risk, historical_expected_shortfall: those of the training data.
        windows: number of historical windows of this length, one from each step; they overlap.
    """

    horizon: int
    level: float
    value_at_risk: float
    expected_shortfall: float
    historical_value_at_risk: float
    historical_expected_shortfall: float
    windows: int


def scenarios(
    run: str | Path | Model,
    out: str | Path,
    n: int = 10_000,
    horizons: Sequence[int] = (1, 5, 20),
    weights: Sequence[str] = (),
    seed: int = 0,
    force: bool = False,
    trust: bool = False,
) -> list[Risk]:
    """Simulate the value of a portfolio from the last prices of the data on, and write a folder: `risk.csv`, `fan.png`,
    and `paths.npz` ("series" (n, steps, channels), "portfolio" (n, steps), 1 at the start, and "channels").

    Paths start in a random state of the market, not in the current one: this is the risk of an average day, as is the
    historical risk.

    Args:
        run: a model of a series of prices, or the folder of its run.
        n: number of paths, at least 100.
        horizons: numbers of steps.
        weights: amounts of prices in the portfolio, by value, as "NAME=AMOUNT"; equal for all prices unless given.
        seed: of the paths.
        force: overwrite `out`.
        trust: as for `sparring.load`.

    Raises:
        InputError: if the model generates no prices, or an argument is out of range.
    """
    model = run if isinstance(run, Model) else load(run, trust=trust)
    if n < MIN_PATHS:
        raise InputError(f"{n} paths are too few to estimate a tail; give at least {MIN_PATHS}")
    prices = _prices(model)
    horizons = _checked(horizons, len(prices.history))
    check_folder(Path(out), SCENARIOS, force)
    shares = _shares(prices, weights)
    paths = np.asarray(model.sample(n, seed=seed, length=horizons[-1]).items, np.float64)
    value = _value(paths, prices.last, shares)  # (n, steps)
    changes = {h: _historical_changes(prices.history, shares, h) for h in horizons}
    risks = [_risk(h, level, value[:, h - 1] - 1, changes[h]) for h in horizons for level in LEVELS]
    with output_folder(Path(out), SCENARIOS) as part:
        part.mkdir()
        lines = [",".join(cells) for cells in rows(risks)]
        write_text(part / "risk.csv", ("\n".join(lines) + "\n"))
        write_bytes(part / "fan.png", _plot(value, changes[horizons[-1]]))
        with (part / "paths.npz").open("wb") as file:
            np.savez_compressed(file, series=paths, portfolio=value, channels=np.array(prices.names))
    return risks


def rows(risks: Sequence[Risk]) -> list[list[str]]:
    """A table of risks."""
    head = ["steps", "level", "VaR", "historical VaR", "ES", "historical ES", "historical windows"]
    body = []
    for r in risks:
        losses = (
            r.value_at_risk, r.historical_value_at_risk, r.expected_shortfall, r.historical_expected_shortfall
        )  # fmt: skip
        body.append([str(r.horizon), f"{r.level:.0%}", *(f"{loss:.2%}" for loss in losses), str(r.windows)])
    return [head, *body]


def _prices(model: Model) -> Prices:
    """The prices in the training data of a model.

    Raises:
        InputError: if there are none.
    """
    items = model.modality.words.items
    none = f"this model generates {items}; scenarios need a model of prices (a series)"
    if model.modality.source is not None:
        raise InputError(none)
    prices = model.modality.prices(training_data(model).items)
    if prices is None:
        raise InputError(none)
    if not prices.priced.any():
        raise InputError(f"none of {', '.join(prices.names)} is a price; scenarios need one (kinds=NAME=returns)")
    return prices


def _checked(horizons: Sequence[int], steps: int) -> list[int]:
    """Horizons in order."""
    ordered = sorted(set(horizons))
    listed = ", ".join(map(str, ordered))
    if not ordered or not all(isinstance(h, int) for h in ordered):
        raise InputError(f"horizons {listed} are not numbers of steps; give integers, such as 1, 5 and 20")
    if not 1 <= ordered[0] <= ordered[-1] < steps // 2:
        raise InputError(f"horizons {listed} are out of range; the data have {steps:,} steps, give fewer than half")
    return ordered


def _shares(prices: Prices, weights: Sequence[str]) -> Floats:
    """Share of each channel in the portfolio, (channels,); they sum to 1."""
    names = [name for name, priced in zip(prices.names, prices.priced, strict=True) if priced]
    amounts = dict(_amount(text) for text in weights) or dict.fromkeys(names, 1.0)
    for name in amounts:
        if name not in names:
            raise InputError(f"weight {name}={amounts[name]:g}: there is no price {name!r}; {nearest(name, names)}")
    total = np.array([amounts.get(name, 0.0) for name in prices.names])
    shares: Floats = total / total.max() / (total / total.max()).sum()
    return shares


def _amount(text: str) -> tuple[str, float]:
    name, _, amount = text.rpartition("=")
    try:
        value = float(amount)
    except ValueError:
        value = float("nan")
    if not name or not 0 < value < float("inf"):
        raise InputError(f"weight {text!r} is not NAME=AMOUNT with an amount above 0 (as in 'MSFT Close=2')")
    return name, value


def _historical_changes(history: Floats, shares: Floats, horizon: int) -> Floats:
    """Relative changes of the portfolio's value over a number of steps, from each step of the data on."""
    return _value(history[horizon:], history[:-horizon], shares) - 1


def _value(prices: Floats, before: Floats, shares: Floats) -> Floats:
    """Value of a portfolio at some prices (..., channels), if it was 1 before."""
    held = shares > 0
    value: Floats = (prices[..., held] / before[..., held] * shares[held]).sum(-1)
    return value


def _risk(horizon: int, level: float, simulated: Floats, historical: Floats) -> Risk:
    return Risk(horizon, level, *_tail(simulated, level), *_tail(historical, level), len(historical))


def _tail(changes: Floats, level: float) -> tuple[float, float]:
    """Value at risk and expected shortfall. Acerbi and Tasche 2002, arXiv:cond-mat/0104295."""
    edge = float(np.quantile(changes, 1 - level))
    return -edge, -float(changes[changes <= edge].mean())


def _plot(value: Floats, historical: Floats) -> bytes:
    """A PNG: the portfolio's value over time, and the distribution of its final change next to the historical one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), dpi=90, layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = np.arange(value.shape[1] + 1)
    fan = np.percentile(np.concatenate([np.ones((len(value), 1)), value], 1), PERCENTILES, axis=0)
    for low, high, alpha in BANDS:
        left.fill_between(steps, fan[low], fan[high], color=PATH_COLOR, alpha=alpha, linewidth=0)
    left.plot(steps, fan[2], color=PATH_COLOR, linewidth=1.2)
    left.set_title("portfolio value: median, 50% and 90% of the paths", fontsize=9, loc="left")
    left.set_xlabel("steps", fontsize=8)
    simulated = value[:, -1] - 1
    edges = np.histogram_bin_edges(np.concatenate([simulated, historical]), BINS)
    right.hist(historical, edges, density=True, color=HISTORY_COLOR, alpha=0.4, label="historical")
    right.hist(simulated, edges, density=True, histtype="step", color=PATH_COLOR, label="paths")
    right.axvline(np.quantile(simulated, 1 - LEVELS[-1]), color=PATH_COLOR, linestyle=":", linewidth=1)
    right.set_title(f"change after {value.shape[1]} steps; dotted: VaR {LEVELS[-1]:.0%}", fontsize=9, loc="left")
    right.legend(fontsize=8, frameon=False)
    for axis in (left, right):
        axis.grid(alpha=0.25)
        axis.tick_params(labelsize=7)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
