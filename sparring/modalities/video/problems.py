"""Problems of clips that their metrics show, and what to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan

from sparring.metrics.advice import untried
from sparring.metrics.results import Finding, Number

TIMES_FLOOR, SHARE_OFF, OFF = 2.0, 0.15, 0.2  # deviations from real clips that stand out


@dataclass(frozen=True)
class Problem:
    """What it means if a metric is unlike that of real clips.

    Attributes:
        name: of the problem.
        help: what helps, whatever the recipe.
        settings: of some recipes that help too, FIELD=VALUE, and how they are advised.
    """

    name: str
    help: str = "train longer"
    settings: Mapping[str, str] = field(default_factory=dict)

    def advice(self, fields: Mapping[str, object]) -> str:
        """What to change.

        Args:
            fields: names and values of the recipe's fields; {} if there is no recipe.
        """
        return "".join([self.help, *(f", or with {self.settings[one]}" for one in untried(self.settings, fields))])


MORE_FRAMES = {"judged=4": "more judged frames (judged=4)"}
# By the name of a metric, with or without the features in brackets.
PROBLEMS = {
    "frechet": Problem("frames are unlike those of real clips", settings={"width=64": "wider nets (width=64)"}),
    "frechet[changes]": Problem("changes from frame to frame are unlike those of real clips", settings=MORE_FRAMES),
    "conditional_accuracy": Problem("clips do not show their class"),
    "is": Problem("clips between classes, or missing classes"),
    "forward_share": Problem("the order of frames is unlike that of real clips"),
    "motion_amount": Problem("too much or too little motion", settings=MORE_FRAMES),
    "straightness": Problem("motion is unlike that of real clips", settings=MORE_FRAMES),
    "identity_drift": Problem("what is shown changes within a clip", settings={"motion=N": "a lower motion=N"}),
    "near_copy_share": Problem("copies", "train on more films, or for fewer steps"),
}


def findings(numbers: list[Number], floor: list[Number], fields: Mapping[str, object]) -> list[Finding]:
    """Problems of clips; [] if nothing stands out.

    Args:
        numbers, floor: metrics of the clips and of real ones.
        fields: names and values of the fields of the recipe that they come from; {} if there is none.
    """
    real = {number.name: number for number in floor}
    found = []
    for number in deviating(numbers, floor):
        problem = PROBLEMS.get(number.name) or PROBLEMS[number.name.partition("[")[0]]
        evidence = f"{number.name} {number}; real {real[number.name]}"
        found.append(Finding(problem.name, evidence, problem.advice(fields)))
    return found


def deviating(numbers: list[Number], floor: list[Number]) -> list[Number]:
    """The metrics that are unlike those of real clips: Fréchet distances of more than twice the floor's, shares that
    are 15 percentage points off, and other values that are a fifth off. Kernel distances of real clips are about 0, and
    none is more than twice that of another.
    """
    real = {number.name: number.value for number in floor}
    found = []
    for number in numbers:
        value, usual = number.value, real[number.name]
        if number.name.startswith("kernel"):
            continue
        if isnan(value) or isnan(usual):
            off = isnan(value) and not isnan(usual)
        elif number.best == "low":
            off = value > TIMES_FLOOR * usual
        elif number.best == "high" and not number.share:
            off = value < (1 - OFF) * usual
        elif number.name == "near_copy_share" or number.best == "high":
            off = (value - usual) * (-1 if number.best == "high" else 1) > SHARE_OFF
        elif number.share:
            off = abs(value - usual) > SHARE_OFF
        else:
            off = abs(value - usual) > OFF * abs(usual)
        found += [number] if off else []
    return found
