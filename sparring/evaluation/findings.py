"""Problems of samples that the metrics show, by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from sparring.evaluation.reference import Reference
from sparring.evaluation.statistics import SampleStatistics
from sparring.metrics.advice import untried
from sparring.metrics.results import Finding, Number

MIN_DIVERSITY = 0.5  # relative to the data; below it, samples are too similar
MIN_COVERAGE = 0.7  # relative to that of real data; three different samples of each class have 0.65
MAX_COPIES = 0.1  # share of near-copies, in addition to twice that of held-out items
MIN_CLASS_SHARE = 0.2  # relative to the share in the data; below it, a class is missing
MIN_EXPECTED = 10  # expected samples of a class; with fewer it is not reported as missing
MIN_SHARPNESS, MAX_SHARPNESS = 0.7, 1.5  # relative to the data
MAX_CLASSES = 5  # missing classes that are listed by name


def findings(
    reference: Reference, samples: SampleStatistics, numbers: Sequence[Number], fields: Mapping[str, object]
) -> list[Finding]:
    """Problems of evaluated samples; an empty list if nothing stands out.

    Args:
        fields: names and values of the fields of the recipe that they come from; {} if there is none.
    """
    value, floor, baseline = (
        {number.name: number.value for number in column} for column in (numbers, reference.floor, reference.baseline)
    )
    collapsed = _collapsed(value)
    missing = [] if collapsed else _missing_classes(reference, samples, fields)
    distant = _worse(value, baseline) or ([] if collapsed else _uncovered(value, floor))
    return [*distant, *collapsed, *missing, *_copied(value, floor, fields), *_unsharp(value)]


def _advice(help: str, setting: str, fields: Mapping[str, object]) -> str:
    """What helps, and a setting that helps too if the recipe has it and was not trained with it."""
    return ", or with ".join([help, *untried([setting], fields)])


def _worse(value: Mapping[str, float], baseline: Mapping[str, float]) -> list[Finding]:
    """Samples that are worse than those of the baseline by their distance, precision and coverage, in any features. One
    metric is not enough: a normal distribution has the mean and the covariance of the data by construction.
    """
    for name in (name for name in value if name.startswith("fid[")):
        precision, coverage = name.replace("fid", "precision"), name.replace("fid", "coverage")
        low = all(value[n] < baseline.get(n, -math.inf) for n in (precision, coverage))
        if low and value[name] > baseline.get(name, math.inf):
            shown = ", ".join(f"{n} {value[n]:.3g} and {baseline[n]:.3g}" for n in (name, precision, coverage))
            evidence = f"samples and a normal distribution: {shown}"
            return [Finding("worse than the baseline", evidence, "train longer, or with another recipe")]
    return []


def _uncovered(value: Mapping[str, float], floor: Mapping[str, float]) -> list[Finding]:
    """Samples that resemble too few of the real items, in any features, although they differ from one another."""
    covered = {name: v / floor[name] for name, v in value.items() if name.startswith("coverage[") and floor.get(name)}
    name = min(covered, key=lambda name: covered[name], default="")
    if not name or not covered[name] < MIN_COVERAGE:
        return []
    evidence = f"{name} {value[name]:.2f}, real data {floor[name]:.2f}"
    return [Finding("low coverage", evidence, "train longer, with R1 and R2 or packing, or with another recipe")]


def _collapsed(value: Mapping[str, float]) -> list[Finding]:
    """Samples that are too similar within a class or in total. Features that only separate classes do not show the
    former.
    """
    names = [n for n in value if n.startswith(("diversity[", "class_diversity["))]
    worst = min(names, key=lambda name: 9.0 if math.isnan(value[name]) else value[name], default=None)
    if worst is None or not value[worst] < MIN_DIVERSITY:
        return []
    evidence = f"{worst} {value[worst]:.2f}, real data 1"
    advice = "train with R1 and R2 or a gradient penalty, packing, or a lower learning rate"
    return [Finding("mode collapse", evidence, advice)]


def _missing_classes(reference: Reference, samples: SampleStatistics, fields: Mapping[str, object]) -> list[Finding]:
    if reference.classifier is None:
        return []
    real = reference.real_statistics.counts.double() / max(1, reference.real_statistics.n)
    own = samples.counts.double() / max(1, samples.n)
    missing = [
        i for i in range(len(real)) if own[i] < MIN_CLASS_SHARE * real[i] and real[i] * samples.n >= MIN_EXPECTED
    ]
    if not missing:
        return []
    names = reference.real.modality.classes
    listed = ", ".join(f"{names[i]} {own[i]:.1%}, real data {real[i]:.1%}" for i in missing[:MAX_CLASSES])
    more = f", and {len(missing) - MAX_CLASSES} more" if len(missing) > MAX_CLASSES else ""
    return [Finding("missing classes", listed + more, _advice("train longer", "labels=true", fields))]


def _copied(value: Mapping[str, float], floor: Mapping[str, float], fields: Mapping[str, object]) -> list[Finding]:
    near, usual = value.get("near_copy_share", 0.0), floor.get("near_copy_share", 0.0)
    if not near > MAX_COPIES + 2 * (0.0 if math.isnan(usual) else usual):
        return []
    evidence = f"{near:.1%} of the samples are near-copies of training items, held-out items {usual:.1%}"
    return [Finding("copies", evidence, _advice("train on more data, for fewer steps", "augment=ada", fields))]


def _unsharp(value: Mapping[str, float]) -> list[Finding]:
    sharpness = value.get("sharpness", 1.0)
    evidence = f"sharpness {sharpness:.2f}, real data 1"
    if sharpness < MIN_SHARPNESS:
        return [Finding("blurred", evidence, "train longer, or with a wider network")]
    if sharpness > MAX_SHARPNESS:
        return [Finding("noisy", evidence, "train longer, or look for a checkerboard pattern")]
    return []
