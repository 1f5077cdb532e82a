"""StyleGAN2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from torch import nn
from torch.optim import Adam

from sparring.games.gan import GAN
from sparring.games.stylegan import PathLength, StyleGAN
from sparring.games.terms import R1, Term
from sparring.layers.resample import Padding
from sparring.losses.adversarial import AdversarialLoss, non_saturating
from sparring.modalities import Images
from sparring.nets import stylegan2
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AdamFields,
    Adversarial,
    Count,
    Decay,
    ImageRecipe,
    Phase,
    Positive,
    Share,
    Weight,
    generator,
    losses,
)

GAMMA_SIZE, GAMMA_BATCH = 1024, 32  # image size in pixels and batch size that gamma is given for


@dataclass(frozen=True)
class Stylegan2(AdamFields, Adversarial[Images], ImageRecipe[Images]):
    """Styles modulate every convolution: mixing and truncation.

    Karras et al. 2019, "Analyzing and improving the image quality of StyleGAN", arXiv:1912.04958, in plain PyTorch.
    Config F has z=512 base=32768 most=512 batch=32 for 1024 pixels. R1's weight depends on the image size as in Karras
    et al. 2020, arXiv:2006.06676. A mapping network turns latents into styles. Coarse and fine styles can be mixed, and
    `--truncation 0.7` moves styles toward their mean, which gives more typical samples.

    sparring train photos/ --recipe stylegan2
    """

    # Generator
    z: Count = 128
    base: Count = generator(2048, "channels at a resolution are base / its pixels, in G and D")
    most: Count = generator(128, "upper limit of the channels, in G and D")
    depth: Count = generator(8, "layers of the mapping network")
    padding: Padding = generator("replicate", "padding of images that are doubled; zeros in the authors' code")
    # Losses
    gamma: Weight = losses(10.0, "weight of R1, for images of 1024 pixels in batches of 32")
    R1_every: Count = losses(16, "steps between those in which D minimizes R1")
    path_length: Weight = losses(2.0, "weight of the path length regularization, gamma_pl")
    path_every: Count = losses(4, "steps between those in which G minimizes the path length regularization")
    # Optimization
    batch: Count = 32
    steps: Count = 20_000
    lr: Positive = 2e-3
    beta1: Decay = 0.0
    beta2: Decay = 0.99
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def adversarial_loss(self) -> AdversarialLoss:
        return non_saturating()

    def nets(self, modality: Images) -> tuple[stylegan2.Generator, Discriminator]:
        channels, size, _ = modality.shape
        condition = modality.condition
        G = stylegan2.Generator(self.z, size, channels, self.base, self.most, self.depth, condition, self.padding)
        return G, stylegan2.Discriminator(size, channels, self.base, self.most, condition)

    def terms(self, modality: Images, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        assert isinstance(G, stylegan2.Generator)
        gamma = self.gamma * (modality.shape[-1] / GAMMA_SIZE) ** 2 * GAMMA_BATCH / self.batch
        lengths = [PathLength(G, self.path_length, self.path_every)] if self.path_length else []
        return [R1(gamma, self.R1_every), *lengths]

    def game_class(self, modality: Images) -> Callable[..., GAN]:  # noqa: ARG002
        return StyleGAN

    def phases(self, game: GAN) -> list[Phase]:
        D, G = (self._lazy_adam(every) for every in (self.R1_every, self.path_every if self.path_length else 1))
        return [Phase(game.players(D, G))]

    def _lazy_adam(self, every: int) -> partial[Adam]:
        """Adam for a player with a lazy regularization, which makes every + 1 moves in the time of `every` (the paper's
        appendix B).
        """
        c = every / (every + 1) if every > 1 else 1.0
        return self.adam(lr=self.lr * c, betas=(self.beta1**c, self.beta2**c))
