"""Sheets of what a discriminator looks at."""

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
DIM = 0.6  # of a picture's brightness, below the heat
STRONG = 0.98  # the quantile of a map's sizes from which on it is at its hottest

Group = tuple[Tensor, Tensor | None]


def looked_at(scene: Scene, D: Discriminator, made: Group, real: Group) -> Sheet:
    """A sheet of samples, and below them of real pictures, each with maps of what D looks at.

    Args:
        made, real: pictures (n, c, h, w) as nets see them, and what D is told beside them.
    """
    maps = [patches(D, *group) for group in (made, real)]
    both = [m for m in maps if m is not None]
    middle = torch.cat(both).mean() if both else torch.zeros(())
    rows = []
    for (x, label), patch in zip((made, real), maps, strict=True):
        shown = _plain(scene, x)
        rows += [shown, heated(shown, gradient(D, x, label)), heated(shown, occlusion(D, x, label))]
        if patch is not None:
            whole = F.interpolate((patch - middle)[:, None], x.shape[2:], mode="nearest")[:, 0]
            rows.append(heated(shown, whole))
    shows = (
        f"what D looks at, in samples and below in {scene.held_in_words('pictures')}. First the picture; then how fast "
        "its logit changes with each pixel; then what makes it more real to D (orange) or less (blue), by covering it"
    )
    if both:
        shows += "; then the logits of its patches, above the mean of all orange, below it blue"
    columns = max(len(made[0]), len(real[0]))
    full = [np.pad(row, ((0, columns - len(row)), (0, 0), (0, 0), (0, 0)), constant_values=255) for row in rows]
    return Sheet("saliency", shows, sheet(np.concatenate(full), columns))


def heated(pictures: NDArray[np.uint8], heat: Tensor) -> NDArray[np.uint8]:
    """Maps (n, h, w) over pictures (n, h, w, 3), both of one size: above 0 orange, below blue, the stronger the hotter,
    each map by its own greatest values.
    """
    sizes = heat.abs().flatten(1)
    hottest = sizes.quantile(STRONG, dim=1).clamp(min=1e-12)
    hottest = torch.where(hottest > 1e-3 * sizes.amax(1), hottest, sizes.amax(1)).clamp(min=1e-12)
    share = (heat / hottest[:, None, None]).clamp(-1, 1)[..., None].cpu().numpy()
    colour = np.where(share > 0, np.array(WARM), np.array(COLD))
    made: NDArray[np.uint8] = (pictures * DIM * (1 - np.abs(share)) + colour * np.abs(share)).astype(np.uint8)
    return made


def _plain(scene: Scene, x: Tensor) -> NDArray[np.uint8]:
    """Pictures as nets see them in grey, (n, h, w, 3), alpha on white."""
    pixels: NDArray[np.floating] = scene.decoded(x).astype(np.float64)
    if pixels.shape[-1] == 4:
        alpha = pixels[..., 3:] / 255
        pixels = pixels[..., :3] * alpha + 255 * (1 - alpha)
    grey: NDArray[np.uint8] = pixels.mean(-1, keepdims=True).repeat(3, -1).astype(np.uint8)
    return grey
