"""Quant GAN."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from sparring.games.prior import Prior, path
from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Series
from sparring.nets import tcn
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import Count, Decay, Positive, SeriesRecipe, Share, StandardGan, Weight, generator


@dataclass(frozen=True)
class Quantgan(SeriesRecipe, StandardGan[Series]):
    """Causal dilated convolutions, for paths of any length.

    Wiese et al. 2019, "Quant GANs: deep generation of financial time series", arXiv:1907.06673. Log returns are
    standardized, their heavy tails are removed before training and restored in samples (Lambert's W). Both nets are
    temporal convolutions that cover 127 steps. Learning rates and the number of steps are our own.

    sparring train prices.csv --recipe quantgan
    """

    # Data
    window: Count = 127
    # Generator
    z: Count = generator(3, "latents per time step")
    width: Count = generator(80, "channels of the hidden layers, in G and D")
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    # Optimization
    batch: Count = 64
    steps: Count = 5000
    lr: Positive = 2e-4
    beta1: Decay = 0.0
    beta2: Decay = 0.9
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def prior(self, modality: Series) -> Prior:
        depth = tcn.depth_for(self.window)
        return path(self.z, tcn.receptive(depth) - 1, modality.shape[1])

    def nets(self, modality: Series) -> tuple[nn.Module, Discriminator]:
        channels, window = modality.shape
        depth = tcn.depth_for(window)
        G = tcn.Generator(self.z, channels, self.width, depth, "learned")
        return G, tcn.Discriminator(channels, self.width, depth, window, "learned")
