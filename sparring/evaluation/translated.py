"""How good the pictures are that a model makes of given ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from sparring.console import Screen
from sparring.data import Items
from sparring.data.store import Progress
from sparring.errors import InputError, nearest
from sparring.metrics.results import Evaluation
from sparring.modalities import Translation, find
from sparring.modalities.translation.scores import Method as Restored
from sparring.modalities.translation.scores import Scores, findings, floor, numbers
from sparring.modalities.translation.scores import score as judge
from sparring.modalities.translation.scores import uses_luma as in_brightness
from sparring.model import Model
from sparring.nets import pretrained as weights
from sparring.nets.tiles import Mapper, as_bytes, mapped

PLAIN = "without D"  # the net of the first phase
HEAD = 14  # pixels of a line that names columns


@dataclass(frozen=True)
class TranslationReference:
    """Given pictures and true ones.

    Attributes:
        items: that they are among.
        apart: whether only those that a model trained on these items has not seen are judged by.
        name: of the items.
        distances: further numbers, of `weights.DISTANCES`.
    """

    items: Items
    apart: bool
    name: str
    distances: tuple[str, ...] = ()

    def examples(self, modality: Translation) -> Iterator[tuple[Tensor, Tensor]]:
        return modality.examples(self.items, self.apart)


def against_pictures(
    model: Model, data: str | None, screen: Screen, features: Sequence[str] = ()
) -> TranslationReference:
    """What a model's pictures are held against: those that were held out of what it was trained on, or others.

    Args:
        features: further numbers, by name: lpips, dists.

    Raises:
        InputError: where there are none.
    """
    for name in features:
        if name not in weights.DISTANCES:
            raise InputError(f"features {name!r} are not for pictures of pictures; {nearest(name, weights.DISTANCES)}")
        weights.distance(name)
    source = data or str(model.about["data"])
    items = find(source)
    for note in items.notes:
        screen.say(note)
    if items.kind != "images":
        raise InputError(f"{source!r} holds {items.kind}, but the model takes pictures; give some")
    return TranslationReference(items, data is None, items.name, tuple(features))


def judged_pictures(
    model: Model,
    against: TranslationReference,
    samples: int | None,
    seed: int,  # noqa: ARG001 (nothing is drawn)
    screen: Screen,
) -> Evaluation:
    """An evaluation of what a model makes of given pictures.

    Args:
        samples: how many pictures, at most; all unless given.

    Raises:
        InputError: where there are too few.
    """
    modality = model.modality
    assert isinstance(modality, Translation)
    ways: dict[str, Restored] = {"samples": by(model.mapper())}
    if getattr(model.game, "plain", None) is not None:
        ways[PLAIN] = by(model.mapper(sharpness=0.0))
    with screen.progress("judging pictures") as progress:
        examples = _some(against.examples(modality), samples, progress)
        found, count = judge(modality, examples, ways, {name: weights.distance(name) for name in against.distances})
    if count < 2:
        raise InputError(
            f"{against.name!r} has {count} pictures that the model has not seen (of fewer than 20 none is held out); "
            "judging needs two: give --against DATA"
        )
    made = {name: scores for name, scores in found.items() if name not in ("real", "given")}
    told = {name: numbers(scores, found["real"], modality) for name, scores in made.items()}
    others = {name: told[name] for name in sorted(told, key=PLAIN.__eq__) if name != "samples"}
    return Evaluation(
        data=against.name,
        protocol=protocol(modality, count, against),
        samples=count,
        real=count,
        numbers=tuple(told["samples"]),
        floor=tuple(floor(found["real"])),
        baselines=others,
        findings=tuple(findings(told["samples"], {n: v for n, v in others.items() if n != PLAIN})),
        picture=picture(found, modality),
    )


def by(mapper: Mapper) -> Restored:
    """A model's way to make pictures."""

    def made(given: Tensor) -> Tensor:
        return torch.cat(list(mapped(mapper, as_bytes(given[0]))), 1)[None]

    return made


def _some(
    examples: Iterator[tuple[Tensor, Tensor]], most: int | None, progress: Progress
) -> Iterator[tuple[Tensor, Tensor]]:
    for i, example in enumerate(examples):
        if most is not None and i >= most:
            return
        yield example
        progress(i + 1, most or i + 2)  # how many there are is known in the end only


def protocol(modality: Translation, count: int, against: TranslationReference) -> str:
    """How pictures are judged, in a sentence."""
    which = "that were held out of training" if against.apart else f"of {against.name}"
    parts = [f"means over {count:,} whole pictures {which}, with standard errors"]
    if modality.times > 1:
        of = "of the Y channel " if in_brightness(modality) else ""
        parts.append(f"psnr and ssim {of}without {modality.times} pixels at the borders")
    if modality.true:
        parts.append("spectrum: difference of the logarithms of radially averaged power, in decades")
    if modality.masked:
        parts.append("error in holes: in grey levels of 255")
    parts.append("kid: of random squares of them, by fixed filters")
    return "; ".join(parts)


def picture(found: dict[str, Scores], modality: Translation) -> Image.Image:
    """The middles of some pictures: what is given, what is made of it in each way, and the truth."""
    others = [name for name in found if name not in ("given", "real", "samples")]
    names = ["given", *sorted(others, key=PLAIN.__eq__), "samples", "real"]
    if not modality.true:
        names = ["given", "samples"]
    times = [modality.times if name == "given" else 1 for name in names]
    small = max(found["real"].shown[0].shape[-2:]) < 64
    columns = [
        [_enlarged(x, modality, t * (3 if small else 1)) for x in found[name].shown]
        for name, t in zip(names, times, strict=True)
    ]
    side = max(max(x.size) for column in columns for x in column)
    width, height = len(names) * (side + 2), HEAD + len(columns[0]) * (side + 2)
    page = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(page)
    for i, (name, column) in enumerate(zip(names, columns, strict=True)):
        draw.text((i * (side + 2) + 2, 1), {"samples": "made", "real": "truth"}.get(name, name), "black")
        for j, x in enumerate(column):
            page.paste(x, (i * (side + 2), HEAD + j * (side + 2)))
    return page


def _enlarged(x: Tensor, modality: Translation, times: int) -> Image.Image:
    """A picture (c, h, w) in colour, so many times as large."""
    x = x[:-1] if modality.masked and x.shape[0] == modality.given else x
    shown = Image.fromarray(as_bytes(x.expand(3, -1, -1) if x.shape[0] == 1 else x[:3]))
    return shown.resize((shown.width * times, shown.height * times), Image.Resampling.NEAREST)
