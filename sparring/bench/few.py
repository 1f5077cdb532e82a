"""A hundred pictures, with and without augmentation."""

from __future__ import annotations

from functools import lru_cache

from sparring.bench.table import Column, Numbers, Plan, Row, Table
from sparring.data import find
from sparring.evaluation.evaluate import against_of
from sparring.judge import Against, Number, read
from sparring.modalities import Images
from sparring.model import Model
from sparring.training.devices import resolve
from sparring.training.screen import Screen

DATA = "grocery/Pepper"
SAMPLES = 1000
ERROR = "its error"


@lru_cache
def _against(device: str, screen: Screen) -> Against:
    items = find(DATA)
    real, _ = read(Images().fit(items), items)
    return against_of(real, SAMPLES, (), resolve(device), screen)


def _shown(numbers: list[Number]) -> Numbers:
    known = {number.name: number for number in numbers}
    return {
        "kid[patches]": known["kid[patches]"].value,
        ERROR: known["kid[patches]"].error,
        "coverage[patches]": known["coverage[patches]"].value,
        "diversity[patches]": known["diversity[patches]"].value,
        "near copies": known["near copies"].value,
    }


def _measure(model: Model, device: str, screen: Screen) -> Numbers:
    against = _against(device, screen)
    return _shown(against.numbers(against.seen().all(model.drawn(SAMPLES, seed=0)))) | {"samples/s": model.speed}


def _ideal(device: str, screen: Screen) -> Numbers:
    return _shown(_against(device, screen).floor)


GROCERY = Table(
    name="grocery",
    title="A hundred pictures of peppers",
    protocol=(
        f"The 112 pictures of one class of the grocery store set, 64 pixels. {SAMPLES:,} samples are held against 75 "
        "of them; real data: the 37 others, 11 of which were not trained on, in the samples' place. [What the numbers "
        "are](../judging.md); the kernel distance, unlike the Fréchet distance, has no bias for so few."
    ),
    data=DATA,
    columns=(
        Column("kid[patches]", ".5f"),
        Column(ERROR, ".5f"),
        Column("coverage[patches]", ".1%"),
        Column("diversity[patches]", ".2f"),
        Column("near copies", ".1%"),
        Column("samples/s", ",.0f"),
    ),
    published=(),
    rows=(
        Row("fastgan"),
        Row("fastgan", {"augment": "none"}, "without augmentation"),
        Row("r3gan_strided", {"augment": "ada"}, "the default on a CPU for so few"),
        Row("r3gan_strided", {"augment": "none"}, "without augmentation"),
    ),
    plans={"cpu": Plan(1, {"time": "10m"}), "gpu": Plan(3, {"time": "10m"})},
    measure=_measure,
    ideal=_ideal,
)
