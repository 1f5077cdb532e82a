"""Recipes on DCGAN's nets, and those that also take points, with fully connected nets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from sparring.errors import InputError
from sparring.layers.condition import Condition
from sparring.modalities import Images, Points
from sparring.nets import dcgan, mlp
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base.adversarial import Adversarial
from sparring.recipes.base.fields import Count, Widths, discriminator, generator
from sparring.recipes.base.images import ImageRecipe
from sparring.recipes.base.recipe import M


@dataclass(frozen=True)
class DcganNets(Adversarial[M], ImageRecipe[M]):
    """G and D of DCGAN. Recipes on them differ in loss, terms and optimization.

    Attributes:
        label_in_discriminator: True if D receives the condition too; otherwise only G does.
    """

    label_in_discriminator: ClassVar[bool] = True

    width: Count = generator(64, "channels of the layer next to the image, in G and D", only=Images)
    norm: dcgan.Norm = discriminator("batch", "normalization after each hidden layer except the first", only=Images)

    def build_generator(self, shape: tuple[int, ...], latents: int, condition: Condition) -> nn.Module:
        """G for samples of a shape."""
        channels, size, _ = shape
        return dcgan.Generator(latents, size, channels, self.width, condition)

    def build_discriminator(self, shape: tuple[int, ...], condition: Condition = 0) -> Discriminator:
        """D for samples of a shape."""
        channels, size, _ = shape
        return dcgan.Discriminator(size, channels, self.width, self.norm, condition)

    def nets(self, modality: M) -> tuple[nn.Module, Discriminator]:
        condition = modality.condition
        G = self.build_generator(modality.shape, self.prior(modality).width, condition)
        return G, self.build_discriminator(modality.shape, condition if self.label_in_discriminator else 0)


@dataclass(frozen=True)
class PointsOrImages(DcganNets[Points | Images]):
    """DCGAN's nets for images, fully connected nets for points."""

    takes: ClassVar[tuple[Points | Images, ...]] = (Points(), Images())

    hidden: Widths = generator((128, 128), "widths of the hidden layers for points, in G and D", only=Points)

    def build_generator(self, shape: tuple[int, ...], latents: int, condition: Condition) -> nn.Module:
        if len(shape) > 1:
            return super().build_generator(shape, latents, condition)
        return mlp.Generator(latents, shape, self.hidden, True, "relu", "linear", condition)

    def build_discriminator(self, shape: tuple[int, ...], condition: Condition = 0) -> Discriminator:
        if len(shape) > 1:
            return super().build_discriminator(shape, condition)
        return mlp.Discriminator(shape, self.hidden, condition=condition)


def refuse_batch_norm(norm: dcgan.Norm) -> None:
    """Refuse batch norm in a D whose gradient penalty is defined per sample.

    Raises:
        InputError: for batch norm.
    """
    if norm == "batch":
        raise InputError("norm=batch does not go with a gradient penalty, which is defined per sample; use norm=layer")
