"""Latent GANs: the adversarial game is played in the code space of an autoencoder that is trained before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

from torch import Tensor, nn

from sparring.data.tensors import VALUES
from sparring.games.autoencoder import Autoencoder
from sparring.games.gan import GAN, OptimizerFactory
from sparring.games.graph import GeneratorNet
from sparring.games.vae import drawn
from sparring.loop import Losses, Player, Round
from sparring.losses.adversarial import Logits, hinge
from sparring.losses.variational import kl_divergence
from sparring.nets.discriminator import Discriminator

Schedule = Callable[[float], Mapping[str, object]]


@dataclass(frozen=True)
class Coder:
    """The nets of an autoencoder.

    Attributes:
        E: samples (n, ...) -> means and logarithms of variances of codes, (n, channels, ...) each.
        R: codes -> samples.
        scale: batch norm without weights, for codes. It collects the mean and the variance of each channel.
    """

    E: nn.Module
    R: nn.Module
    scale: nn.Module


@dataclass(frozen=True)
class Nets(Coder):
    """The nets of an autoencoder of images.

    Attributes:
        P: samples -> logits of patches; it judges reconstructions.
    """

    P: Discriminator


@dataclass(frozen=True)
class Weights:
    """Weights of the autoencoder's loss terms, besides the mean absolute error.

    Attributes:
        patches: of P's judgment.
        kl: of the divergence of a code from a standard normal distribution, per number of a code.
    """

    patches: float
    kl: float


class CodeGAN(Autoencoder, GAN):
    """A GAN whose G generates codes, and whose D judges codes, of an autoencoder that is trained before and is frozen
    then. Codes are scaled to mean 0 and variance 1 in each channel. A sample is the decoded code.

    Args:
        autoencoder: its nets.
        settings: as for `GAN`, with a G and a D of codes.
    """

    def __init__(self, autoencoder: Coder, *settings: Any, **more: Any) -> None:
        super().__init__(*settings, **more)
        self.E, self.R, self.scale = autoencoder.E, autoencoder.R, autoencoder.scale

    def _again(self, round: Round) -> tuple[Tensor, ...]:
        """Means and log variances of codes, and reconstructions from codes that are drawn from them."""

        def compute() -> tuple[Tensor, ...]:
            mean, log_variance = self.E(round[VALUES])
            self.scale(mean.detach())  # collects its statistics
            return mean, log_variance, self.R(drawn(mean, log_variance))

        return round.once("again", compute, self.E, self.R)

    def encode(self, x: Tensor, condition: Tensor | None) -> Tensor:  # noqa: ARG002
        mean, _ = self.E(x)
        centers, deviations = self._scaling(mean)
        code: Tensor = (mean - centers) / deviations
        return code

    def decode(self, code: Tensor, condition: Tensor | None) -> Tensor:  # noqa: ARG002
        centers, deviations = self._scaling(code)
        sample: Tensor = self.R(code * deviations + centers)
        return sample

    def _scaling(self, code: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of each channel of codes (n, channels, ...), to be applied to these."""
        shape = (1, -1, *[1] * (code.ndim - 2))
        mean, variance = (self.scale.get_buffer(f"running_{name}").view(shape) for name in ("mean", "var"))
        return mean, (variance + 1e-6).sqrt()

    def codes(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Scaled codes of samples, (n, channels, ...)."""
        return super().values(z, condition)

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return self.decode(self.codes(z, condition), condition)

    def _real(self, round: Round, held: str = "") -> Tensor:
        values = held + VALUES
        return round.once(f"codes of {values}", lambda: self.encode(round[values], None))

    def _fake(self, round: Round) -> Tensor:
        z = self._latents(round)
        return round.once("fake", lambda: self.codes(z, round.get("condition")), self.G)

    def discriminator(self) -> Discriminator:
        """D as a judge of samples."""
        return _OfSamples(self)

    def generators(self) -> tuple[GeneratorNet, ...]:
        """R, where nearly all of the time is spent."""
        return (GeneratorNet("R", self.values),)


class LatentGAN(CodeGAN):
    """A `CodeGAN` of images. Rombach et al. 2021, arXiv:2112.10752, with an
    adversary in place of diffusion; the autoencoder is that of Esser et al. 2020, arXiv:2012.09841, with codes that are
    regularized toward a normal distribution instead of being quantized.

    Args:
        autoencoder: its nets.
        weights: of its loss terms.
        settings: as for `GAN`, with a G and a D of codes.
    """

    def __init__(self, autoencoder: Nets, weights: Weights, *settings: Any, **more: Any) -> None:
        super().__init__(autoencoder, *settings, **more)
        self.P, self.weights = autoencoder.P, weights
        self.patch_loss = hinge()

    def autoencoding(self, optimizer: OptimizerFactory, schedule: Schedule) -> list[Player]:
        """P, then E with R. They learn the autoencoder."""
        weights = [*self.E.parameters(), *self.R.parameters()]
        return [
            Player("P", self.P_losses, optimizer(self.P.parameters()), (self.P,), schedule=schedule),
            Player("E", self.E_losses, optimizer(weights), (self.E, self.R, self.scale), schedule=schedule),
        ]

    def P_losses(self, round: Round) -> Losses:
        """Losses that P minimizes."""
        again = self._again(round)[2].detach()
        return {"patches": self.patch_loss.discriminator(self.P(round[VALUES]), self.P(again))}

    def E_losses(self, round: Round) -> Losses:
        """Losses that E and R minimize."""
        mean, log_variance, again = self._again(round)
        divergence = kl_divergence(mean.flatten(1), log_variance.flatten(1)) / prod(mean.shape[1:])
        error = (again.float() - round[VALUES].float()).abs().mean()
        round.observe(absolute_error=error, code_nats=divergence)
        return {
            "reconstruction": error,
            "patches": self.weights.patches * self.patch_loss.generator(None, self.P(again)),
            "divergence": self.weights.kl * divergence,
        }


class _OfSamples(Discriminator):
    """A D of codes that takes samples."""

    def __init__(self, game: CodeGAN) -> None:
        super().__init__()
        self.game, self.length, self.pack = game, game.D.length, game.D.pack

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        return self.game.D.features(self.game.encode(x, label), label)

    def judge(self, h: Tensor, label: Tensor | None = None) -> Logits:
        return self.game.D.judge(h, label)
