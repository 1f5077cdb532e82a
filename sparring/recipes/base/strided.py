"""Recipes on DCGAN's nets, and those that make points too, by fully connected ones."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from torch import nn

from sparring.errors import InputError
from sparring.modalities import Modality
from sparring.nets import dcgan, mlp
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base.adversarial import Adversarial, Targeted
from sparring.recipes.base.fields import Count, Positive, Widths, discriminator, generator
from sparring.recipes.base.images import POINTS_AND_IMAGES, OfPictures


@dataclass(frozen=True)
class Strided(Adversarial, OfPictures):
    """DCGAN's nets; such recipes differ by loss, terms and optimisation.

    Attributes:
        judges_labels: whether D is told the label; else only G is.
    """

    judges_labels: ClassVar[bool] = True

    width: Count = generator(64, "channels of the layer next to the picture, in D too")
    norm: dcgan.Norm = discriminator("batch", "after each hidden layer but the first")

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        channels, size, _ = modality.shape
        classes = len(modality.classes)
        return (
            dcgan.Generator(self.prior(modality).width, size, channels, self.width, classes),
            dcgan.Discriminator(size, channels, self.width, self.norm, classes if self.judges_labels else 0),
        )


@dataclass(frozen=True)
class Light(Targeted, Strided):
    """DCGAN's nets at half the width and five times the rate, in bf16: for papers whose idea is not in the nets."""

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    width: Count = 32
    lr: Positive = 1e-3


@dataclass(frozen=True)
class Either(Strided):
    """DCGAN's nets for pictures, fully connected ones for points."""

    takes: ClassVar[tuple[Modality, ...]] = POINTS_AND_IMAGES

    hidden: Widths = generator((128, 128), "widths of the hidden layers where data are points, in D too")

    def modality(self, kind: str) -> Modality:
        modality = super().modality(kind)
        idle, made = (("hidden",), "points") if modality.kind == "images" else (("width", "norm"), "pictures")
        usual = {f.name: f.default for f in fields(self)}
        for name in idle:
            if getattr(self, name) != usual[name]:
                given = f"{name}={getattr(self, name)}"
                raise InputError(f"{given} is for {made}, but the data are {kind}; leave it out")
        return modality

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        if modality.kind == "images":
            return super().nets(modality)
        classes = len(modality.classes)
        G = mlp.Generator(self.prior(modality).width, modality.shape, self.hidden, True, "relu", "linear", classes)
        return G, mlp.Discriminator(modality.shape, self.hidden, classes=classes if self.judges_labels else 0)


def alone(norm: dcgan.Norm) -> None:
    """Refuse a norm by which D judges a batch, where a penalty is each sample's own.

    Raises:
        InputError: for batch norm.
    """
    if norm == "batch":
        raise InputError("norm=batch does not go with a gradient penalty, each sample's own; use norm=layer")
