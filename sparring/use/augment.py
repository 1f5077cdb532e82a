"""`augment(run)` enlarges a labelled set by samples, and says what that did to a classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import torch

from sparring.console import Screen
from sparring.data.split import held_out
from sparring.data.store import Progress
from sparring.data.tensors import VALUES
from sparring.errors import InputError, nearest
from sparring.evaluation.real import read
from sparring.evaluation.rows import unchanged
from sparring.files import write_json
from sparring.modalities import Samples, find
from sparring.model import Model, load
from sparring.runs.folder import RunFolder
from sparring.use.labeled_images import OfPictures
from sparring.use.labeled_rows import OfRows
from sparring.use.strategies import Strategies, Strategy, measured

FEWEST = 20  # unseen items
FEWEST_SEEDS = 3  # that show anything


@dataclass(frozen=True)
class Augmented:
    """What a classifier has learnt from each way to enlarge a training set.

    Attributes:
        protocol: how, in a sentence.
        scores: by strategy and measure, a number for each seed.
        written: real items and samples in the enlarged set.
    """

    protocol: str
    scores: dict[str, dict[str, list[float]]]
    written: tuple[int, int]

    def gain(self, strategy: str, measure: str = "auc") -> tuple[float, float]:
        """By how much a strategy is better than nothing, and the half-width of an interval in which 95% of other seeds
        lie: with other samples, and other unseen items.
        """
        pairs = zip(self.scores[strategy][measure], self.scores["nothing"][measure], strict=True)
        differences = [a - b for a, b in pairs]
        if len(differences) < FEWEST_SEEDS:
            return mean(differences), float("nan")
        from scipy.stats import t

        return mean(differences), float(t.ppf(0.975, len(differences) - 1)) * stdev(differences)

    def verdict(self, strategy: str, measure: str = "auc") -> str:
        """In a sentence."""
        gain, width = self.gain(strategy, measure)
        if np.isnan(width):
            return f"{strategy}: {measure} {gain:+.3f}; fewer than {FEWEST_SEEDS} seeds show nothing"
        if abs(gain) <= width:
            return f"{strategy}: {measure} {gain:+.3f} ± {width:.3f}: no difference that these seeds can show"
        return f"{strategy}: {measure} {gain:+.3f} ± {width:.3f}: {'better' if gain > 0 else 'worse'} than nothing"

    def rows(self) -> list[list[str]]:
        """A table: strategies, their measures on the mean with deviations over the seeds, and what they gain."""
        measures = list(self.scores["nothing"])
        body = [["learnt from", *measures, "auc gained"]]
        for name, scores in self.scores.items():
            gain, width = self.gain(name)
            gained = "" if name == "nothing" else f"{gain:+.3f}" + ("" if np.isnan(width) else f" ± {width:.3f}")
            body.append([_learnt(name), *(_shown(scores[measure]) for measure in measures), gained])
        return body

    def content(self) -> dict[str, Any]:
        """As JSON has it."""
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
) -> Augmented:
    """Write the data that a model was trained on with samples after them, and measure what these are worth.

    A classifier learns from the real training items alone, with class weights, with SMOTE (Chawla et al. 2002,
    arXiv:1106.1813), with samples, and with samples of the rarer classes only, and is asked about real items that
    nobody has trained on; with other samples and another draw of these for every seed.

    Args:
        run: a model of a table, or of pictures with labels, or the folder of its run.
        out: as `Samples.save` takes it.
        n: samples that are added; as many as there are real items unless given.
        rare: add samples of the rarer classes only, until all are as frequent; `n` is not used.
        target: of a table, the category that is the class; the model's own unless given.
        against: other data that the model has not seen, in place of those held out.
        seeds: of samples, classifiers, and draws of unseen items.
        without: names of ways that are left out.
        force: overwrite `out`.

    Raises:
        InputError: where the model makes nothing with classes, or the data are not there any more.
    """
    if seeds < 1:
        raise InputError(f"{seeds} seeds show nothing; give at least 1")
    if n is not None and (n < 1 or rare):
        why = "with rare, as many are added as make the classes even; leave n out" if rare else "give at least 1"
        raise InputError(f"{n} samples cannot be added: {why}")
    if Path(out).suffix.lower() == ".png":
        raise InputError(f"{out} would hold a sheet and no set; give a folder, .npz, .csv, .tsv or .parquet")
    model, screen = run if isinstance(run, Model) else load(run), Screen(quiet)
    model.modality.check_writable(Path(out), force)
    strategies = _strategies(model, n, target, against)
    chosen = strategies.all()
    for name in without:
        if name not in chosen or name == "nothing":
            raise InputError(f"{name!r} cannot be left out; {nearest(name, set(chosen) - {'nothing'})}")
    chosen = {name: strategy for name, strategy in chosen.items() if name not in without}
    with screen.progress("classifiers") as progress:
        scores = _scores(strategies, chosen, seeds, progress)
    written = _write(model, strategies, Path(out), rare, force)
    classifier = "trees" if isinstance(strategies, OfRows) else "a small convolutional net"
    protocol = (
        f"{classifier} that learnt from {len(strategies.labels):,} real {model.modality.kind} (and {strategies.made:,} "
        f"samples, or as many as make the classes even), asked about {len(strategies.unseen):,} unseen ones, drawn "
        f"anew for each of {seeds} seed{'s' if seeds > 1 else ''}"
    )
    found = Augmented(protocol, scores, written)
    if not isinstance(run, Model):
        write_json(RunFolder(Path(run)).augmentation, found.content())
    return found


def _scores(
    strategies: Strategies, chosen: Mapping[str, Strategy], seeds: int, progress: Progress
) -> dict[str, dict[str, list[float]]]:
    """By strategy and measure, a number for each seed."""
    scores: dict[str, dict[str, list[float]]] = {name: {} for name in chosen}
    real = strategies.whole()
    for seed in range(seeds):
        asked = strategies.asked(seed)
        for i, (name, strategy) in enumerate(chosen.items()):
            progress(seed * len(chosen) + i, seeds * len(chosen))
            told = strategies.told(strategy(real, seed), seed)
            for measure, value in measured(strategies.unseen[asked], told[asked]).items():
                scores[name].setdefault(measure, []).append(value)
    return scores


def _strategies(model: Model, n: int | None, target: str, against: str | None) -> Strategies:
    """For the kind of data that a model makes."""
    kind, source = model.modality.kind, str(model.about["data"])
    if kind not in ("rows", "images"):
        kind = "pictures of pictures" if model.modality.source is not None else kind
        raise InputError(f"this model makes {kind}; labelled pictures and rows of tables can be enlarged")
    items = find(source)
    if kind == "images":
        if target:
            raise InputError(f"target={target} is for rows of tables; pictures have their labels")
        other = None if against is None else read(model.modality, find(against))[0]
        return OfPictures(model, read(model.modality, items)[0], other, n)
    unchanged(model, items)
    held = held_out(len(items), None)
    given = items if against is None else find(against)
    if given.kind not in ("rows", "series"):
        raise InputError(f"{against} holds {given.kind}, but the model makes rows; give such data")
    unseen = given.items[held] if against is None else given.items
    strategies = OfRows(model, items.items[~held], unseen, target, n)
    if len(strategies.unseen) < FEWEST:
        few = f"{len(strategies.unseen)} rows that the model has not seen have one of its levels of {strategies.target}"
        raise InputError(f"{few}: too few to ask about; give --against FILE")
    return strategies


def _write(model: Model, strategies: Strategies, out: Path, rare: bool, force: bool) -> tuple[int, int]:
    """All real items that were trained on, then samples."""
    labels = strategies.labels
    wanted = strategies.of_the_rare(labels) if rare else strategies.as_often(labels)
    real = strategies.whole()
    if isinstance(strategies, OfPictures):
        whole = strategies.with_samples(real, wanted, seed=0)
        items = model.modality.decode({VALUES: model.modality.scale(torch.as_tensor(whole.items))})
        samples = Samples(items, whole.labels, model.modality)
    else:
        assert isinstance(strategies, OfRows)
        made = [strategies.frame(label, int(k), 0) for label, k in enumerate(wanted) if k]
        samples = Samples(model.modality.concatenate([strategies.train, *made]), None, model.modality)
    samples.save(out, force)
    return len(labels), int(wanted.sum())


def _learnt(name: str) -> str:
    return "real items" if name == "nothing" else f"and {name}"


def _shown(values: Sequence[float]) -> str:
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")
