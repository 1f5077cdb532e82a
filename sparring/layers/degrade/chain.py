"""A restoration task is a chain of degradations, applied to clean pictures while batches are drawn."""

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
HIDDEN = (0.1, 0.4)  # share of a picture, unless given


@dataclass(frozen=True)
class Kind:
    """What a word means.

    Attributes:
        function: of pictures (n, c, h, w) in [-1, 1] and, where it takes a number, the least and the greatest.
        bounds: of the number; None where there is none.
        usual: what it is where none is given; None where one has to be.
        times: how many times smaller sides become.
        channels: of what it makes; None for as many as before.
        masks: whether it cuts holes and adds a channel that says where.
    """

    function: Callable[..., Tensor]
    bounds: tuple[float, float] | None = None
    usual: tuple[float, float] | None = None
    times: int = 1
    channels: int | None = None
    masks: bool = False


def _cuts(function: Callable[..., Tensor]) -> Kind:
    return Kind(function, bounds=(0.01, 0.9), usual=HIDDEN, masks=True)


KINDS = {
    **{f"x{times}": Kind(partial(pixels.smaller, times=times), times=times) for times in (2, 3, 4, 8)},
    "noise": Kind(pixels.noisy, bounds=(0, 255)),
    "jpeg": Kind(pixels.compressed, bounds=(1, 100)),
    "blur": Kind(pixels.blurred, bounds=(0, 20)),
    "dose": Kind(pixels.exposed, bounds=(0.001, 1)),
    "grey": Kind(pixels.grey, channels=1),
    "edges": Kind(pixels.edges, channels=1),
    "boxes": _cuts(holes.boxes),
    "strokes": _cuts(holes.strokes),
    "freeform": _cuts(holes.freeform),
}


@dataclass(frozen=True)
class Step:
    """One degradation.

    Attributes:
        name: one of KINDS.
        amounts: the least and the greatest of its number, from which every picture draws; none where it takes none.
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
        """How many times smaller sides become."""
        return prod(step.kind.times for step in self.steps)

    @property
    def masks(self) -> bool:
        """Whether it ends by cutting holes."""
        return bool(self.steps) and self.steps[-1].kind.masks

    def channels(self, clean: int) -> int:
        """Of the degraded pictures, for clean ones of so many; one more for the mask where there is one.

        Raises:
            InputError: where clean pictures are neither grey nor of red, green and blue.
        """
        if clean not in (1, 3):
            raise InputError(f"pictures of {clean} channels cannot be degraded; give them 1 (grey) or 3 (colours)")
        made = [step.kind.channels for step in self.steps if step.kind.channels]
        return (made[-1] if made else clean) + self.masks

    def __call__(self, x: Tensor) -> Tensor:
        """Degrade pictures, each by its own draw from torch's global generator on their device.

        Pictures are cut to [-1, 1] after every step, as a sensor or a file does, and rounded to 256 grey levels at
        the end. Holes are 0, which is the middle of the range and none of the levels.

        Args:
            x: (n, c, h, w) in [-1, 1], c 1 or 3.

        Returns:
            (n, channels(c), h / times, w / times) in [-1, 1], float32; a mask is the last channel: 1 in holes, -1
            elsewhere.

        Raises:
            InputError: where h or w is no multiple of `times`.
        """
        height, width = x.shape[-2:]
        if height % self.times or width % self.times:
            raise InputError(
                f"pictures of {width} x {height} pixels cannot become {self.times} times smaller; "
                f"take sides that are multiples of {self.times}"
            )
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            for step in self.steps[: len(self.steps) - self.masks]:
                x = step(x).clamp(-1, 1)
            x = pixels.rounded(x)
            return self.steps[-1](x) if self.masks else x


def parse(texts: Sequence[str]) -> Chain:
    """Degradations from words such as x4, noise0-50, jpeg10-60: a name, and a number or a range from which every
    picture draws evenly.

    | word | what it does | number |
    |---|---|---|
    | x2, x3, x4, x8 | smaller by that, bicubic | none |
    | noise | Gaussian noise | its deviation in grey levels of 255 |
    | jpeg | compression, with colours at half the resolution | quality from 1 to 100 |
    | blur | Gaussian blur | its deviation in pixels |
    | dose | fewer photons | their share of a full dose, which is 1,000 a white pixel |
    | grey | no colours | none |
    | edges | white lines on black where brightness changes | none |
    | boxes, strokes, freeform | holes: rectangles, brush strokes, both | the share to hide; 0.1-0.4 unless given |

    Raises:
        InputError: where a word is unknown, its number missing, out of bounds or none of its, or where anything comes
            after holes.
    """
    steps = tuple(_step(text) for text in texts)
    for text, step, after in zip(texts, steps, texts[1:], strict=False):
        if step.kind.masks:
            raise InputError(f"{after!r} comes after {text!r}; holes are cut last, so put {text!r} at the end")
    return Chain(steps)


def _step(text: str) -> Step:
    match = WORD.fullmatch(text)
    name, low, high = match.groups() if match else (text, None, None)
    if name not in KINDS:
        raise InputError(f"{text!r} is no degradation; {nearest(name, KINDS)}")
    kind = KINDS[name]
    if kind.bounds is None:
        if low is not None:
            raise InputError(f"{text!r} is no degradation, {name} takes no number; write {name}")
        return Step(name, ())
    least, most = kind.bounds
    asked = f"{name} takes a number or a range within {least:g}-{most:g}"
    if low is None:
        if kind.usual is None:
            raise InputError(f"{text!r} lacks its number; {asked}")
        return Step(name, kind.usual)
    amounts = (float(low), float(high or low))
    if not least <= amounts[0] <= amounts[1] <= most:
        raise InputError(f"{text!r} is out of bounds; {asked}, its lesser end first")
    return Step(name, amounts)
