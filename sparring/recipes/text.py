"""The default for text."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.games.resampled import ResampledGame
from sparring.modalities.text import Text as TextModality
from sparring.nets.sequence import LanguageModel
from sparring.nets.sequence_discriminator import SequenceDiscriminator
from sparring.recipes.base import (
    Count,
    Decay,
    Positive,
    ResampledRecipe,
    Share,
    TextRecipe,
    Weight,
    discriminator,
    generator,
    losses,
    optimization,
)


@dataclass(frozen=True)
class Text(TextRecipe, ResampledRecipe[TextModality]):
    """Texts by likelihood, resampled by a D that sees whole texts.

    A recurrent language model, then a D of convolutions and recurrent units that learns to distinguish its fresh
    samples from real texts. Samples are drawn from several candidates by D / (1 - D) (Deng et al. 2020,
    arXiv:2004.11714), and G learns from its own texts with the weights of MaliGAN (Che et al. 2017, arXiv:1702.07983).

    sparring train texts.txt
    """

    # Generator
    embedding: Count = generator(128, "length of a token's vector, which the output layer shares")
    width: Count = generator(256, "units of a layer")
    depth: Count = generator(1, "layers")
    dropout: Share = generator(0.4, "share of the units that are dropped during training")
    candidates: Count = generator(4, "texts that are drawn for each sample, of which D chooses one")
    # Discriminator
    D: Count = discriminator(64, "channels of the convolutions of each size, and units of the recurrent net")
    D_dropout: Share = discriminator(0.25, "share of D's units that are dropped during training")
    # Losses
    taught: Weight = losses(0.1, "weight of the likelihood of G's own texts, as D weights them")
    # Optimization
    batch: Count = 64
    steps: Count = 20_000
    passes: Count = 40
    adversarial: Share = optimization(0.3, "share of the steps that are adversarial, after those by likelihood")
    lr: Positive = optimization(3e-3, "learning rate of Adam, for G in the first phase")
    lr_end: Positive = optimization(3e-4, "learning rate of G at the end of the first phase, and after it")
    D_lr: Positive = optimization(5e-4, "learning rate of Adam, for D")
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def game(self, modality: TextModality) -> ResampledGame:
        tokens, classes = len(modality.tokenizer.vocabulary), len(modality.classes)
        sizes, ends = (tokens, self.embedding, self.width, self.depth, self.dropout), not modality.continuous
        G = LanguageModel(*sizes, classes=classes, tied=True, ends=ends)
        D = SequenceDiscriminator(tokens, self.D, dropout=self.D_dropout, classes=classes)
        return ResampledGame(G, D, modality.view, modality.length, self.candidates, self.taught, classes=classes)
