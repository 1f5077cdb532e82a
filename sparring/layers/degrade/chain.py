"""A restoration task is a chain of degradations, applied to clean images when batches are drawn."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import torch
from torch import Tensor

from sparring.errors import InputError, nearest
from sparring.layers.degrade import holes, pixels

NUMBER = r"\d+(?:\.\d+)?"
WORD = re.compile(rf"(x\d+|[a-z][a-z]+)(?:({NUMBER})(?:-({NUMBER}))?)?")
HIDDEN_SHARE = (0.1, 0.4)  # default range of the share of an image that holes hide


@dataclass(frozen=True)
class Kind:
    """A type of degradation.

    Attributes:
        function: takes images (n, c, h, w) in [-1, 1] and, if it has a parameter, the limits of its range.
        bounds: of the parameter; None if there is none.
        default: range of the parameter unless given; None if it must be given.
        times: factor by which the sides shrink.
        channels: of the result; None if unchanged.
        masks: True if it cuts holes and adds a mask channel.
    """

    function: Callable[..., Tensor]
    bounds: tuple[float, float] | None = None
    default: tuple[float, float] | None = None
    times: int = 1
    channels: int | None = None
    masks: bool = False


def _holes(function: Callable[..., Tensor]) -> Kind:
    return Kind(function, bounds=(0.01, 0.9), default=HIDDEN_SHARE, masks=True)


KINDS = {
    **{f"x{times}": Kind(partial(pixels.downscale, times=times), times=times) for times in (2, 3, 4, 8)},
    "noise": Kind(pixels.add_noise, bounds=(0, 255)),
    "jpeg": Kind(pixels.compress, bounds=(1, 100)),
    "blur": Kind(pixels.blur, bounds=(0, 20)),
    "dose": Kind(pixels.reduce_dose, bounds=(0.001, 1)),
    "grey": Kind(pixels.grayscale, channels=1),
    "edges": Kind(pixels.edges, channels=1),
    "boxes": _holes(holes.boxes),
    "strokes": _holes(holes.strokes),
    "freeform": _holes(holes.freeform),
}


@dataclass(frozen=True)
class Step:
    """One degradation.

    Attributes:
        name: one of KINDS.
        amounts: range of the parameter, from which each image draws; () if there is no parameter.
    """

    name: str
    amounts: tuple[float, ...]

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]

    def __call__(self, x: Tensor) -> Tensor:
        return self.kind.function(x, *self.amounts)


@dataclass(frozen=True)
class Chain:
    """Degradations, applied in order."""

    steps: tuple[Step, ...]

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
                x = step(x).clamp(-1, 1)
            x = pixels.quantize(x)
            return self.steps[-1](x) if self.masks else x


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
    steps = tuple(_step(text) for text in texts)
    for text, step, after in zip(texts, steps, texts[1:], strict=False):
        if step.kind.masks:
            raise InputError(f"{after!r} follows {text!r}, but holes are cut last; put {text!r} at the end")
    return Chain(steps)


def _step(text: str) -> Step:
    match = WORD.fullmatch(text)
    name, low, high = match.groups() if match else (text, None, None)
    if name not in KINDS:
        raise InputError(f"{text!r} is not a degradation; {nearest(name, KINDS)}")
    kind = KINDS[name]
    if kind.bounds is None:
        if low is not None:
            raise InputError(f"{text!r} has a number, but {name} takes none; write {name}")
        return Step(name, ())
    minimum, maximum = kind.bounds
    usage = f"{name} takes a number or a range within {minimum:g}-{maximum:g}"
    if low is None:
        if kind.default is None:
            raise InputError(f"{text!r} lacks its number; {usage}")
        return Step(name, kind.default)
    amounts = (float(low), float(high or low))
    if not minimum <= amounts[0] <= amounts[1] <= maximum:
        raise InputError(f"{text!r} is out of bounds; {usage}, the smaller number first")
    return Step(name, amounts)
