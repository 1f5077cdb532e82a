"""Prices: the paths of the default compared with those of published GANs and of GARCH, and with the training data.

    python benchmarks/series.py [SET ...] [--data FOLDER] [--time 4m] [--seeds 1] [--runs FOLDER]
                                [--page docs/series.md]

SET is `google` (the closes of stock_data.csv) or `dow` (the closes of the 31 shares of djia_stocks_2006_2018.zip) in
FOLDER. The last fifth of the time is held out before training; all paths are compared with it by the metrics of
`sparring evaluate`. GARCH(1, 1) with Student's t comes from the `arch` package (installed by hand for this benchmark
only), for several shares with constant correlations of their residuals (Bollerslev 1990, doi:10.2307/2109358).
"""

from __future__ import annotations

import argparse
import time
import zipfile
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import pandas as pd

from clock import count_cpu_time
from pages import put, table
from runs import trained_once
from sparring.metrics.results import Number
from sparring.modalities import Series, find
from sparring.modalities.series.judge import SeriesJudge

RECIPES = ("series", "quantgan", "timegan")
FILES = {"google": "stock_data.csv", "dow": "djia_stocks_2006_2018.zip"}
HELD_FRACTION = 5  # the last of this many parts of the time is held out
BURN_IN = 500  # steps of GARCH before a path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="*", default=list(FILES))
    parser.add_argument("--data", type=Path, default=Path("../shared/data/timeseries"))
    parser.add_argument("--time", default="4m", help="time of each training")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/bench-series"))
    parser.add_argument("--page", type=Path, help="Markdown file for the tables, between its two marks")
    args = parser.parse_args()
    lines, counted = [], count_cpu_time()
    for name in args.sets:
        lines += [f"**{name}**", "", *_measured(name, args), ""]
        print("\n".join(lines[-12:]), flush=True)
    seeds = f"{args.seeds} seed{'s' if args.seeds > 1 else ''}"
    command = f"python benchmarks/series.py {' '.join(args.sets)} --time {args.time} --seeds {args.seeds}"
    lines += [f"`{command}`: at most {args.time} each, {seeds}, {counted}."]
    if args.page:
        put(args.page, __file__, lines)


def _measured(name: str, args: argparse.Namespace) -> list[str]:
    folder = args.runs / name
    folder.mkdir(parents=True, exist_ok=True)
    frame = _closes(args.data / FILES[name])
    cut = len(frame) - len(frame) // HELD_FRACTION
    train, held = folder / "train.csv", folder / "held.csv"
    frame.iloc[:cut].to_csv(train, index=False)
    frame.iloc[cut:].to_csv(held, index=False)
    items = find(train)
    modality = Series().fit(items)
    judge = SeriesJudge(modality, modality.values(items), modality.values(find(held)))
    rows: dict[str, list[list[Number]]] = {"training data": [judge.floor]}
    costs = {}
    for recipe in RECIPES:
        rows[f"**{recipe}**"] = []
        for seed in range(args.seeds):
            numbers, costs[f"**{recipe}**"] = _train_and_measure(recipe, train, folder, seed, args.time, judge)
            rows[f"**{recipe}**"].append(numbers)
    began = time.monotonic()
    paths = garch(modality.values(items), judge.n, judge.length)
    costs["GARCH(1, 1)-t"] = f"{time.monotonic() - began:.0f} s"
    rows["GARCH(1, 1)-t"] = [judge.numbers(judge.walks(paths))]
    rows |= {kind: [numbers] for kind, numbers in judge.baselines.items()}
    names = [number.name for number in judge.floor]
    body = []
    for kind, runs in rows.items():
        cells = [_cell([next(n for n in numbers if n.name == which) for numbers in runs]) for which in names]
        body.append([kind, *cells, costs.get(kind, "")])
    steps = f"{cut:,} training rows, {len(frame) - cut:,} held-out rows; {judge.n} paths of that length."
    return [*table(["", *names, "training"], body), "", steps]


def _closes(path: Path) -> pd.DataFrame:
    """Closes without missing values, with their dates if there are any."""
    if not zipfile.is_zipfile(path):
        return find(path).items[["Close"]]
    frame = find(path).items
    return frame[["date", *(c for c in frame if c.endswith(" Close"))]].dropna()


def _train_and_measure(recipe: str, train: Path, folder: Path, seed: int, bound: str, judge: SeriesJudge):
    out = folder / f"{recipe}-{bound}-{seed}"
    model = trained_once(recipe, train, out, bound, seed=seed)
    paths = model.sample(judge.n, seed=0, length=judge.length).items
    numbers = judge.numbers(judge.walks(np.maximum(paths, 1e-6)))  # a price of TimeGAN may be 0
    print(recipe, seed, " ".join(f"{n.name} {n}" for n in numbers), flush=True)
    return numbers, f"{model.about['seconds']:.0f} s"


def garch(values: np.ndarray, n: int, length: int) -> np.ndarray:
    """Paths (n, steps, channels) that continue the last of some prices (steps, channels)."""
    from arch import arch_model

    returns = 100 * np.diff(np.log(values), axis=0)
    fits = [arch_model(r, mean="Constant", vol="GARCH", p=1, q=1, dist="t").fit(disp="off") for r in returns.T]
    residuals = np.stack([np.asarray(fit.std_resid) for fit in fits], 1)
    root = np.linalg.cholesky(np.corrcoef(residuals.T).reshape(len(fits), len(fits)))
    random = np.random.default_rng(0)
    params = [dict(fit.params) for fit in fits]
    mu, omega, alpha, beta = (np.array([p[k] for p in params]) for k in ("mu", "omega", "alpha[1]", "beta[1]"))
    nu = float(np.median([p["nu"] for p in params]))
    variance = np.tile(returns.var(0), (n, 1))
    returns_by_step = []
    for _ in range(BURN_IN + length):
        tail = np.sqrt(
            (nu - 2) / random.chisquare(nu, (n, 1))
        )  # a t distribution with variance 1, shared by all channels
        shocks = (random.normal(size=variance.shape) @ root.T) * tail * np.sqrt(variance)
        returns_by_step.append(mu + shocks)
        variance = omega + alpha * shocks**2 + beta * variance
    steps = np.stack(returns_by_step[BURN_IN:], 1) / 100
    return values[-1] * np.exp(np.cumsum(steps, 1))


def _cell(numbers: list[Number]) -> str:
    values = [number.value for number in numbers]
    shown = "{:.1%}" if numbers[0].share else "{:.3f}"
    spread = f" ± {shown.format(stdev(values))}" if len(values) > 1 else ""
    return shown.format(mean(values)) + spread


if __name__ == "__main__":
    main()
