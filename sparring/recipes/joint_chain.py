"""A rival of recipe joint: a generator for each part, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.games.prior import Normal, Part
from sparring.layers.parts import Parts
from sparring.modalities.joint import Joint
from sparring.nets import chain
from sparring.recipes.base import Count, Decay, Fraction, JointNets, Natural, Positive, Share, Weight


@dataclass(frozen=True)
class JointChain(JointNets):
    """Items of several parts, each part made from those before it.

    The game, the nets of the parts and the losses of recipe `joint`, with a conditional generator for each part in
    place of one trunk with heads: given parts come first, and every other part is made from all that there is already.
    It is the usual way to get items of several parts from conditional GANs (Mirza and Osindero 2014, arXiv:1411.1784).

    sparring train characters --recipe joint_chain
    """

    # Generator
    z: Count = 64
    codes: Count = 64
    width: Count = 32
    inner: Count = 256
    depth: Natural = 2
    # Losses
    contrast: Weight = 0.5
    read: Weight = 0.5
    gamma: Weight = 1.0
    gamma_end: Weight = 0.1
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 1e-3
    lr_end: Positive = 1e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    beta2_end: Decay = 0.99
    burn_in: Fraction = 1.0
    lazy: Count = 8
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def latents(self, modality: Joint) -> list[Part]:
        return [Normal(f"{part.name} z", self.z) for part in modality.parts]

    def build_generator(
        self, layout: Parts, heads: list[nn.Module], own: list[int], encoders: list[nn.Module]
    ) -> nn.Module:
        return chain.Generator(layout, self.z, heads, own, encoders, self.codes, self.inner, self.depth)
