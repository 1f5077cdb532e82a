"""A sheet of what a discriminator looks at."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sparring.explore.saliency import gradient, occlusion, patches
from sparring.explore.scene import Scene, Sheet
from sparring.nets.discriminator import Discriminator
from sparring.sheets import sheet

WARM, COLD = (255, 96, 0), (0, 128, 255)
DIMMED = 0.6  # brightness of an image under a map
HOTTEST = 0.98  # quantile of a map's absolute values from which its color is strongest

Group = tuple[Tensor, Tensor | None]


def saliency_sheet(scene: Scene, D: Discriminator, samples: Group, real: Group) -> Sheet:
    """Samples, and below them real images, each with maps of what D looks at.

    Args:
        samples, real: images (n, c, h, w) as networks see them, and the conditions that D judges them with.
    """
    maps = [patches(D, *group) for group in (samples, real)]
    present = [m for m in maps if m is not None]
    mean = torch.cat(present).mean() if present else torch.zeros(())
    rows = []
    for (x, condition), patch in zip((samples, real), maps, strict=True):
        images = _gray(scene, x)
        rows += [images, heatmap(images, gradient(D, x, condition)), heatmap(images, occlusion(D, x, condition))]
        if patch is not None:
            enlarged = F.interpolate((patch - mean)[:, None], x.shape[2:], mode="nearest")[:, 0]
            rows.append(heatmap(images, enlarged))
    caption = (
        f"what D looks at, in samples and below in {scene.held_words}. First the image; then how fast the logit "
        "changes with each pixel; then what makes the image more real to D (orange) or less (blue), by covering it"
    )
    if present:
        caption += "; then the logits of its patches: above their mean in orange, below it in blue"
    columns = max(len(samples[0]), len(real[0]))
    full = [np.pad(row, ((0, columns - len(row)), (0, 0), (0, 0), (0, 0)), constant_values=255) for row in rows]
    return Sheet("saliency", caption, sheet(np.concatenate(full), columns))


def heatmap(images: NDArray[np.uint8], values: Tensor) -> NDArray[np.uint8]:
    """Maps (n, h, w) over images (n, h, w, 3): orange above 0, blue below, stronger for larger values. Each map has its
    own scale.
    """
    sizes = values.abs().flatten(1)
    strongest = sizes.quantile(HOTTEST, dim=1).clamp(min=1e-12)
    strongest = torch.where(strongest > 1e-3 * sizes.amax(1), strongest, sizes.amax(1)).clamp(min=1e-12)
    share = (values / strongest[:, None, None]).clamp(-1, 1)[..., None].cpu().numpy()
    color = np.where(share > 0, np.array(WARM), np.array(COLD))
    blended: NDArray[np.uint8] = (images * DIMMED * (1 - np.abs(share)) + color * np.abs(share)).astype(np.uint8)
    return blended


def _gray(scene: Scene, x: Tensor) -> NDArray[np.uint8]:
    """Images as networks see them, in gray on three channels, (n, h, w, 3), alpha on white."""
    pixels: NDArray[np.floating] = scene.pixels(x).astype(np.float64)
    if pixels.shape[-1] == 4:
        alpha = pixels[..., 3:] / 255
        pixels = pixels[..., :3] * alpha + 255 * (1 - alpha)
    gray: NDArray[np.uint8] = pixels.mean(-1, keepdims=True).repeat(3, -1).astype(np.uint8)
    return gray
