"""Games with an encoder: the variational autoencoder, and the VAE/GAN, whose likelihood is defined on D's features."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sparring.games.autoencoder import Autoencoder
from sparring.games.discriminator_pass import discriminate
from sparring.games.gan import GAN, OptimizerFactory
from sparring.games.prior import Prior
from sparring.games.space import PriorSpace
from sparring.loop import After, Losses, Player, Round
from sparring.losses.variational import gaussian_nll, kl_divergence


class Variational(Autoencoder):
    """A game whose encoder E predicts the latents from which G generates a sample.

    Attributes:
        E: samples (n, ...)[, labels (n,)] -> means and logarithms of variances of latents, (n, width) each.
    """

    averaged = ("E", "G")
    E: nn.Module

    def space(self) -> PriorSpace:
        """The latents, with E as their encoder."""
        return PriorSpace(self.prior, self.generate, next(self.parameters()).device, self.encode)

    def encode(self, x: Tensor, condition: Tensor | None) -> Tensor:
        """Means of the latents of samples (n, ...)."""
        mean: Tensor = self.E(x, condition)[0]
        return mean

    def decode(self, code: Tensor, condition: Tensor | None) -> Tensor:
        return self.values(code, condition)


class VAE(Variational):
    """An encoder and a decoder that maximize a lower bound of the likelihood, without an adversary. Kingma and Welling
    2013, arXiv:1312.6114, eq. 3.

    Args:
        E: as in `Variational`.
        G: (n, width)[, labels (n,)] -> samples (n, ...).
        prior: distribution of the latents; normal.
        classes: number of classes, 0 for none.
        beta: weight of the divergence from the prior; 1 gives the bound.
        conditional: True if samples are generated for conditions other than classes, such as values of columns.
    """

    def __init__(
        self, E: nn.Module, G: nn.Module, prior: Prior, classes: int = 0, beta: float = 1.0, conditional: bool = False
    ) -> None:
        super().__init__()
        self.E, self.G = E, G
        self.prior, self.classes, self.beta = prior, classes, beta
        self._conditional = conditional

    @property
    def conditional(self) -> bool:
        return self._conditional or self.classes > 0

    def players(self, optimizer: OptimizerFactory, **settings: Any) -> list[Player]:
        """One player that trains both nets."""
        weights = [*self.E.parameters(), *self.G.parameters()]
        return [Player("VAE", self.losses, optimizer(weights), (self.E, self.G), **settings)]

    def losses(self, round: Round) -> Losses:
        """The two parts of the bound per sample, in nats."""
        real, condition = round["values"], round.get("condition") if self.conditional else None
        mean, log_variance = self.E(real, condition)
        made = self.G(drawn(mean, log_variance), condition)
        round.observe(squared_error=(made - real).float().square().mean())
        return {
            "reconstruction": gaussian_nll(made, real),
            "divergence": self.beta * kl_divergence(mean, log_variance),
        }

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:
        sample: Tensor = self.G(z, condition)
        return sample


class VAEGAN(GAN, Variational):
    """A GAN with an encoder: G is also the decoder of a VAE whose likelihood is defined on D's features instead of
    pixels. Larsen et al. 2015, arXiv:1512.09300, algorithm 1.

    Args:
        E: as for `VAE`.
        likelihood: weight of the feature distance in G's loss, gamma; in E's loss it is 1.
        beta: weight of the divergence in E's loss.
        settings: as for `GAN`.
    """

    def __init__(self, E: nn.Module, *settings: Any, likelihood: float, beta: float, **more: Any) -> None:
        super().__init__(*settings, **more)
        self.E, self.likelihood, self.beta = E, likelihood, beta

    def players(
        self, D: OptimizerFactory, G: OptimizerFactory, turns: int = 1, after: After | None = None, **all: Any
    ) -> list[Player]:
        """E, with an optimizer like G's, then D and G."""
        encoder = Player("E", self.E_losses, G(self.E.parameters()), (self.E,), **all)
        return [encoder, *super().players(D, G, turns, after, **all)]

    def E_losses(self, round: Round) -> Losses:
        """Losses that E minimizes."""
        mean, log_variance, _ = self._code(round)
        distance = self._distance(round)
        return {"likelihood": distance, "divergence": self.beta * kl_divergence(mean, log_variance)}

    def D_losses(self, round: Round) -> Losses:
        """The GAN's losses, and the same for reconstructions of real samples. Real samples thus count twice, as often
        as samples and reconstructions together; in the paper they count once.
        """
        again = self._again(round).detach()
        losses = super().D_losses(round)
        condition = round.get("condition") if self.conditional else None
        views = self._view(round["values"], round), self._view(again, round)
        on_real, on_again = (self.D(x, condition) for x in views)
        return losses | {"reconstructed": self.loss.discriminator(on_real, on_again)}

    def G_losses(self, round: Round) -> Losses:
        """The GAN's losses, the same for reconstructions of real samples, and the likelihood."""
        losses = super().G_losses(round)
        condition = round.get("condition") if self.conditional else None
        on_again = self.D(self._view(self._again(round), round), condition)
        on_real = self.D(self._view(round["values"], round), condition) if self.loss.needs_real else None
        reconstructed = self.loss.generator(on_real, on_again)
        return losses | {"reconstructed": reconstructed, "likelihood": self.likelihood * self._distance(round)}

    def _code(self, round: Round) -> tuple[Tensor, ...]:
        """Means, log variances, and latents drawn from them."""

        def compute() -> tuple[Tensor, ...]:
            mean, log_variance = self.E(round["values"], round.get("condition") if self.conditional else None)
            return mean, log_variance, drawn(mean, log_variance)

        return round.once("code", compute, self.E)

    def _again(self, round: Round) -> Tensor:
        """Reconstructions of real samples."""
        code = self._code(round)[2]
        return round.once("again", lambda: self.values(code, round.get("condition")), self.E, self.G)

    def _distance(self, round: Round) -> Tensor:
        """Mean squared difference of D's features between samples and their reconstructions."""
        condition = round.get("condition") if self.conditional else None
        with torch.no_grad():
            real = discriminate(self.D, round["values"], condition).features
        again = discriminate(self.D, self._again(round), condition).features
        return (again.float() - real.float()).square().mean()


def drawn(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Latents drawn from a normal distribution, differentiable with respect to its parameters."""
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)
