"""Scores of methods that generate images from given images: of a model, and of baselines that need no training."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import nan
from statistics import mean
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.metrics import image_pairs
from sparring.metrics.kernel import kernel_distance
from sparring.metrics.patches import patches
from sparring.metrics.results import Finding, Number

if TYPE_CHECKING:
    from sparring.modalities.translation.translation import Translation

Distance = Callable[[Tensor, Tensor], Tensor]  # (n, channels, h, w) in [-1, 1], twice -> (n,)
Method = Callable[[Tensor], Tensor]  # given (1, given, h, w) -> generated (1, channels, times h, times w), in [-1, 1]
MIN_SSIM_SIDE = 11  # pixels of a side that SSIM needs
MAX_CROPS = 16  # crops of each image whose features are compared
MAX_PSNR = 100.0  # dB, of images without an error
BINARY_SHARE = 0.98  # share of pixels near black or white from which images count as binary
MAX_SPECTRAL_DISTANCE = 0.5  # decades of power on average from which images are too smooth or too rough
MAX_SHOWN = 6  # images on the comparison sheet,
SHOWN_SIDE = 160  # and the pixels of a side that are shown of them
HIGH = {"psnr", "ssim", "lr_psnr", "iou"}  # metrics of which high values are best


@dataclass
class Scores:
    """Scores of one method.

    Attributes:
        values: of each image, by the name of the metric.
        features: of random crops.
        shown: center of the first images.
    """

    values: dict[str, list[float]] = field(default_factory=dict)
    features: list[Tensor] = field(default_factory=list)
    shown: list[Tensor] = field(default_factory=list)

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)


def is_binary(images: Tensor) -> bool:
    """True if images in [-1, 1] are black and white."""
    return bool((images.abs() > 0.9).float().mean() > BINARY_SHARE)


def score(
    modality: Translation,
    examples: Iterable[tuple[Tensor, Tensor]],
    methods: Mapping[str, Method],
    distances: Mapping[str, Distance] = MappingProxyType({}),
) -> tuple[dict[str, Scores], int]:
    """Compare methods with the targets.

    Args:
        examples: given images and targets, from `Translation.examples`.
        methods: by name; the baselines of the modality are added.
        distances: further metrics of two images, by name: LPIPS, DISTS.

    Returns:
        Scores by name, those of the targets as "real" and of the given images as "given"; and the number of images.
    """
    scores = {name: Scores() for name in methods}
    real, given_scores, count, binary = Scores(), Scores(), 0, False
    for given, target in examples:
        if not count:
            binary = modality.paired and is_binary(target)
            methods = {**methods, **modality.baselines(target)}
            scores |= {name: Scores() for name in methods if name not in scores}
        _record(real, modality, target, [count, 1])
        if count < MAX_SHOWN:
            given_scores.shown.append(_center(given, modality.times))
        for name, method in methods.items():
            generated = method(given).clamp(-1, 1)
            for metric, value in _metrics(modality, given, generated, target, binary):
                scores[name].add(metric, value)
            for metric, distance in distances.items() if modality.paired else ():
                scores[name].add(metric, float(distance(generated, target)))
            _record(scores[name], modality, generated, [count, 0])
        count += 1
    return {**scores, "real": real, "given": given_scores}, count


def _record(scores: Scores, modality: Translation, x: Tensor, seed: list[int]) -> None:
    """Record features of random crops of an image, and its center for the sheet."""
    side = modality.size
    missing = [max(0, side - length) for length in x.shape[-2:]]
    large = F.pad(x, (0, missing[1], 0, missing[0]), mode="replicate")
    height, width = large.shape[-2:]
    count = max(1, min(MAX_CROPS, height * width // side**2))
    corners = np.random.default_rng(seed).integers((height - side + 1, width - side + 1), size=(count, 2))
    crops = torch.cat([large[..., top : top + side, left : left + side] for top, left in corners.tolist()])
    scores.features.append(patches(crops))
    if len(scores.shown) < MAX_SHOWN:
        scores.shown.append(_center(x, 1))


def _center(x: Tensor, times: int) -> Tensor:
    """The center of an image of which one pixel is shown as `times` pixels."""
    height, width = (min(side, SHOWN_SIDE // times) for side in x.shape[-2:])
    top, left = (x.shape[-2] - height) // 2, (x.shape[-1] - width) // 2
    return x[0, :, top : top + height, left : left + width]


def _metrics(
    modality: Translation, given: Tensor, generated: Tensor, target: Tensor, binary: bool
) -> Iterator[tuple[str, float]]:
    """Metrics of one image. PSNR and SSIM of enlarged images are computed for Y without a border, as in papers."""
    if not modality.paired:
        return
    a, b = (((x + 1) * 127.5).round() for x in (generated, target))
    if binary:
        bright = b > 127.5
        rare = bool(bright.float().mean() < 0.5)  # IoU of the rarer of black and white
        yield "iou", float(image_pairs.iou((a > 127.5) == rare, bright == rare))
    times = modality.times
    y = [
        image_pairs.cropped(image_pairs.luma(x) if uses_luma(modality) else x, times if times > 1 else 0)
        for x in (a, b)
    ]
    yield "psnr", min(MAX_PSNR, float(image_pairs.psnr(*y)))
    if min(y[0].shape[-2:]) >= MIN_SSIM_SIDE:
        yield "ssim", float(image_pairs.ssim(*y))
    if modality.masked:
        hole = (given[:, -1:] > 0).expand_as(a)
        yield "mae[holes]", float((a - b).abs()[hole].mean()) if hole.any() else nan
    else:
        yield "mae", float((a - b).abs().mean())
    yield "spectral_distance", image_pairs.spectrum_distance(a, b)
    if modality.downscale is not None:
        again = modality.downscale(generated)
        yield "lr_psnr", min(MAX_PSNR, float(image_pairs.psnr((again + 1) * 127.5, (given + 1) * 127.5)))


def uses_luma(modality: Translation) -> bool:
    """True if PSNR and SSIM are computed for the Y channel: for enlarged color images, as in papers."""
    return modality.times > 1 and modality.channels == 3


def psnr_name(modality: Translation) -> str:
    """Name of the metric PSNR, with the channel that it is computed for."""
    return f"psnr{'[Y]' if uses_luma(modality) else ''}"


def numbers(scores: Scores, real: Scores, modality: Translation) -> list[Number]:
    """Means over the images, and the kernel distance of the crops."""
    channel = "[Y]" if uses_luma(modality) else ""
    names = {"psnr": f"psnr{channel}", "ssim": f"ssim{channel}"}
    means = []
    for name, values in scores.values.items():
        finite = [value for value in values if np.isfinite(value)]
        error = float(np.std(finite, ddof=1) / len(finite) ** 0.5) if len(finite) > 1 else nan
        average = mean(finite) if finite else nan
        means.append(Number(names.get(name, name), average, "high" if name in HIGH else "low", error))
    generated, targets = torch.cat(scores.features), torch.cat(real.features)
    distance = kernel_distance(_shuffled(generated, 1), _shuffled(targets, 2))
    return [*means, Number("kid[patches]", distance.value, "low", distance.error)]


def floor(real: Scores) -> list[Number]:
    """Kernel distance of two halves of the real crops."""
    features = _shuffled(torch.cat(real.features), 3)
    if len(features) < 4:
        return []
    one, other = features.chunk(2)
    distance = kernel_distance(one, other)
    return [Number("kid[patches]", distance.value, "low", distance.error)]


def _shuffled(x: Tensor, seed: int) -> Tensor:
    return x[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))]


def findings(samples: list[Number], baselines: Mapping[str, list[Number]]) -> list[Finding]:
    """Problems: images that are worse than those of a baseline by every metric, or far smoother or rougher than the
    targets.
    """
    own = {n.name: n for n in samples}
    found = []
    for name, theirs in baselines.items():
        shared = [n for n in theirs if n.name in own and n.name != "lr_psnr"]
        if shared and all(_is_worse(own[n.name].value, n) for n in shared):
            found.append(Finding(f"worse than {name}", f"by {', '.join(n.name for n in shared)}", "train longer"))
    spectrum = own["spectral_distance"].value if "spectral_distance" in own else 0.0
    if spectrum > MAX_SPECTRAL_DISTANCE:
        evidence = f"the power of fine and coarse details is off by {spectrum:.2f} decades on average"
        found.append(Finding("too smooth, or too rough", evidence, "train longer"))
    return found


def _is_worse(value: float, than: Number) -> bool:
    return value < than.value if than.best == "high" else value > than.value
