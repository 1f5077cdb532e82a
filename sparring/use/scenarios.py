"""`scenarios(run)` simulates prices, and says how much may be lost, beside history."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sparring.errors import InputError, nearest
from sparring.files import beside, vacant, write_bytes
from sparring.modalities import Series, find
from sparring.modalities.series.channels import Floats
from sparring.model import Model, load

LEVELS = (0.95, 0.99)
FEWEST = 100  # paths
FAN = (5, 25, 50, 75, 95)  # percentiles that are drawn
BINS = 60
REAL, MADE = "#6b7280", "#1f4fbf"


@dataclass(frozen=True)
class Risk:
    """What may be lost over some steps, in shares of what is held.

    Attributes:
        horizon: in steps.
        level: how sure.
        at_risk: value at risk: losses are greater in 1 - level of the cases.
        shortfall: expected shortfall: the mean of those greater ones.
        history_at_risk, history_shortfall: the same of the data, from each of their steps on.
        history: how many of these there are; they overlap.
    """

    horizon: int
    level: float
    at_risk: float
    shortfall: float
    history_at_risk: float
    history_shortfall: float
    history: int


def scenarios(
    run: str | Path | Model,
    out: str | Path,
    n: int = 10_000,
    horizons: Sequence[int] = (1, 5, 20),
    weights: Sequence[str] = (),
    seed: int = 0,
    force: bool = False,
) -> list[Risk]:
    """Simulate paths of what is held, from the last prices of the data on, and write them to a folder: `risk.csv`,
    `fan.png`, and `paths.npz` ("series" (n, steps, channels), "held" (n, steps), 1 at the start).

    Paths begin in any state of the market that the model knows, not in today's: this is the risk of a day like others,
    as that of history is.

    Args:
        run: a model of a series, or the folder of its run.
        n: paths, at least 100.
        horizons: steps ahead.
        weights: what is held of each channel, by value: "NAME=AMOUNT"; of all prices as much unless given.
        seed: of the paths.
        force: overwrite `out`.

    Raises:
        InputError: where the model makes no prices, or what was asked for makes no sense.
    """
    model = run if isinstance(run, Model) else load(run)
    modality = model.modality
    if not isinstance(modality, Series):
        raise InputError(f"this model makes {modality.kind}; scenarios are of prices (a series)")
    if n < FEWEST:
        raise InputError(f"{n} paths are too few for a tail; ask for at least {FEWEST}")
    past = modality.values(find(str(model.about["data"])))
    horizons = sorted(set(horizons))
    if not horizons or not all(isinstance(h, int) for h in horizons):
        raise InputError(f"horizons {horizons} are no steps; give whole numbers, such as 1, 5 and 20")
    if not 1 <= horizons[0] <= horizons[-1] < len(past) // 2:
        raise InputError(f"horizons {', '.join(map(str, horizons))} are out of range; history has {len(past):,} steps")
    vacant(Path(out), force)
    held = _held(modality, weights)
    paths = np.asarray(model.sample(n, seed=seed, length=horizons[-1]).items, np.float64)
    value = _worth(paths, np.array([channel.last for channel in modality.channels]), held)  # (n, steps)
    found = [_risk(h, level, value[:, h - 1] - 1, _moves(past, held, h)) for h in horizons for level in LEVELS]
    with beside(Path(out)) as part:
        part.mkdir()
        lines = [",".join(cells) for cells in rows(found)]
        write_bytes(part / "risk.csv", ("\n".join(lines) + "\n").encode())
        write_bytes(part / "fan.png", _drawn(value, _moves(past, held, horizons[-1])))
        with (part / "paths.npz").open("wb") as file:
            names = np.array(modality.names)
            np.savez_compressed(file, allow_pickle=False, series=paths, held=value, channels=names)
    return found


def rows(found: Sequence[Risk]) -> list[list[str]]:
    """A table of it."""
    head = ["steps", "level", "VaR", "VaR of history", "ES", "ES of history", "steps of history"]
    return [
        head,
        *(
            [str(r.horizon), f"{r.level:.0%}"]
            + [f"{x:.2%}" for x in (r.at_risk, r.history_at_risk, r.shortfall, r.history_shortfall)]
            + [str(r.history)]
            for r in found
        ),
    ]


def _held(modality: Series, weights: Sequence[str]) -> Floats:
    """What is held of each channel, (channels,), 1 in all."""
    prices = [channel.name for channel in modality.channels if channel.kind == "returns"]
    if not prices:
        raise InputError(f"none of {', '.join(modality.names)} is a price; scenarios need one (kinds=NAME=returns)")
    amounts = dict(_amount(text) for text in weights) or dict.fromkeys(prices, 1.0)
    for name in amounts:
        if name not in prices:
            raise InputError(f"weight {name}={amounts[name]:g}: there is no price {name!r}; {nearest(name, prices)}")
    whole = np.array([amounts.get(name, 0.0) for name in modality.names])
    held: Floats = whole / whole.max() / (whole / whole.max()).sum()
    return held


def _amount(text: str) -> tuple[str, float]:
    name, _, amount = text.rpartition("=")
    try:
        value = float(amount)
    except ValueError:
        value = float("nan")
    if not name or not 0 < value < float("inf"):
        raise InputError(f"weight {text!r} is not NAME=AMOUNT with an amount above 0 (as in 'MSFT Close=2')")
    return name, value


def _moves(past: Floats, held: Floats, horizon: int) -> Floats:
    """What would have been won or lost over some steps, from each step of the past on."""
    return _worth(past[horizon:], past[:-horizon], held) - 1


def _worth(prices: Floats, before: Floats, held: Floats) -> Floats:
    """What is worth 1 at some prices (..., channels), at others."""
    some = held > 0
    worth: Floats = (prices[..., some] / before[..., some] * held[some]).sum(-1)
    return worth


def _risk(horizon: int, level: float, made: Floats, past: Floats) -> Risk:
    return Risk(horizon, level, *_tail(made, level), *_tail(past, level), len(past))


def _tail(moves: Floats, level: float) -> tuple[float, float]:
    """Value at risk and expected shortfall. Acerbi and Tasche 2002, arXiv:cond-mat/0104295."""
    edge = float(np.quantile(moves, 1 - level))
    return -edge, -float(moves[moves <= edge].mean())


def _drawn(value: Floats, past: Floats) -> bytes:
    """What is held over time, and what is won or lost at the end beside history."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), dpi=90, layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = np.arange(value.shape[1] + 1)
    fan = np.percentile(np.concatenate([np.ones((len(value), 1)), value], 1), FAN, axis=0)
    for low, high, alpha in ((0, 4, 0.15), (1, 3, 0.25)):
        left.fill_between(steps, fan[low], fan[high], color=MADE, alpha=alpha, linewidth=0)
    left.plot(steps, fan[2], color=MADE, linewidth=1.2)
    left.set_title("what is held: half and nine of ten of the paths", fontsize=9, loc="left")
    left.set_xlabel("steps", fontsize=8)
    edges = np.histogram_bin_edges(np.concatenate([value[:, -1] - 1, past]), BINS)
    right.hist(past, edges, density=True, color=REAL, alpha=0.4, label="history")
    right.hist(value[:, -1] - 1, edges, density=True, histtype="step", color=MADE, label="paths")
    right.axvline(np.quantile(value[:, -1] - 1, 1 - LEVELS[-1]), color=MADE, linestyle=":", linewidth=1)
    right.set_title(f"won or lost after {value.shape[1]} steps; dotted: VaR {LEVELS[-1]:.0%}", fontsize=9, loc="left")
    right.legend(fontsize=8, frameon=False)
    for axis in (left, right):
        axis.grid(alpha=0.25)
        axis.tick_params(labelsize=7)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()
