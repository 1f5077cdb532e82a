"""The default for video."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, ClassVar

from torch import nn

from sparring.games.gan import GAN
from sparring.games.prior import Normal, Prior, Times
from sparring.games.video import VideoGAN
from sparring.modalities import Video as VideoModality
from sparring.nets import video
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    Count,
    Decay,
    Fraction,
    Positive,
    RelativisticGan,
    Share,
    VideoRecipe,
    Weight,
    discriminator,
    generator,
)
from sparring.recipes.base.fields import Within

LATER = 4  # clips by which generated ones begin later than time 0 at most


@dataclass(frozen=True)
class Video(VideoRecipe, RelativisticGan[VideoModality]):
    """StyleGAN-V's game on strided convolutions: the default for video.

    Skorokhodov et al. 2021, arXiv:2112.14683: content and motion are latents of their own, motion is a function of
    continuous time, and D sees a few frames of each clip with the time between them, so that only these are generated.
    The loss is that of `r3gan_strided` (Huang et al. 2024, arXiv:2501.05441) with a stronger gamma, since D sees
    several frames, and with the penalties in every eighth step. Clips that are loops get motion that closes. With
    `still=true`, clips have a background of their own (Vondrick et al. 2016, arXiv:1609.02612).

    sparring train walks --time 30m
    """

    bf16: ClassVar[tuple[str, ...]] = ()
    side: ClassVar[int] = 32

    # Generator
    z: Count = 64
    motion: Count = generator(32, "length of the latents of motion")
    waves: Count = generator(16, "waves that motion consists of; fewer for short loops")
    width: Count = generator(32, "channels of the layer next to the frame, in G and D")
    still: bool = generator(False, "one background per clip, in front of which frames are masked: for a still camera")
    # Discriminator
    judged: Annotated[int, Within(2, 16)] = discriminator(3, "frames of a clip that D sees together")
    # Losses
    gamma: Weight = 2.0
    gamma_end: Weight = 0.2
    # Optimization
    batch: Count = 32
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

    def prior(self, modality: VideoModality) -> Prior:
        times = Times("times", modality.frames)
        return Prior(Normal("content", self.z), Normal("motion", self.motion), times)

    def k(self, modality: VideoModality) -> int:
        """Number of frames that D sees of a clip."""
        return min(self.judged, modality.frames)

    def nets(self, modality: VideoModality) -> tuple[nn.Module, Discriminator]:
        channels, frames, size, _ = modality.shape
        condition, loop = modality.condition, bool(modality.loop)
        G = video.Generator(
            self.z, self.motion, self.waves, frames, size, channels, self.width, loop=loop, condition=condition,
            still=self.still,
        )  # fmt: skip
        return G, video.Discriminator(size, channels, self.width, self.k(modality), condition)

    def game_class(self, modality: VideoModality) -> Callable[..., GAN]:
        frames, loop = modality.frames, bool(modality.loop)
        return partial(VideoGAN, k=self.k(modality), frames=frames, loop=loop, later=frames * (1 if loop else LATER))
