"""Holes are filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.errors import InputError
from sparring.layers.degrade import parse
from sparring.losses.adversarial import AdversarialLoss, hinge
from sparring.modalities import Degraded
from sparring.nets.gated import Inpainter
from sparring.nets.picture_net import PictureNet
from sparring.recipes.base import Count, Positive, Restoring, Words, generator


@dataclass(frozen=True)
class Inpaint(Restoring):
    """Holes are filled with what might have been there.

    Yu et al. 2018, "Free-form image inpainting with gated convolution", arXiv:1806.03589: gated convolutions learn
    what of a picture with holes to believe, and D judges patches under a spectral norm. One net instead of the
    paper's two, with dilated convolutions instead of attention. What is known is never changed.

    sparring train photos/ --recipe inpaint degrade=freeform
    """

    bf16: ClassVar[tuple[str, ...]] = ("degraded",)

    degrade: Words = ("freeform",)
    width: Count = generator(24, "channels of the first layer")
    lr: Positive = 1e-3

    def check(self) -> None:
        super().check()
        if not parse(self.degrade).masks:
            raise InputError(
                f"degrade={','.join(self.degrade)} leaves no holes to fill; give boxes, strokes or freeform"
            )

    def net(self, modality: Degraded) -> PictureNet:
        return Inpainter(modality.channels, self.width)

    def adversary(self) -> AdversarialLoss:
        return hinge()
