"""VAE-GAN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from sparring.games.gan import GAN
from sparring.games.vae import VAEGAN
from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.recipes.base import Count, DcganNets, Decay, Positive, Share, StandardGan, Weight, losses


@dataclass(frozen=True)
class Vaegan(StandardGan[Images], DcganNets[Images]):
    """A GAN whose G is also an autoencoder's decoder: reconstruction.

    Larsen et al. 2015, "Autoencoding beyond pixels using a learned similarity metric", arXiv:1512.09300,
    algorithm 1, on DCGAN's nets. `sparring explore` shows real images next to their reconstructions. Similarity is
    measured in D's features, which avoids blur.

    sparring train mnist --recipe vaegan
    """

    bf16: ClassVar[tuple[str, ...]] = ("images",)

    # Generator
    z: Count = 64
    width: Count = 32
    # Discriminator
    norm: dcgan.Norm = "batch"
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    likelihood: Weight = losses(1.0, "weight of the reconstruction in D's feature space, in G's loss, gamma")
    beta: Weight = losses(0.01, "weight of the divergence from the prior, in E's loss")
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    lr: Positive = 1e-3
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def game_class(self, modality: Images) -> Callable[..., GAN]:
        channels, size, _ = modality.shape
        E = dcgan.Encoder(self.z, size, channels, self.width, modality.condition)
        return partial(VAEGAN, E, likelihood=self.likelihood, beta=self.beta)
