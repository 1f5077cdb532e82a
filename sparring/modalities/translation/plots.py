"""The sheet that compares generated images with those of baselines and with the targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw
from torch import Tensor

from sparring.modalities.translation.scores import Scores
from sparring.nets.tiles import as_bytes

if TYPE_CHECKING:
    from sparring.modalities.translation.translation import Translation

HEADER = 14  # pixels of the line with the names of the columns
SMALL = 64  # pixels of a side below which images are enlarged
TITLES = {"samples": "generated", "real": "target"}


def comparison(scores: Mapping[str, Scores], names: Sequence[str], modality: Translation) -> Image.Image:
    """The centers of some images, a row each: the given image, the results of each method, and the target.

    Args:
        names: of the methods, in order.
    """
    methods = [name for name in names if name not in ("given", "real", "samples")]
    columns = ["given", *methods, "samples", "real"] if modality.paired else ["given", "samples"]
    times = [modality.times if name == "given" else 1 for name in columns]
    enlargement = 3 if max(scores["real"].shown[0].shape[-2:]) < SMALL else 1
    images = [
        [_enlarged(x, modality, t * enlargement) for x in scores[name].shown]
        for name, t in zip(columns, times, strict=True)
    ]
    side = max(max(image.size) for column in images for image in column)
    page = Image.new("RGB", (len(columns) * (side + 2), HEADER + len(images[0]) * (side + 2)), "white")
    draw = ImageDraw.Draw(page)
    for i, (name, column) in enumerate(zip(columns, images, strict=True)):
        draw.text((i * (side + 2) + 2, 1), TITLES.get(name, name), "black")
        for j, image in enumerate(column):
            page.paste(image, (i * (side + 2), HEADER + j * (side + 2)))
    return page


def _enlarged(x: Tensor, modality: Translation, times: int) -> Image.Image:
    """An image (c, h, w) in color, without its mask, `times` times as large."""
    x = x[:-1] if modality.masked and x.shape[0] == modality.given else x
    image = Image.fromarray(as_bytes(x.expand(3, -1, -1) if x.shape[0] == 1 else x[:3]))
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
