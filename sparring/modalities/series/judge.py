"""The judge of time series: generated paths next to the steps that came after the training data and two baselines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from sparring.data.items import Items
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.metrics import sequences
from sparring.metrics.results import Evaluation, Finding, Number
from sparring.metrics.sequences import Floats
from sparring.modalities.judge import Console, Judge, Sampler, TrainingData
from sparring.modalities.series.series import MAX_LISTED, Series
from sparring.modalities.series.stylized_facts import draw_stylized_facts

if TYPE_CHECKING:
    from sparring.modalities.base import Modality

Say = Callable[[str], None]
LAGS = (1, 5, 20, 100)  # over which distributions of returns are compared
MAX_CURVE_LAGS = 100
VAR_LEVELS = (0.01, 0.05)  # of the value at risk
WINDOW = 24  # steps of the windows that the classifier and the search for copies take
MAX_WINDOWS = 2000  # generated windows of which the nearest training window is searched
PARTS = 10  # alternate parts of the held-out rows train and test the classifier
MEAN_BLOCK = 20  # mean length of the bootstrap's blocks, in steps
NEAR_QUANTILE = 0.01  # share of held-out windows that are near copies by definition
MIN_STEPS = 2 * WINDOW + 1
MIN_PATHS = 20  # that are evaluated unless given,
TOTAL_STEPS = 50_000  # or more if they have fewer steps than this together
EASY = 0.3  # discriminative_score above which paths are easy to distinguish
WEAK_CLUSTERING = 0.5  # share of the real autocorrelation of |returns| below which volatility clustering is missing
CLUSTERING_LAGS = 20
LIGHT_TAILS = 0.25  # share of the real excess kurtosis below which tails are too light
MEMORIZED = 0.1  # excess of near_copy_share over twice the floor that counts as memorization


class SeriesJudge(Judge):
    """Compares paths with the steps that came after the training data.

    Args:
        modality: fitted to the data.
        train, held: values in the user's units (steps, channels) that the model was trained on, and later ones.
        say: receives progress messages.
        name: of the data.

    Attributes:
        length: time steps of the evaluated paths; the number of held-out rows.
    """

    def __init__(
        self, modality: Series, train: Floats, held: Floats, say: Say = lambda _: None, name: str = "the data"
    ) -> None:
        self.modality, self.say, self.name = modality, say, name
        self.train, self.held = (modality.walks(values)[None] for values in (train, held))
        self.length = self.held.shape[1]
        self._standardized = modality.standardize(train)

    @property
    def axes(self) -> tuple[str, str]:
        return "wasserstein[1]", "discriminative_score"

    @property
    def n(self) -> int:
        """Number of paths that are evaluated unless given."""
        return max(MIN_PATHS, -(-TOTAL_STEPS // int(self.length)))

    def check(self, modality: Modality) -> None:
        assert isinstance(modality, Series)
        if modality.names != self.modality.names:
            channels = " and ".join(", ".join(m.names[:MAX_LISTED]) for m in (self.modality, modality))
            raise InputError(f"these runs generate different channels ({channels}); compare runs with the same ones")

    def walks(self, paths: Floats) -> Floats:
        """Paths in the user's units as walks, which are compared."""
        return self.modality.walks(paths)

    def evaluate(self, model: Sampler, n: int | None, seed: int, console: Console) -> Evaluation:
        """Evaluate n paths, each as long as the held-out rows."""
        n = n or self.n
        if n < 2:
            raise InputError(f"{n} paths are too few to evaluate; give at least 2")
        again = self._reconstructed(model)
        console.say(f"evaluating {n:,} paths")
        return self._evaluation(model.sample(n, seed=seed, length=self.length).items, again)

    def evaluate_items(self, items: Items, console: Console) -> Evaluation:
        """Paths below one another, with their number in a column "path", or one long path; each is cut into parts as
        long as the held-out rows.
        """
        paths, length = self.modality.paths(items), int(self.length)
        parts = [path[i : i + length] for path in paths for i in range(0, len(path) - length + 1, length)]
        if len(parts) < 2:
            longest = max(map(len, paths))
            raise InputError(
                f"{items.name!r} has {len(paths)} paths of at most {longest:,} steps; evaluating needs two parts of "
                f"{length:,} steps, as many as the held-out rows"
            )
        console.say(f"evaluating {len(parts):,} paths")
        return self._evaluation(np.stack(parts), {})

    def _evaluation(self, paths: Floats, again: dict[str, list[Number]]) -> Evaluation:
        """The evaluation of paths in the user's units, (n, steps, channels).

        Args:
            again: metrics of reconstructions, if there are any.
        """
        floor, generated, n = self.floor, self.walks(paths), len(paths)
        numbers = self.numbers(generated)
        return Evaluation(
            data=self.name,
            protocol=(
                f"{n:,} paths of {self.length:,} steps compared with the {self.length:,} steps that came after the "
                f"{self.train.shape[1]:,} training rows; real: the training rows, cut into paths of this length; "
                f"shuffled: training rows in random order; bootstrap: blocks of {MEAN_BLOCK} training rows on average"
                + ("; reconstruction: the same paths as real, encoded and decoded by the model" if again else "")
            ),
            samples=n,
            real=self.length,
            numbers=tuple(numbers),
            floor=tuple(floor),
            baselines=self.baselines | again,
            findings=tuple(self.findings(generated, numbers)),
            picture=draw_stylized_facts(self, generated),
        )

    @cached_property
    def floor(self) -> list[Number]:
        """Metrics of the training data, cut into paths as long as the held-out rows."""
        self.say("evaluating the training data")
        length = min(self.length, self.train.shape[1])
        count = self.train.shape[1] // length
        paths = self.train[0, self.train.shape[1] - count * length :].reshape(count, length, -1)
        threshold = np.quantile(self._held_distances, NEAR_QUANTILE) if len(self._held_distances) else nan
        held = {"near_copy_share": float((self._held_distances < threshold).mean())}
        return [Number(n.name, held.get(n.name, n.value), n.best, share=n.share) for n in self.numbers(paths)]

    @cached_property
    def baselines(self) -> dict[str, list[Number]]:
        """Metrics of two trivial baselines: training rows in random order, and blocks of them with random lengths (the
        stationary bootstrap, Politis and Romano 1994, doi:10.1080/01621459.1994.10476870).
        """
        self.say("evaluating the baselines")
        random = np.random.default_rng(0)
        blocks = {"shuffled": 1, "bootstrap": MEAN_BLOCK}
        return {name: self.numbers(self.walks(self.resample(block, random))) for name, block in blocks.items()}

    def _reconstructed(self, model: Sampler) -> dict[str, list[Number]]:
        """Metrics of the floor's paths, encoded and decoded; nothing if the model has no autoencoder."""
        reconstruct = model.autoencoder()
        if reconstruct is None:
            return {}
        self.say("evaluating reconstructions")
        steps, channels = self._standardized.shape
        length = min(self.length, steps)
        paths = self._standardized[steps % length :].reshape(-1, length, channels).astype(np.float32)
        again = reconstruct(torch.from_numpy(paths).transpose(1, 2), None)
        decoded = self.modality.decode({VALUES: again}).astype(np.float64)
        return {"reconstruction": self.numbers(self.walks(decoded))}

    def resample(self, block: int, random: np.random.Generator) -> Floats:
        """Paths in the user's units, of blocks of training rows.

        Args:
            block: mean length of a block in steps.
        """
        total = len(self._standardized)
        new = random.random((self.n, self.length)) < 1 / block
        new[:, 0] = True
        starts = random.integers(total, size=new.shape)
        steps = np.arange(self.length)
        block_start = np.maximum.accumulate(np.where(new, steps, 0), axis=1)  # position where the current block began
        rows = (np.take_along_axis(starts, block_start, 1) + steps - block_start) % total
        return self.modality.destandardize(self._standardized[rows])

    @cached_property
    def _held_distances(self) -> Floats:
        return self._distances(sequences.returns(self.held))

    def _distances(self, returns: Floats) -> Floats:
        """Distance of windows of returns to the nearest window of the training data."""
        train = sequences.returns(self.train)
        scale = np.maximum(1e-12, train.std((0, 1)))  # so that no channel's unit decides
        return sequences.nearest(_windows(returns / scale, MAX_WINDOWS), _windows(train / scale, None))

    def numbers(self, generated: Floats) -> list[Number]:
        """All metrics of walks (paths, steps, channels)."""
        real, x = sequences.returns(self.held), sequences.returns(generated)
        lags = max(1, min(MAX_CURVE_LAGS, real.shape[1] // 4, x.shape[1] // 4))
        curves: dict[str, Callable[[Floats], Floats]] = {
            "acf": lambda r: sequences.autocorrelation(r, lags),
            "acf_abs": lambda r: sequences.autocorrelation(np.abs(r), lags),
            "leverage": lambda r: sequences.leverage(r, lags),
        }
        distances = {lag: sequences.wasserstein(self.held, generated, lag) for lag in LAGS}
        numbers = [Number(f"wasserstein[{lag}]", distance, "low") for lag, distance in distances.items()]
        numbers += [
            Number(name, sequences.rms_difference(curve(real), curve(x)), "low") for name, curve in curves.items()
        ]
        numbers.append(Number("kurtosis", sequences.kurtosis(x), "real"))
        numbers += [
            Number(f"var_coverage[{level:.0%}]", sequences.var_coverage(real, x, level), "real", share=True)
            for level in VAR_LEVELS
        ]
        if x.shape[2] > 1:
            correlations = (sequences.cross_correlations(returns) for returns in (real, x))
            numbers.append(Number("cross_correlation", sequences.rms_difference(*correlations), "low"))
        near = float((self._distances(x) < np.quantile(self._held_distances, NEAR_QUANTILE)).mean())
        return [
            *numbers,
            Number("discriminative_score", self._discriminative_score(real, x), "low"),
            Number("near_copy_share", near, "real", share=True),
        ]

    def _discriminative_score(self, real: Floats, generated: Floats) -> float:
        """Alternate parts of the real steps train and test the classifier."""
        parts = np.array_split(real, PARTS, axis=1)
        if min(part.shape[1] for part in parts) < WINDOW:
            parts = np.array_split(real, 2, axis=1)
        a, b = (np.concatenate([_windows(p, None) for p in parts[i::2]]) for i in (0, 1))
        if len(generated) == 1:
            train, test = np.array_split(generated, 2, axis=1)
        else:
            train, test = generated[: len(generated) // 2], generated[len(generated) // 2 :]
        return sequences.discriminative_score((a, b), (_windows(train, len(a)), _windows(test, len(b), seed=1)))

    def findings(self, generated: Floats, numbers: list[Number]) -> list[Finding]:
        """Problems of walks; [] if nothing stands out."""
        value = {n.name: n.value for n in numbers}
        floor = {n.name: n.value for n in self.floor}
        findings = []
        if value["discriminative_score"] > max(EASY, 1.5 * floor["discriminative_score"]):
            accuracy, history = (0.5 + scores["discriminative_score"] for scores in (value, floor))
            evidence = f"accuracy of a classifier {accuracy:.0%}; on the training data {history:.0%}"
            findings.append(Finding("easy to distinguish from real paths", evidence, "train longer"))
        real, clustering = (
            sequences.autocorrelation(np.abs(sequences.returns(walks)), CLUSTERING_LAGS).mean()
            for walks in (self.train, generated)
        )
        if real > 0.05 and clustering < WEAK_CLUSTERING * real:
            evidence = f"autocorrelation of |returns| {clustering:.2f}; in the training data {real:.2f}"
            findings.append(Finding("no volatility clustering", evidence, "train longer"))
        tails = sequences.kurtosis(sequences.returns(self.train))
        if tails > 1 and value["kurtosis"] < LIGHT_TAILS * tails:
            evidence = f"kurtosis {value['kurtosis']:.1f}; in the training data {tails:.1f}"
            findings.append(Finding("light tails", evidence, "train longer"))
        near = value["near_copy_share"]
        if not isnan(near) and near > MEMORIZED + 2 * floor["near_copy_share"]:
            evidence = f"{near:.0%} of windows are closer to the training data than 99% of the held-out windows"
            findings.append(Finding("copies", evidence, "train on a longer history, or for fewer steps"))
        return findings


def series_judge(
    modality: Series, training: TrainingData, against: Items | None, options: Mapping[str, Any], say: Say
) -> SeriesJudge:
    """See `Modality.judge`. Steps that were added to the training data since are held-out ones."""
    if features := options.get("features"):
        raise InputError(f"features={features[0]} is not for series, which have their own metrics; remove --features")
    items = training.items
    if len(items) < training.count:
        raise InputError(
            f"{training.source} had {training.count:,} steps when the model was trained and has {len(items):,} now"
        )
    values = modality.values(items)
    trained = len(modality.split(replace(items, items=items.items[: training.count])).train)
    held = values[trained:] if against is None else modality.values(against)
    if len(held) < MIN_STEPS:
        source = training.source if against is None else against.name
        raise InputError(
            f"{source} has {len(held)} held-out rows, which is too few to evaluate; give --against FILE with at least "
            f"{MIN_STEPS}"
        )
    return SeriesJudge(modality, values[:trained], held, say, training.name)


def _windows(x: Floats, limit: int | None, seed: int = 0) -> Floats:
    """Windows of series (paths, steps, channels), (n, WINDOW, channels): all of them, or a random subset."""
    paths, steps, _ = x.shape
    starts = steps - WINDOW + 1
    chosen = np.arange(paths * starts)
    if limit is not None and len(chosen) > limit:
        chosen = np.random.default_rng(seed).choice(len(chosen), limit, replace=False)
    return np.stack([x[i // starts, i % starts : i % starts + WINDOW] for i in chosen])
