"""Recipes for sounds that are generated from given ones: vocoders and restoration."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sparring.errors import InputError
from sparring.games.audio_terms import LayerMatching, Mel
from sparring.games.terms import Term
from sparring.games.translation import PairedTranslation
from sparring.losses.adversarial import AdversarialLoss, hinge
from sparring.modalities import AudioTranslation
from sparring.nets.audio_discriminators import AudioDiscriminator, resolutions
from sparring.nets.signal_to_signal import SignalToSignal
from sparring.recipes.base.adam import AdamFields
from sparring.recipes.base.fields import (
    Count,
    Natural,
    Positive,
    Share,
    Weight,
    data,
    discriminator,
    losses,
    optimization,
)
from sparring.recipes.base.recipe import Phase, Recipe
from sparring.recipes.base.translation import two_phases

T = TypeVar("T", bound=AudioTranslation)


@dataclass(frozen=True)
class AudioTranslationRecipe(AdamFields, Recipe[T]):
    """A net that generates sounds from given ones or from spectrograms: trained first on the distance to the true sound
    alone, then against D too. Recipes differ in what is given, the nets and the losses.
    """

    rate: Natural = data(0, "samples per second; 0: the rate of most of the sounds", sets="rate")
    seconds: Weight = data(0.0, "length of a training segment; 0: about half a second", sets="seconds")
    frame: Natural = data(0, "samples of a frame of the Fourier transform; 0: about 32 ms", sets="size")
    hop: Natural = data(0, "samples between two frames, a half or a quarter of a frame; 0: a quarter", sets="hop")
    alone: Share = optimization(0.5, "share of the steps in which G is trained without D")
    D: Count = discriminator(8, "channels of the first layer of each of D's nets; the papers' are 32")
    mel: Weight = losses(45.0, "weight of the distance of log-mel spectrograms at several resolutions")
    matching: Weight = losses(2.0, "weight of the distance of D's features, layer by layer")
    adversarial: Positive = losses(1.0, "weight of the adversarial loss; alone=1 trains without D")

    def check(self) -> None:
        super().check()
        if self.noise:
            raise InputError(f"noise={self.noise:g} would hide from D what a sound is generated from; remove noise=")

    @abstractmethod
    def build_generator(self, modality: T) -> SignalToSignal:
        """G."""

    def adversarial_loss(self) -> AdversarialLoss:
        """The adversarial losses of G and D."""
        return hinge()

    def distances(self, modality: T, scale: float) -> Sequence[Term]:
        """Distances to the true sound, which G minimizes with D and without.

        Args:
            scale: factor of their weights.
        """
        return [Mel(self.mel * scale, modality.rate, modality.length)] if self.mel else []

    def game(self, modality: T) -> PairedTranslation:
        length = modality.length
        D = AudioDiscriminator(length, resolutions=resolutions(length), width=self.D)
        # The adversarial loss has weight 1 in the game, so the other weights are divided by its weight.
        scale = 1 / self.adversarial
        terms = [*self.distances(modality, scale)]
        if self.matching:
            terms.append(LayerMatching(self.matching * scale, D.sizes))
        alone = self.distances(modality, 1.0) if self.alone else []
        return PairedTranslation(self.build_generator(modality), D, self.adversarial_loss(), terms, alone)

    def schedule(self, progress: float) -> Mapping[str, object]:
        """Settings of the optimizers at a point of a phase in [0, 1]: the learning rate falls linearly in the second
        half.
        """
        return {"lr": self.lr * min(1.0, 2 * (1 - progress) + 1e-3)}

    def phases(self, game: Any) -> list[Phase]:
        return two_phases(game, self.adam(), self.alone, self.schedule)
