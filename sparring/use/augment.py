"""`augment(run)` adds samples to a labeled data set, and measures what they are worth to a classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from sparring.console import Screen
from sparring.data.store import Progress
from sparring.errors import InputError, nearest
from sparring.evaluation.evaluate import training_data
from sparring.evaluation.real import read
from sparring.files import write_json
from sparring.modalities.labeled import LabeledSet
from sparring.model import Model, load
from sparring.model.hub import beside
from sparring.runs.folder import RunFolder
from sparring.use.labeled import EncodedSet
from sparring.use.strategies import REAL_ONLY, Strategies, Strategy, metrics

MIN_SEEDS = 3  # that an interval can be estimated from


@dataclass(frozen=True)
class Augmentation:
    """Metrics of classifiers for each strategy of changing the training set.

    Attributes:
        protocol: how the metrics were measured, in a sentence.
        scores: by strategy and metric, a value for each seed.
        written: number of real items and of samples in the enlarged set.
    """

    protocol: str
    scores: dict[str, dict[str, list[float]]]
    written: tuple[int, int]

    def gain(self, strategy: str, metric: str = "auc") -> tuple[float, float]:
        """The improvement over real items alone, and the half-width of the interval that holds the results of 95% of
        other seeds, which have other samples and other test items; NaN if there are too few seeds.
        """
        pairs = zip(self.scores[strategy][metric], self.scores[REAL_ONLY][metric], strict=True)
        differences = [a - b for a, b in pairs]
        if len(differences) < MIN_SEEDS:
            return mean(differences), float("nan")
        from scipy.stats import t

        return mean(differences), float(t.ppf(0.975, len(differences) - 1)) * stdev(differences)

    def verdict(self, strategy: str, metric: str = "auc") -> str:
        """The gain of a strategy in a sentence."""
        gain, width = self.gain(strategy, metric)
        if np.isnan(width):
            return f"{strategy}: {metric} {gain:+.3f}; too few seeds for an interval (at least {MIN_SEEDS})"
        if abs(gain) <= width:
            return f"{strategy}: {metric} {gain:+.3f} ± {width:.3f}: no significant difference"
        return f"{strategy}: {metric} {gain:+.3f} ± {width:.3f}: {'better' if gain > 0 else 'worse'} than real items"

    def verdicts(self) -> list[str]:
        """The gains of all strategies."""
        return [self.verdict(name) for name in self.scores if name != REAL_ONLY]

    def rows(self) -> list[list[str]]:
        """A table: the metrics of each strategy, as mean and standard deviation over the seeds, and its gain."""
        names = list(self.scores[REAL_ONLY])
        body = [["strategy", *names, "auc gain"]]
        for strategy, scores in self.scores.items():
            gain, width = self.gain(strategy)
            shown = f"{gain:+.3f}" + ("" if np.isnan(width) else f" ± {width:.3f}")
            body.append([strategy, *(_shown(scores[name]) for name in names), "" if strategy == REAL_ONLY else shown])
        return body

    def content(self) -> dict[str, Any]:
        """Everything as JSON."""
        return {"protocol": self.protocol, "scores": self.scores, "written": list(self.written)}


def augment(
    run: str | Path | Model,
    out: str | Path,
    n: int | None = None,
    rare: bool = False,
    target: str = "",
    against: str | None = None,
    seeds: int = 5,
    without: Sequence[str] = (),
    force: bool = False,
    quiet: bool = True,
    trust: bool = False,
) -> Augmentation:
    """Write the training data of a model followed by samples, and measure what the samples are worth to a classifier.

    A classifier is trained on real items only, with class weights, with SMOTE (Chawla et al. 2002,
    arXiv:1106.1813), with samples, and with samples of the rarer classes only. It is tested on real items that neither
    it nor the model was trained on. Every seed has other samples and another bootstrap sample of the test items.

    Args:
        run: a model of a table, or of a kind of data with labels, or the folder of its run.
        out: a path, as for `Samples.save`.
        n: number of samples to add; the number of real items unless given.
        rare: add samples of the rarer classes only, until all classes are equally frequent. `n` must not be given.
        target: for tables, the category that is the class; that of the model unless given.
        against: other data that the model was not trained on, in place of the held-out items.
        seeds: number of repetitions.
        without: names of strategies to leave out.
        force: overwrite `out`.
        quiet: show no progress.
        trust: as for `sparring.load`.

    Raises:
        InputError: if the model has no classes, or its training data are missing or have changed.
    """
    if seeds < 1:
        raise InputError(f"seeds={seeds} is out of range; give at least 1")
    if n is not None and rare:
        raise InputError(f"n={n} was given with rare, which adds samples until the classes are balanced; leave n out")
    if n is not None and n < 1:
        raise InputError(f"n={n} is out of range; give at least 1")
    place = Path(out)
    if place.suffix.lower() == ".png":
        raise InputError(f"{out} would be an image of the samples, not a data set; choose another suffix")
    model, screen = run if isinstance(run, Model) else load(run, trust=trust), Screen(quiet)
    model.modality.check_writable(place, force)
    strategies = Strategies(_labeled_set(model, target, against), n)
    chosen = _without(strategies.by_name(), without)
    with screen.progress("classifiers") as progress:
        scores = _scores(strategies, chosen, seeds, progress)
    labels = strategies.data.labels
    counts = strategies.balancing(labels) if rare else strategies.proportional(labels)
    strategies.data.samples(counts, seed=0).save(place, force)
    result = Augmentation(_protocol(model, strategies, seeds), scores, (len(labels), int(counts.sum())))
    if not isinstance(run, Model):
        write_json(RunFolder(beside(run)).augmentation, result.content())
    return result


def _without(strategies: Mapping[str, Strategy], names: Sequence[str]) -> dict[str, Strategy]:
    """The strategies that are not left out."""
    optional = set(strategies) - {REAL_ONLY}
    for name in names:
        if name not in optional:
            raise InputError(f"without={name}: there is no such strategy; {nearest(name, optional)}")
    return {name: strategy for name, strategy in strategies.items() if name not in names}


def _labeled_set(model: Model, target: str, against: str | None) -> LabeledSet:
    """The labeled training data of a model: those that its kind of data declares, or else items with classes."""
    modality, training = model.modality, training_data(model)
    if modality.source is not None:
        raise InputError(
            f"this model generates {modality.words.items} from given {modality.source.words.items}; augmenting needs a "
            "model that generates them from noise, with classes"
        )
    other = None if against is None else model.find_items(against)
    declared = modality.labeled_set(model, training, other, target)
    if declared is not None:
        return declared
    if target:
        raise InputError(f"target={target} was given, but the class of {modality.words.items} is their label; omit it")
    if not modality.classes:
        raise InputError(f"this model was trained without labels; augmenting {modality.words.items} needs labels")
    real = read(modality, training.items)[0]
    return EncodedSet(model, real, None if other is None else read(modality, other)[0])


def _scores(
    strategies: Strategies, chosen: Mapping[str, Strategy], seeds: int, progress: Progress
) -> dict[str, dict[str, list[float]]]:
    """By strategy and metric, a value for each seed."""
    scores: dict[str, dict[str, list[float]]] = {name: {} for name in chosen}
    data, real = strategies.data, strategies.real()
    for seed in range(seeds):
        rows = strategies.test_rows(seed)
        for i, (name, strategy) in enumerate(chosen.items()):
            progress(seed * len(chosen) + i, seeds * len(chosen))
            train = strategy(real, seed)
            probabilities = data.probabilities(train.items, train.labels, train.balanced, seed)
            for metric, value in metrics(data.held_labels[rows], probabilities[rows]).items():
                scores[name].setdefault(metric, []).append(value)
    return scores


def _protocol(model: Model, strategies: Strategies, seeds: int) -> str:
    data, items = strategies.data, model.modality.words.items
    return (
        f"{data.classifier}, trained on {len(data.labels):,} real {items} (plus {strategies.count:,} samples, or "
        f"the number that balances the classes), tested on bootstrap samples of {len(data.held_labels):,} held-out "
        f"{items}, {seeds} seed{'s' if seeds > 1 else ''}"
    )


def _shown(values: Sequence[float]) -> str:
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")
