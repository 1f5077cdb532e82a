"""Recipes of one generator and one discriminator."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from sparring.errors import InputError
from sparring.games.gan import GAN
from sparring.games.prior import Prior, normal
from sparring.games.terms import Term
from sparring.layers.condition import Columns, RowEmbedding
from sparring.losses import adversarial
from sparring.losses.adversarial import AdversarialLoss, StandardLoss
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base.adam import AdamFields
from sparring.recipes.base.fields import Count, Share, generator, losses
from sparring.recipes.base.recipe import M, Phase, Recipe


@dataclass(frozen=True)
class Adversarial(Recipe[M]):
    """One G against one D. A subclass provides the nets, the adversarial loss and further terms."""

    z: Count = generator(100, "length of the latent vector")

    def prior(self, modality: M) -> Prior:  # noqa: ARG002
        """The distribution of G's input."""
        return normal(self.z)

    @abstractmethod
    def nets(self, modality: M) -> tuple[nn.Module, Discriminator]:
        """G and D."""

    @abstractmethod
    def adversarial_loss(self) -> AdversarialLoss:
        """The adversarial losses of G and D."""

    def terms(self, modality: M, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        """Further terms of the losses."""
        return ()

    def game_class(self, modality: M) -> Callable[..., GAN]:  # noqa: ARG002
        """Builds the game: `GAN`, or a subclass with settings of its own."""
        return GAN

    def game(self, modality: M) -> GAN:
        G, D = _checked(self.nets(modality))
        if isinstance(modality.condition, Columns) and not any(isinstance(net, RowEmbedding) for net in G.modules()):
            raise InputError(
                f"recipe {self.name!r} generates no images by the columns of a table: its G is not built for "
                "modality.condition; give labels=false, or another recipe"
            )
        return self.game_class(modality)(
            G,
            D,
            loss=self.adversarial_loss(),
            prior=self.prior(modality),
            classes=len(modality.classes),
            conditional=modality.condition_width > 0,
            terms=self.terms(modality, G, D),
            views=self.views(modality),
        )


def _checked(nets: tuple[nn.Module, Discriminator]) -> tuple[nn.Module, Discriminator]:
    """What `nets` returned, if it is a G and a D in this order.

    Raises:
        InputError: otherwise.
    """
    if not isinstance(nets, tuple) or len(nets) != 2 or not all(isinstance(net, nn.Module) for net in nets):
        raise InputError(f"nets returns {type(nets).__name__}; return G and D, two modules")
    G, D = nets
    if isinstance(G, Discriminator):
        raise InputError(f"nets returns {type(G).__name__} as G, which is a Discriminator; return G first, then D")
    if not isinstance(D, Discriminator):
        raise InputError(f"nets returns {type(D).__name__} as D; derive it from Discriminator, with features and judge")
    return G, D


@dataclass(frozen=True)
class AdamGan(AdamFields, Adversarial[M]):
    """G and D move in turn, each with its own Adam of the same settings."""

    def turns(self) -> int:
        """Moves of D per move of G."""
        return 1

    def phases(self, game: GAN) -> list[Phase]:
        adam = self.adam()
        return [Phase(game.players(adam, adam, turns=self.turns()))]


@dataclass(frozen=True)
class StandardGan(AdamGan[M]):
    """An `AdamGan` with one of the standard losses, whose targets may be smoothed."""

    loss: StandardLoss = losses("non_saturating", "adversarial loss of G and D")
    smoothing: Share = losses(0.0, "label smoothing: the target of real samples is 1 - smoothing")

    def adversarial_loss(self) -> AdversarialLoss:
        loss: AdversarialLoss = getattr(adversarial, self.loss)(self.smoothing)
        return loss
