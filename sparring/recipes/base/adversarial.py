"""Recipes of one generator and one discriminator: what they name, and how it is put together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from torch import nn
from torch.optim import Adam

from sparring.games.gan import GAN
from sparring.games.prior import Prior, normal
from sparring.games.terms import Term
from sparring.losses import adversarial
from sparring.losses.adversarial import AdversarialLoss, Plain
from sparring.modalities import Modality
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base.fields import Count, Decay, Positive, Share, generator, losses, optimisation
from sparring.recipes.base.recipe import Phase, Recipe


@dataclass(frozen=True)
class Adversarial(Recipe):
    """One G against one D. A recipe says which nets, for what loss, with what extra terms."""

    z: Count = generator(100, "length of the latent vector")

    def prior(self, modality: Modality) -> Prior:  # noqa: ARG002
        """What samples are made from."""
        return normal(self.z)

    @abstractmethod
    def nets(self, modality: Modality) -> tuple[nn.Module, Discriminator]:
        """G and D."""

    @abstractmethod
    def adversary(self) -> AdversarialLoss:
        """What G and D minimise."""

    def terms(self, modality: Modality, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        """What else they minimise."""
        return ()

    def rules(self, modality: Modality) -> Callable[..., GAN]:  # noqa: ARG002
        """The class of the game, or one with settings of its own."""
        return GAN

    def game(self, modality: Modality) -> GAN:
        G, D = self.nets(modality)
        return self.rules(modality)(
            G,
            D,
            loss=self.adversary(),
            prior=self.prior(modality),
            classes=len(modality.classes),
            conditional=modality.condition_width > 0,
            terms=self.terms(modality, G, D),
            views=self.views(modality),
        )


@dataclass(frozen=True)
class WithAdam(Adversarial):
    """G and D take turns, each with an Adam of the same settings."""

    lr: Positive = optimisation(2e-4, "learning rate of Adam, for G and D")
    beta1: Decay = optimisation(0.5, "Adam's decay of the first moment")
    beta2: Decay = optimisation(0.999, "Adam's decay of the second moment")

    def turns(self) -> int:
        """Moves of D for each of G."""
        return 1

    def phases(self, game: GAN) -> list[Phase]:
        adam = partial(Adam, lr=self.lr, betas=(self.beta1, self.beta2), fused=True)
        return [Phase(game.players(adam, adam, turns=self.turns()))]


@dataclass(frozen=True)
class Targeted(WithAdam):
    """For a loss with targets, which may be smoothed."""

    loss: Plain = losses("non_saturating", "what G and D minimise")
    smoothing: Share = losses(0.0, "how far below 1 the target of real samples is")

    def adversary(self) -> AdversarialLoss:
        loss: AdversarialLoss = getattr(adversarial, self.loss)(self.smoothing)
        return loss
