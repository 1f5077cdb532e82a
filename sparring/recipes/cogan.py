"""CoGAN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.errors import InputError
from sparring.games.prior import Prior, Uniform
from sparring.losses.adversarial import StandardLoss
from sparring.modalities.joint import Joint
from sparring.nets import cogan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Count, Decay, JointRecipe, Positive, Share, StandardGan, Weight, generator


@dataclass(frozen=True)
class CoGan(JointRecipe, StandardGan[Joint]):
    """CoGAN: pairs of pictures of two domains by shared weights.

    Liu and Tuzel 2016, "Coupled generative adversarial networks", arXiv:1606.07536. The generators of two domains share
    their first layers, and the discriminators their last ones. No net sees which pictures belong together: the pairs
    are those that the shared layers make, and the training needs none. Nothing can be given.

    sparring train pairs.csv --recipe cogan
    """

    takes: ClassVar[tuple[Joint, ...]] = (Joint(giving=False),)

    # Generator
    z: Count = 100
    width: Count = generator(64, "channels of the layer next to the picture, in G and D")
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    # Optimization
    batch: Count = 128
    steps: Count = 25_000
    lr: Positive = 2e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def prior(self, modality: Joint) -> Prior:  # noqa: ARG002
        return Prior(Uniform("z", self.z))

    def nets(self, modality: Joint) -> tuple[nn.Module, Discriminator]:
        kinds, sizes = [part.kind for part in modality.parts], {part.shape[-1] for part in modality.parts}
        if kinds != ["images", "images"] or len(sizes) > 1:
            have = " and ".join(f"{part.name} {part.shape}" for part in modality.parts)
            raise InputError(f"recipe 'cogan' joins two sets of pictures of one size, not {have}; use recipe joint")
        return cogan.Generator(modality.layout, self.z, self.width), cogan.Discriminator(modality.layout, self.width)
