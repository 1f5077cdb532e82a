"""What numbers say is wrong with samples, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

from sparring.evaluation.reference import Reference
from sparring.evaluation.statistics import SampleStatistics
from sparring.metrics.results import Finding, Number

COLLAPSED = 0.5  # of the data's diversity, below which samples are too much alike
COPIED = 0.1  # of the samples are near-copies, beyond twice the share of held-out items
DROPPED = 0.2  # of a class's share in the data, below which it is missing
EXPECTED = 10  # samples of a class there should be, for one to say that it is missing
BLURRED = 0.7  # of the data's sharpness
NOISY = 1.5
NAMED = 5  # classes


def findings(against: Reference, seen: SampleStatistics, numbers: Sequence[Number]) -> list[Finding]:
    """What is wrong with samples that have been judged; nothing where nothing stands out."""
    value = {number.name: number.value for number in numbers}
    floor = {number.name: number.value for number in against.floor}
    collapsed = _collapsed(value)
    dropped = [] if collapsed else _dropped(against, seen)
    return [*collapsed, *dropped, *_copied(value, floor), *_unsharp(value)]


def _collapsed(value: Mapping[str, float]) -> list[Finding]:
    """Where samples are too much alike, of one class or all in all; features that tell little but classes
    do not see the former.
    """
    names = [n for n in value if n.startswith(("diversity[", "class diversity["))]
    worst = min(names, key=lambda name: 9.0 if isnan(value[name]) else value[name], default=None)
    if worst is None or not value[worst] < COLLAPSED:
        return []
    seen = f"{worst} {value[worst]:.2f}, of real ones 1"
    return [
        Finding("mode collapse", seen, "train with R1 and R2 or a gradient penalty, packing, or a lower learning rate")
    ]


def _dropped(against: Reference, seen: SampleStatistics) -> list[Finding]:
    if against.classifier is None:
        return []
    real = against.reference.counts.double() / max(1, against.reference.n)
    own = seen.counts.double() / max(1, seen.n)
    missing = [i for i in range(len(real)) if own[i] < DROPPED * real[i] and real[i] * seen.n >= EXPECTED]
    if not missing:
        return []
    shown = ", ".join(f"{against.real.modality.classes[i]} {own[i]:.1%} of {real[i]:.1%}" for i in missing[:NAMED])
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    return [Finding("classes are missing", shown + more, "train with labels=true, longer, or with R1 and R2")]


def _copied(value: Mapping[str, float], floor: Mapping[str, float]) -> list[Finding]:
    near, usual = value.get("near copies", 0.0), floor.get("near copies", 0.0)
    if not near > COPIED + 2 * (0.0 if isnan(usual) else usual):
        return []
    seen = f"{near:.1%} are near-copies of what was trained on, of held-out items {usual:.1%}"
    return [Finding("copies", seen, "train with augment=ada, more data, or fewer steps")]


def _unsharp(value: Mapping[str, float]) -> list[Finding]:
    sharpness = value.get("sharpness", 1.0)
    if BLURRED <= sharpness <= NOISY:
        return []
    if sharpness < BLURRED:
        return [Finding("blurred", f"sharpness {sharpness:.2f}, of real ones 1", "train longer, or with a wider net")]
    return [Finding("noisy", f"sharpness {sharpness:.2f}, of real ones 1", "train longer, or look for a checkerboard")]
