"""Quant GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.games.prior import Prior, path
from sparring.modalities import Modality
from sparring.nets import tcn
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Count, Decay, OfSeries, Positive, Targeted, generator


@dataclass(frozen=True)
class Quantgan(OfSeries, Targeted):
    """Causal dilated convolutions, for paths of any length.

    Wiese et al. 2019, "Quant GANs: deep generation of financial time series", arXiv:1907.06673. Logarithmic
    returns are standardised and their tails lightened (Lambert's W), and made heavy again in samples. Both nets are
    temporal convolutions that see 127 steps; learning rates and steps are ours.

    sparring train prices.csv --recipe quantgan
    """

    z: Count = generator(3, "latents of each step")
    width: Count = generator(80, "channels of the hidden layers, in D too")
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    lr: Positive = 2e-4
    steps: Count = 5000

    def prior(self, modality: Modality) -> Prior:
        depth = tcn.depth_for(self.window)
        return path(self.z, tcn.receptive(depth) - 1, modality.shape[1])

    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        channels, window = modality.shape
        depth = tcn.depth_for(window)
        G = tcn.Generator(self.z, channels, self.width, depth, "learnt")
        return G, tcn.Discriminator(channels, self.width, depth, window, "learnt")
