"""RelGAN."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sparring.games.relaxed import RelaxedGame
from sparring.losses.adversarial import relativistic
from sparring.modalities.text import Text
from sparring.nets.relgan import RelationalMemory, RepresentationsDiscriminator
from sparring.nets.sequence import LanguageModel
from sparring.recipes.base import (
    AdamFields,
    Count,
    Decay,
    Phase,
    Positive,
    Share,
    TextRecipe,
    Weight,
    discriminator,
    generator,
    optimization,
)

CLIP = 5.0  # norm of gradients


@dataclass(frozen=True)
class RelGan(AdamFields, TextRecipe):
    """A relational memory, relaxed draws, a D of many representations.

    Nie et al. 2019, "RelGAN: relational generative adversarial networks for text generation", ICLR (no arXiv number). G
    learns by likelihood, then by gradients through a Gumbel softmax, whose logits are multiplied by a factor that rises
    to 100: a larger one gives more diverse texts of lower quality. D compares real and generated texts (a relativistic
    loss) in 64 representations.

    sparring train texts.txt --recipe relgan
    """

    # Generator
    embedding: Count = generator(32, "length of a token's vector")
    slots: Count = generator(1, "slots of the memory")
    heads: Count = generator(2, "heads of its attention")
    width: Count = generator(256, "length of a head")
    sharpest: Positive = generator(100.0, "factor of the logits at the end of the run")
    anneal: Count = generator(2000, "steps in which this factor rises from 1")
    # Discriminator
    D: Count = discriminator(64, "representations of a text")
    D_width: Count = discriminator(300, "channels of the convolutions of each size")
    # Optimization
    batch: Count = 64
    steps: Count = 26_000
    passes: Count = 170
    adversarial: Share = optimization(0.1, "share of the steps that are adversarial, after those by likelihood")
    turns: Count = optimization(5, "moves of D per step")
    lr: Positive = optimization(1e-2, "learning rate of Adam, for G by likelihood")
    G_lr: Positive = optimization(1e-4, "learning rate of Adam, for G in the adversarial phase")
    D_lr: Positive = optimization(1e-4, "learning rate of Adam, for D")
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    ema_kimg: Weight = 1.0
    ema_ramp: Share = 0.05

    def game(self, modality: Text) -> RelaxedGame:
        tokens, classes = len(modality.tokenizer.vocabulary), len(modality.classes)
        core = partial(RelationalMemory, slots=self.slots, heads=self.heads, head=self.width)
        width, ends = self.slots * self.heads * self.width, not modality.continuous
        G = LanguageModel(tokens, self.embedding, width, 1, classes=classes, ends=ends, core=core)
        D = RepresentationsDiscriminator(tokens, self.D, self.D_width, classes=classes)
        return RelaxedGame(G, D, relativistic(), modality.length, self.sharpest, self.anneal, classes)

    def phases(self, game: RelaxedGame) -> list[Phase]:
        first = game.likelihood(self.adam(), clip=CLIP)
        last = game.adversarial(self.adam(lr=self.D_lr), self.adam(lr=self.G_lr), self.turns, clip=CLIP)
        return [Phase(first, 1 - self.adversarial), Phase(last, self.adversarial)]
