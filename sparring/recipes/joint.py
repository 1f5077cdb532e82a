"""The default for items of several parts."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.games.prior import Normal, Part
from sparring.layers.parts import Parts
from sparring.modalities.joint import Joint
from sparring.nets import joint
from sparring.recipes.base import Count, Decay, Fraction, JointNets, Natural, Positive, Share, Weight


@dataclass(frozen=True)
class JointGan(JointNets):
    """Items of several parts: pictures with rows, sounds, texts.

    The game of `r3gan` (Huang et al. 2024, arXiv:2501.05441). One latent vector and what is given of an item go through
    a trunk, and a head for each part, a net of its own kind of data, makes it from the trunk's code. Rows are made
    first, then texts, and all other parts as if these had been given, each with latents of its own besides the code:
    without them, items of one class are alike. There is a D for each part, and one for all of them together. Which
    parts are given is drawn anew for each item of a batch, so that one model makes any parts from any others. Parts
    also find their partners in the batch by D's vectors of them (Zhang et al. 2021, arXiv:2101.04702), and rows and
    texts are learned by likelihood, given other parts; the columns of a row are drawn one after the other.

    sparring train characters --recipe joint
    """

    # Generator
    z: Count = 64
    codes: Count = 128
    own: Natural = 64
    width: Count = 32
    inner: Count = 256
    depth: Natural = 2
    # Losses
    contrast: Weight = 0.5
    read: Weight = 2.0
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

    def latents(self, modality: Joint) -> list[Part]:  # noqa: ARG002
        return [Normal("z", self.z)]

    def build_generator(
        self, layout: Parts, heads: list[nn.Module], own: list[int], encoders: list[nn.Module]
    ) -> nn.Module:
        order = joint.stages(heads)
        return joint.Generator(layout, self.z, heads, own, encoders, self.codes, self.inner, self.depth, order)
