"""The perceptual distance as a loss term of a recipe."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Self

from sparring.nets import efficientnet_lite
from sparring.recipes.base.fields import Weight, losses
from sparring.recipes.base.recipe import M, Recipe


@dataclass(frozen=True)
class PerceptualRecipe(Recipe[M]):
    """A recipe whose G may also minimize a distance in features of a net trained on ImageNet (`nets.perceptual`).

    Attributes:
        perceptual_weight: the value of the field `perceptual` if that is None and the net is installed.
    """

    perceptual_weight: ClassVar[float] = 0.0

    perceptual: Weight | None = losses(
        0.0, "weight of the perceptual distance to the true image, which needs the extra 'pretrained'"
    )

    def settled(self) -> tuple[Self, str]:
        if self.perceptual is not None:
            return self, ""
        if efficientnet_lite.installed():
            weight = self.perceptual_weight
            return replace(self, perceptual=weight), (
                f"perceptual={weight:g}: images are also compared in features of a net trained on ImageNet, as the "
                "extra 'pretrained' is installed; perceptual=0 turns this off"
            )
        return replace(self, perceptual=0.0), (
            "perceptual=0: images are not compared in features of a net trained on ImageNet, as none is installed; "
            "pip install 'sparring[pretrained]'"
        )

    def check_installed(self) -> None:
        if self.perceptual:
            efficientnet_lite.check()
