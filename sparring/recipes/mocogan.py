"""MoCoGAN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from sparring.games.prior import Normal, Path, Prior
from sparring.games.terms import Classified, Term
from sparring.losses.adversarial import StandardLoss
from sparring.modalities import Video
from sparring.nets import mocogan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    Natural,
    Positive,
    Share,
    StandardGan,
    VideoRecipe,
    Weight,
    generator,
    losses,
)


@dataclass(frozen=True)
class Mocogan(VideoRecipe, StandardGan[Video]):
    """Content and a recurrent path of motion codes, for video.

    Tulyakov et al. 2017, "MoCoGAN: Decomposing motion and content for video generation", arXiv:1707.04993. One D sees
    single frames, another one whole clips, and reads the class from them. The whole clip is generated frame by frame in
    each step, at the rate of the training data.

    sparring train walks --recipe mocogan
    """

    # Data
    frames: Natural = 0
    # Generator
    z: Count = 50
    motion: Count = generator(10, "latents of each frame, and length of its motion code")
    width: Count = generator(64, "channels of the layer next to the frame, in G and both D")
    # Losses
    loss: StandardLoss = "non_saturating"
    smoothing: Share = 0.0
    classify: Weight = losses(1.0, "weight of the class that D reads from clips, for both players")
    # Optimization
    batch: Count = 32
    steps: Count = 100_000
    lr: Positive = 2e-4
    beta1: Decay = 0.5
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def prior(self, modality: Video) -> Prior:
        path = Path("motion", self.motion * modality.frames, self.motion, 0)
        return Prior(Normal("content", self.z), path)

    def nets(self, modality: Video) -> tuple[nn.Module, Discriminator]:
        channels, frames, size, _ = modality.shape
        G = mocogan.Generator(self.z, self.motion, size, channels, self.width, modality.condition)
        return G, mocogan.Discriminator(size, channels, self.width, frames)

    def terms(self, modality: Video, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        assert isinstance(D, mocogan.Discriminator)
        classes = len(modality.classes)
        return [Classified(mocogan.Reader(D, classes), classes, self.classify)] if classes and self.classify else []
