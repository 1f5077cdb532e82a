"""Image translation without pairs, in both directions. Zhu et al. 2017, arXiv:1703.10593."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sparring.games.gan import OptimizerFactory
from sparring.games.graph import GeneratorNet
from sparring.games.prior import Prior
from sparring.games.translation import TranslationGame, perceptual_loss
from sparring.loop import Losses, Player, Round
from sparring.losses.adversarial import AdversarialLoss
from sparring.nets.discriminator import Discriminator
from sparring.nets.image_to_image import ImageToImage
from sparring.shards import ShardBuffers


class Pool(ShardBuffers):
    """A pool of previously generated images. Once it is full, every new image is replaced by an older one with
    probability 1/2. Shrivastava et al. 2016, arXiv:1612.07828.

    Args:
        capacity: number of images.
        shape: of an image.
    """

    past: Tensor
    filled: Tensor

    def __init__(self, capacity: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("past", torch.zeros(capacity, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    def forward(self, fake: Tensor) -> Tensor:
        """Images (n, *shape), some replaced by older ones."""
        capacity, n = len(self.past), len(fake)
        order = torch.arange(n, device=fake.device)
        filling = self.filled < capacity
        slots = torch.where(filling, (self.filled + order) % capacity, torch.randperm(capacity, device=fake.device)[:n])
        exchanged = ~filling & (torch.rand(n, device=fake.device) < 0.5)
        past = self.past[slots]
        self.past[slots] = torch.where((filling | exchanged).view(n, 1, 1, 1), fake, past)
        self.filled.add_(n).clamp_(max=capacity)
        return torch.where(exchanged.view(n, 1, 1, 1), past, fake)


@dataclass(frozen=True)
class Weights:
    """Weights of the terms of G's loss.

    Attributes:
        cycle: of the cycle consistency loss, lambda.
        identity: of the identity loss, relative to `cycle`.
        perceptual: of the perceptual distance between given and reconstructed images.
    """

    cycle: float = 10.0
    identity: float = 0.5
    perceptual: float = 0.0


class Cycle(TranslationGame):
    """Two generators and two discriminators.

    Args:
        AB: images of domain A (n, given, h, w) -> images of domain B (n, channels, h, w); BA the opposite.
        D_A, D_B: images of a domain -> logits.
        loss: the adversarial loss of D and of G.
        shape: of an image.
        pool: number of generated images that are kept for D.
        weights: of the loss terms.
    """

    averaged = ("AB", "BA")

    def __init__(
        self,
        AB: ImageToImage,
        BA: ImageToImage,
        D_A: Discriminator,
        D_B: Discriminator,
        loss: AdversarialLoss,
        shape: tuple[int, ...],
        pool: int = 50,
        weights: Weights = Weights(),
    ) -> None:
        super().__init__()
        self.AB, self.BA, self.D_A, self.D_B = AB, BA, D_A, D_B
        self.loss, self.weights, self.prior = loss, weights, Prior()
        self.pool_A, self.pool_B = Pool(pool, shape), Pool(pool, shape)

    @property
    def conditional(self) -> bool:
        return True

    def players(self, G: OptimizerFactory, D: OptimizerFactory, **both: Any) -> list[Player]:
        """G, which trains both generators, then D, which trains both discriminators."""
        generators, critics = (self.AB, self.BA), (self.D_A, self.D_B)
        return [
            Player("G", self.G_losses, G([p for net in generators for p in net.parameters()]), generators, **both),
            Player("D", self.D_losses, D([p for net in critics for p in net.parameters()]), critics, **both),
        ]

    def _fakes(self, round: Round) -> tuple[Tensor, Tensor]:
        """Generated images of A and of B."""

        def compute() -> tuple[Tensor, ...]:
            return self.BA.padded(round["values"]), self.AB.padded(round["condition"])

        fake_A, fake_B = round.once("fakes", compute, self.AB, self.BA)
        return fake_A, fake_B

    def G_losses(self, round: Round) -> Losses:
        """Losses that both generators minimize together."""
        A, B = round["condition"], round["values"]
        fake_A, fake_B = self._fakes(round)
        again_A, again_B = self.BA.padded(fake_B), self.AB.padded(fake_A)
        there = (again_A - A).abs().mean() + (again_B - B).abs().mean()
        losses = {
            "adversarial": self.loss.generator(None, self.D_B(fake_B)) + self.loss.generator(None, self.D_A(fake_A)),
            "cycle": self.weights.cycle * there,
        }
        if self.weights.perceptual:
            apart = perceptual_loss(again_A, A) + perceptual_loss(again_B, B)
            losses["perceptual"] = self.weights.perceptual * apart
        if self.weights.identity:
            same = (self.AB.padded(B) - B).abs().mean() + (self.BA.padded(A) - A).abs().mean()
            losses["identity"] = self.weights.cycle * self.weights.identity * same
        return losses

    def D_losses(self, round: Round) -> Losses:
        """Losses that both discriminators minimize."""
        fake_A, fake_B = self._fakes(round)
        losses, seen = {}, []
        for kind, D, real, fake in (
            ("A", self.D_A, round["condition"], self.pool_A(fake_A.detach())),
            ("B", self.D_B, round["values"], self.pool_B(fake_B.detach())),
        ):
            on_real, on_fake = D(real), D(fake)
            losses[kind] = self.loss.discriminator(on_real, on_fake)
            seen.append((on_real.mean(), on_fake.mean(), (on_real > on_fake).float().mean()))
        names = ("D_real", "D_fake", "D_accuracy")
        round.observe(
            **{name: torch.stack(both).mean() for name, both in zip(names, zip(*seen, strict=True), strict=True)}
        )
        return losses

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:  # noqa: ARG002
        assert condition is not None
        return self.AB.padded(condition)

    def discriminator(self) -> Discriminator:
        """The one of the wanted images."""
        return self.D_B

    def mapping(self, reverse: bool, sharpness: float) -> ImageToImage:
        if sharpness != 1:
            raise ValueError("it had no phase without D")
        return self.BA if reverse else self.AB

    def generators(self) -> tuple[GeneratorNet, ...]:
        return (
            GeneratorNet("AB", lambda _, images: self.AB.padded(_given(images))),
            GeneratorNet("BA", lambda _, images: self.BA.padded(_given(images)), reverse=True),
        )


def _given(images: Tensor | None) -> Tensor:
    assert images is not None
    return images
