"""Numbers of pictures that are made of given pictures, beside those of what needs no training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import nan
from statistics import mean
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.metrics import image_pairs as pictures
from sparring.metrics.kernel import kernel_distance
from sparring.metrics.patches import patches
from sparring.metrics.results import Finding, Number
from sparring.modalities.translation.degraded import Degraded
from sparring.modalities.translation.translation import Translation
from sparring.modalities.translation.baselines import identity, restorer, thresholded

Distance = Callable[[Tensor, Tensor], Tensor]  # (n, channels, h, w) in [-1, 1], twice -> (n,)
Restored = Callable[[Tensor], Tensor]  # given (1, given, h, w) -> made (1, channels, times h, times w), in [-1, 1]
SMALLEST = 11  # pixels of a side that the similarity of structures needs
CUT = 16  # squares of each picture, at most, whose features are compared
PERFECT = 100.0  # dB, of pictures without an error
BINARY = 0.98  # of the pixels that are near black or white where pictures are of two kinds of places
OFF = 0.5  # decades of power, on the mean
SHOWN = 6  # pictures that are kept to be looked at, and
SIDE = 160  # pixels of a side that are shown


@dataclass
class Scores:
    """What is known of one way to make pictures: numbers of each picture by name, features of their squares, and a few
    to look at.
    """

    numbers: dict[str, list[float]] = field(default_factory=dict)
    features: list[Tensor] = field(default_factory=list)
    shown: list[Tensor] = field(default_factory=list)

    def add(self, name: str, value: float) -> None:
        self.numbers.setdefault(name, []).append(value)


def baselines(modality: Translation, true: Tensor) -> dict[str, Restored]:
    """What needs no training, by name, for given pictures like these.

    Args:
        true: pictures as they are to be, (n, channels, h, w).
    """
    if isinstance(modality, Degraded):
        name, plain = restorer(modality.chain, modality.channels)
        return {name: plain}
    if modality.true and binary(true):
        return {"threshold": lambda x: thresholded(x.mean(1, keepdim=True)).expand(-1, modality.channels, -1, -1)}
    return {"as given": identity} if modality.given == modality.channels else {}


def binary(true: Tensor) -> bool:
    """Whether pictures in [-1, 1] are black and white."""
    return bool((true.abs() > 0.9).float().mean() > BINARY)


def judge(
    modality: Translation,
    examples: Iterable[tuple[Tensor, Tensor]],
    ways: Mapping[str, Restored],
    distances: Mapping[str, Distance] = MappingProxyType({}),
) -> tuple[dict[str, Scores], int]:
    """Hold ways to make pictures against the truth.

    Args:
        examples: given pictures and true ones, as `Translation.examples` has them.
        ways: by name; further ones are added that need no training.
        distances: further numbers of two pictures, by name: LPIPS, DISTS.

    Returns:
        Scores by name, the truth's under "real" and what is given under "given"; and how many pictures there were.
    """
    found: dict[str, Scores] = {name: Scores() for name in ways}
    real, given_scores, count = Scores(), Scores(), 0
    two_kinds = False
    for given, true in examples:
        if not count:
            two_kinds = modality.true and binary(true)
            ways = {**ways, **baselines(modality, true)}
            found |= {name: Scores() for name in ways if name not in found}
        _note(real, modality, true, count, "real")
        if count < SHOWN:
            given_scores.shown.append(_middle(given, modality.times))
        for name, way in ways.items():
            made = way(given).clamp(-1, 1)
            for number, value in _numbers(modality, given, made, true, two_kinds):
                found[name].add(number, value)
            for number, distance in distances.items() if modality.true else ():
                found[name].add(number, float(distance(made, true)))
            _note(found[name], modality, made, count, "made")
        count += 1
    return {**found, "real": real, "given": given_scores}, count


def _note(scores: Scores, modality: Translation, x: Tensor, count: int, key: str) -> None:
    """Features of a picture's squares at places of their own, and its middle for people to look at."""
    side = modality.size
    missing = [max(0, side - length) for length in x.shape[-2:]]
    large = F.pad(x, (0, missing[1], 0, missing[0]), mode="replicate")
    height, width = large.shape[-2:]
    many = max(1, min(CUT, height * width // side**2))
    places = np.random.default_rng([count, key == "real"]).integers(
        (height - side + 1, width - side + 1), size=(many, 2)
    )
    squares = torch.cat([large[..., top : top + side, left : left + side] for top, left in places.tolist()])
    scores.features.append(patches(squares))
    if count < SHOWN:
        scores.shown.append(_middle(x, 1))


def _middle(x: Tensor, times: int) -> Tensor:
    """The middle of a picture, of which `times` pixels are one."""
    height, width = (min(side, SIDE // times) for side in x.shape[-2:])
    top, left = (x.shape[-2] - height) // 2, (x.shape[-1] - width) // 2
    return x[0, :, top : top + height, left : left + width]


def _numbers(
    modality: Translation, given: Tensor, made: Tensor, true: Tensor, two_kinds: bool
) -> Iterator[tuple[str, float]]:
    """Of one picture; Y, without a border, for enlarged ones, as papers have it."""
    if not modality.true:
        return
    a, b = (((x + 1) * 127.5).round() for x in (made, true))
    if two_kinds:
        bright = b > 127.5
        rare = bool(bright.float().mean() < 0.5)  # of the rarer kind of places
        yield "iou", float(pictures.iou((a > 127.5) == rare, bright == rare))
    times = modality.times
    y = [
        pictures.cropped(pictures.luma(x) if in_brightness(modality) else x, times if times > 1 else 0) for x in (a, b)
    ]
    yield "psnr", min(PERFECT, float(pictures.psnr(*y)))
    if min(y[0].shape[-2:]) >= SMALLEST:
        yield "ssim", float(pictures.ssim(*y))
    if modality.masked:
        hole = (given[:, -1:] > 0).expand_as(a)
        yield "error in holes", float((a - b).abs()[hole].mean()) if hole.any() else nan
    else:
        yield "error", float((a - b).abs().mean())
    yield "spectrum", pictures.spectrum_distance(a, b)
    if isinstance(modality, Degraded) and modality.degrade == (f"x{times}",):
        again = modality.chain(made)
        yield "consistency", min(PERFECT, float(pictures.psnr((again + 1) * 127.5, (given + 1) * 127.5)))


def in_brightness(modality: Translation) -> bool:
    """Whether nearness is that of brightness: of enlarged pictures in colour, as papers have it."""
    return modality.times > 1 and modality.channels == 3


def numbers(scores: Scores, real: Scores, modality: Translation) -> list[Number]:
    """Means over the pictures, and the kernel distance of squares."""
    best = {"psnr": "high", "ssim": "high", "consistency": "high", "iou": "high"}
    of = "[Y]" if in_brightness(modality) else ""
    named = {"psnr": f"psnr{of}", "ssim": f"ssim{of}"}
    found = []
    for name, values in scores.numbers.items():
        known = [value for value in values if np.isfinite(value)]
        error = float(np.std(known, ddof=1) / len(known) ** 0.5) if len(known) > 1 else nan
        told = mean(known) if known else nan
        found.append(Number(named.get(name, name), told, "high" if name in best else "low", error))
    ours, theirs = torch.cat(scores.features), torch.cat(real.features)
    distance = kernel_distance(_mixed(ours, 1), _mixed(theirs, 2))
    return [*found, Number("kid[patches]", distance.value, "low", distance.error)]


def floor(real: Scores) -> list[Number]:
    """Of real squares against others."""
    mixed = _mixed(torch.cat(real.features), 3)
    if len(mixed) < 4:
        return []
    one, other = mixed.chunk(2)
    distance = kernel_distance(one, other)
    return [Number("kid[patches]", distance.value, "low", distance.error)]


def _mixed(x: Tensor, seed: int) -> Tensor:
    return x[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))]


def findings(of: list[Number], others: Mapping[str, list[Number]]) -> list[Finding]:
    """What is wrong: pictures that are in every respect worse than those of what needs no training, or far smoother or
    rougher than true ones.
    """
    told = {n.name: (n.value, n.best) for n in of}
    found = []
    for name, theirs in others.items():
        worse = [n.name for n in theirs if n.name in told and n.name != "consistency" and _worse(told[n.name][0], n)]
        if worse and len(worse) == len([n for n in theirs if n.name in told and n.name != "consistency"]):
            found.append(Finding(f"worse than {name}", f"by {', '.join(worse)}", "train longer"))
    if told.get("spectrum", (0.0, ""))[0] > OFF:
        seen = f"the power of its fine and coarse parts is {told['spectrum'][0]:.2f} decades off"
        found.append(Finding("too smooth, or too rough", seen, "train longer"))
    return found


def _worse(value: float, than: Number) -> bool:
    return value < than.value if than.best == "high" else value > than.value
