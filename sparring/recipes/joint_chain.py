"""A rival of recipe joint: a generator for each part, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.games.prior import Normal, Part
from sparring.layers.parts import Parts
from sparring.modalities.joint import Joint
from sparring.nets import joint
from sparring.recipes.joint import JointGan


@dataclass(frozen=True)
class JointChain(JointGan):
    """Items of several parts, each part made from those before it.

    The game, the nets of the parts and the losses of recipe `joint`, with a trunk of its own for each part in place of
    one for all: given parts come first, and every other part is made, in the order of the data, from all that there is
    already.
    It is the usual way to get items of several parts from conditional GANs (Mirza and Osindero 2014, arXiv:1411.1784).

    sparring train characters --recipe joint_chain
    """

    def latents(self, modality: Joint) -> list[Part]:
        return [Normal(f"{part.name} z", self.z) for part in modality.parts]

    def build_generator(
        self, layout: Parts, heads: list[nn.Module], own: list[int], encoders: list[nn.Module]
    ) -> nn.Module:
        each = [[i] for i in range(len(heads))]
        return joint.Generator(
            layout, self.z, heads, own, encoders, self.codes, self.inner, self.depth, each, apart=True
        )
