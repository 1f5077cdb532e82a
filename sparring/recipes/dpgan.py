"""The private GAN for images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from sparring.data.items import Items
from sparring.errors import InputError
from sparring.layers.condition import Condition
from sparring.losses import adversarial
from sparring.losses.adversarial import AdversarialLoss, StandardLoss
from sparring.modalities import Images
from sparring.modalities.images.palette import Palette
from sparring.nets import dcgan
from sparring.recipes.base import (
    Count,
    DcganNets,
    Decay,
    Delta,
    Positive,
    PrivateRecipe,
    Share,
    Weight,
    losses,
)


@dataclass(frozen=True)
class Dpgan(PrivateRecipe[Images], DcganNets[Images]):
    """Images with differential privacy: a DCGAN trained by DP-SGD.

    Xie et al. 2018, arXiv:1802.06739, with the private gradients of Abadi et al. 2016, arXiv:1607.00133, and several
    moves of D per move of G, as in Bie et al. 2023, arXiv:2302.02936. No layer compares samples of a batch. Classes are
    drawn equally often: their frequencies are private.

    sparring train mnist --recipe dpgan privacy=10
    """

    takes: ClassVar[tuple[Any, ...]] = (Images(use_table=False),)  # rows beside images would be stored

    # Generator
    z: Count = 100
    width: Count = 32
    # Discriminator
    norm: dcgan.Norm = "layer"
    # Losses
    loss: StandardLoss = losses("non_saturating", "adversarial loss of G and D")
    # Optimization
    privacy: Positive = 8.0
    delta: Delta = 1e-5
    clip: Positive = 1.0
    batch: Count = 256
    G_batch: Count = 256
    steps: Count = 4000
    D_steps: Count = 2
    lr: Positive = 2e-3
    beta1: Decay = 0.5
    beta2: Decay = 0.9
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def adversarial_loss(self) -> AdversarialLoss:
        loss: AdversarialLoss = getattr(adversarial, self.loss)()
        return loss

    def build_generator(self, shape: tuple[int, ...], latents: int, condition: Condition) -> nn.Module:
        channels, size, _ = shape
        return dcgan.Generator(latents, size, channels, self.width, condition, self.norm)

    def check(self) -> None:
        super().check()
        if self.table or self.columns:
            given = f"table={self.table}" if self.table else f"columns={','.join(self.columns)}"
            raise InputError(f"{given} was given, but the rows beside images are not learned privately; leave it out")

    def fitted(self, items: Items) -> Images:
        fitted = super().fitted(items)
        if fitted.levels != self.levels:
            raise InputError(
                f"{items.name!r} has images of more than eight bits, whose black and white are private; give the "
                "values that are known without the images, such as levels=0,4095"
            )
        if fitted.white != Images().white:
            raise InputError(
                f"the gray values of {items.name!r} seem to end below 255, and where they end is private; scale the "
                "images to 0 to 255"
            )
        return fitted

    def published(self, modality: Images) -> Images:
        assert modality.attributes is None
        return replace(modality, counts=(1,) * len(modality.classes), palette=Palette())

    def draw_conditions(self, modality: Images, n: int, device: torch.device) -> Tensor | None:
        return modality.draw_conditions(n, device) if modality.classes else None
