"""A restoration task is a chain of degradations, applied to clean images when batches are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import torch
from torch import Tensor

from sparring.errors import InputError
from sparring.layers.degrade import holes, pixels
from sparring.layers.degrade.words import Kind, Step, steps

HIDDEN_SHARE = (0.1, 0.4)  # default range of the share of an image that holes hide


@dataclass(frozen=True)
class ImageKind(Kind):
    """A type of degradation of images (n, c, h, w) in [-1, 1].

    Attributes:
        times: factor by which the sides shrink.
        channels: of the result; None if unchanged.
        masks: True if it cuts holes and adds a mask channel.
    """

    times: int = 1
    channels: int | None = None
    masks: bool = False


def _holes(function: Callable[..., Tensor]) -> ImageKind:
    return ImageKind(function, bounds=(0.01, 0.9), default=HIDDEN_SHARE, masks=True)


KINDS = {
    **{f"x{times}": ImageKind(partial(pixels.downscale, times=times), times=times) for times in (2, 3, 4, 8)},
    "noise": ImageKind(pixels.add_noise, bounds=(0, 255)),
    "jpeg": ImageKind(pixels.compress, bounds=(1, 100)),
    "blur": ImageKind(pixels.blur, bounds=(0, 20)),
    "dose": ImageKind(pixels.reduce_dose, bounds=(0.001, 1)),
    "grey": ImageKind(pixels.grayscale, channels=1),
    "edges": ImageKind(pixels.edges, channels=1),
    "boxes": _holes(holes.boxes),
    "strokes": _holes(holes.strokes),
    "freeform": _holes(holes.freeform),
}


@dataclass(frozen=True)
class Chain:
    """Degradations, applied in order."""

    steps: tuple[Step[ImageKind], ...]

    @property
    def times(self) -> int:
        """Factor by which the sides shrink."""
        return prod(step.kind.times for step in self.steps)

    @property
    def masks(self) -> bool:
        """True if the last step cuts holes."""
        return bool(self.steps) and self.steps[-1].kind.masks

    def channels(self, clean: int) -> int:
        """Number of channels of the degraded images, the mask included.

        Args:
            clean: number of channels of the clean images.

        Raises:
            InputError: if the clean images are neither grayscale nor RGB.
        """
        if clean not in (1, 3):
            raise InputError(f"images of {clean} channels cannot be degraded; give images of 1 (gray) or 3 (RGB)")
        channels = [step.kind.channels for step in self.steps if step.kind.channels]
        return (channels[-1] if channels else clean) + self.masks

    def __call__(self, x: Tensor) -> Tensor:
        """Degrade images, each with its own random draw from torch's global generator on their device.

        Values are clamped to [-1, 1] after every step, as in a sensor or a file, and rounded to 256 levels at the end.
        Holes are 0, the middle of the range, which is none of the levels.

        Args:
            x: (n, c, h, w) in [-1, 1], c 1 or 3.

        Returns:
            (n, channels(c), h / times, w / times) in [-1, 1], float32; a mask is the last channel: 1 in holes, -1
            elsewhere.

        Raises:
            InputError: if h or w is no multiple of `times`.
        """
        height, width = x.shape[-2:]
        if height % self.times or width % self.times:
            raise InputError(
                f"images of {width} x {height} pixels cannot be made {self.times} times smaller; "
                f"give sides that are multiples of {self.times}"
            )
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            for step in self.steps[: len(self.steps) - self.masks]:
                x = step.kind.function(x, *step.amounts).clamp(-1, 1)
            x = pixels.quantize(x)
            if not self.masks:
                return x
            last = self.steps[-1]
            return last.kind.function(x, *last.amounts)


def parse(texts: Sequence[str]) -> Chain:
    """Degradations from words such as x4, noise0-50, jpeg10-60: a name, and a number or a range from which each image
    draws uniformly.

    | word | effect | number |
    |---|---|---|
    | x2, x3, x4, x8 | bicubic downscaling by this factor | none |
    | noise | Gaussian noise | standard deviation, of 255 levels |
    | jpeg | JPEG compression, with colors at half the resolution | quality from 1 to 100 |
    | blur | Gaussian blur | standard deviation in pixels |
    | dose | fewer photons | share of a full dose, which is 1,000 per white pixel |
    | grey | grayscale | none |
    | edges | white lines on black where brightness changes | none |
    | boxes, strokes, freeform | holes: rectangles, brush strokes, both | share to hide; 0.1-0.4 unless given |

    Raises:
        InputError: if a word is unknown, its number is missing, superfluous or out of bounds, or anything follows
            holes.
    """
    found = steps(texts, KINDS)
    for text, step, after in zip(texts, found, texts[1:], strict=False):
        if step.kind.masks:
            raise InputError(f"{after!r} follows {text!r}, but holes are cut last; put {text!r} at the end")
    return Chain(found)
