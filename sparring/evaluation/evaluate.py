"""`evaluate(run)` says how good a model's samples are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from sparring.console import Screen
from sparring.devices import resolve
from sparring.errors import InputError
from sparring.evaluation.features import chosen
from sparring.evaluation.findings import findings
from sparring.evaluation.paths import against_paths, judged_paths
from sparring.evaluation.real import Real, read
from sparring.evaluation.reference import MOST, Reference
from sparring.evaluation.rows import against_rows, judged_rows
from sparring.evaluation.statistics import KEPT
from sparring.evaluation.translated import against_pictures, judged_pictures
from sparring.metrics.results import Evaluation
from sparring.modalities import find
from sparring.model import Model, load

# Kinds that are judged by numbers of their own: what holds them against data, and what judges with it.
AS_THEY_ARE: dict[str, tuple[Callable[..., Any], Callable[..., Evaluation]]] = {
    "rows": (against_rows, judged_rows),
    "series": (against_paths, judged_paths),
    **dict.fromkeys(("pairs", "unpaired", "degraded"), (against_pictures, judged_pictures)),
}
SAMPLES = 10_000
FEWEST = 6


def evaluate(
    model: str | Path | Model,
    against: str | Path | None = None,
    samples: int | None = None,
    features: Sequence[str] = (),
    device: str = "auto",
    seed: int = 0,
    quiet: bool = True,
) -> Evaluation:
    """Hold a model's samples against real data.

    Args:
        model: a model, or the folder of a run.
        against: the name or the path of the data; those that it was trained on unless given.
        samples: how many to judge, at least 6; 10,000, or a third of the data where these are fewer, unless
            given.
        features: by name, as `sparring.judge.chosen` takes them.
        device: where samples and features are computed.
        seed: of the samples.
        quiet: print nothing.

    Raises:
        InputError: where the data cannot be found, are of another kind, or too few.
    """
    place, screen = resolve(device), Screen(quiet)
    with torch.random.fork_rng():
        trained = model if isinstance(model, Model) else load(model, str(place))
        kind = trained.modality.kind
        if kind in AS_THEY_ARE:
            held_against, judge = AS_THEY_ARE[kind]
            unseen = None if against is None else str(against)
            if trained.modality.source is not None:
                held_against = partial(held_against, features=features)
            elif features:
                raise InputError(
                    f"features {features[0]!r} are not for {kind}, which are judged as they are; leave them out"
                )
            return judge(trained, held_against(trained, unseen, screen), samples, seed, screen)
        data = str(against or trained.about["data"])
        items = find(data)
        with screen.progress(f"reading {data}") as progress:
            real, notes = read(trained.modality, items, progress)
        if against is None and len(items) != trained.about["items"]:
            notes.append(
                f"{data} had {trained.about['items']:,} {items.kind} when the model was trained and has {len(items):,} "
                "now: what counts as held out may have been trained on"
            )
        for note in notes:
            screen.say(note)
        n = many(real, samples)
        return judged(trained, against_of(real, n, features, place, screen), n, seed, screen)


def many(real: Real, samples: int | None) -> int:
    """How many samples are judged: as many as were asked for, or 10,000, or a third of the data.

    Raises:
        InputError: where too few were asked for.
    """
    if samples is None:
        return min(SAMPLES, (len(real.data.train) + len(real.data.held)) // 3)
    if samples < FEWEST:
        raise InputError(f"{samples} samples cannot be judged; ask for at least {FEWEST}")
    return samples


def against_of(real: Real, n: int, features: Sequence[str], device: torch.device, screen: Screen) -> Reference:
    """What holds n samples against a real set, in these features or in the usual ones."""
    with screen.progress("training a classifier of the data") as progress:
        found, classifier = chosen(features, real, n, progress)
    return Reference(real, found, classifier, n, device, screen.say)


def judged(model: Model, against: Reference, n: int, seed: int, screen: Screen) -> Evaluation:
    """An evaluation of n samples."""
    floor, baseline = against.floor, against.baseline
    seen = against.seen()
    with screen.progress(f"judging {n:,} samples") as progress:
        for x, labels in model.stream(n, seed=seed):
            seen.add(x, labels)
            progress(seen.n, n)
    numbers = against.numbers(seen)
    return Evaluation(
        data=against.real.name,
        protocol=protocol(against, n),
        samples=n,
        real=len(against.apart),
        numbers=tuple(numbers),
        floor=tuple(floor),
        baselines={"baseline": baseline},
        findings=tuple(findings(against, seen, numbers)),
    )


def protocol(against: Reference, n: int) -> str:
    """How samples are judged, in a sentence."""
    real, others = against.real, len(against.apart)
    total = f" of {len(real.data.train):,}" if len(against.rows) == MOST < len(real.data.train) else ""
    unseen = min(len(real.data.held), others)
    held = "of its held-out part" if unseen == others else f"{unseen:,} of its held-out part"
    each = " for each class" if real.modality.classes else ""
    return (
        f"{n:,} samples against {len(against.rows):,}{total} {real.modality.kind} of {real.name}'s training part; "
        f"real: {others:,} others, {held}; baseline: as many draws of a normal distribution along 64 principal "
        f"directions{each}; pairs are of the first {KEPT:,}"
    )
