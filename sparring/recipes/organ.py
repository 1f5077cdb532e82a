"""ORGAN: molecules that D takes for real ones and that an objective rewards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sparring.data.tensors import VALUES
from sparring.games.objective_policy import ObjectivePolicyGame
from sparring.modalities.molecules import Molecules
from sparring.nets.sequence import LanguageModel
from sparring.nets.sequence_discriminator import SequenceDiscriminator
from sparring.recipes.base import (
    AdamFields,
    Count,
    Decay,
    Phase,
    Positive,
    Share,
    Weight,
    discriminator,
    generator,
    losses,
    optimization,
)
from sparring.recipes.base.molecules import PlainMolecules
from sparring.recipes.base.objectives import check_known, objective

CLIP = 1.0  # norm of G's gradient
SIZES = (1, 2, 3, 5, 8)  # tokens that the convolutions of D see


@dataclass(frozen=True)
class Organ(AdamFields, PlainMolecules[Molecules]):
    """SMILES by policy gradient: D and an objective reward them.

    Guimaraes et al. 2017, "Objective-reinforced generative adversarial networks (ORGAN) for sequence generation
    models", arXiv:1705.10843, on SeqGAN (Yu et al. 2016, arXiv:1609.05473). After a phase of maximum likelihood, the
    reward of a molecule is `balance` times D's probability that it is real, plus an objective. In a step, one random
    token of each molecule is rewarded by the mean of several continuations. The objective is `QED`, `validity`, or a
    function of yours, which takes a list of valid SMILES and returns numbers in [0, 1].

    sparring train molecules.smi --recipe organ objective=mine.py:score
    """

    takes: ClassVar[tuple[Molecules, ...]] = (Molecules(),)
    code_fields: ClassVar[tuple[str, ...]] = ("objective",)

    # Generator
    embedding: Count = generator(64, "length of a token's vector")
    width: Count = generator(256, "units of the layer")
    # Discriminator
    D: Count = discriminator(64, "channels of the convolutions of each size, and length of a token's vector")
    # Losses
    objective: str = losses("QED", "what molecules are worth: QED, validity, or FILE.py:FUNCTION")
    balance: Share = losses(0.5, "weight of D in the reward, lambda; the objective has the rest")
    rollouts: Count = losses(4, "continuations of the token that is rewarded")
    # Optimization
    batch: Count = 64
    steps: Count = 5000
    adversarial: Share = optimization(0.5, "share of the steps by policy gradient, after those by likelihood")
    lr: Positive = optimization(2e-3, "learning rate of Adam, for G in the first phase")
    G_lr: Positive = optimization(2e-4, "learning rate of Adam, for G in the second phase")
    D_lr: Positive = optimization(5e-4, "learning rate of Adam, for D")
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def check(self) -> None:
        super().check()
        check_known(self.objective)

    def check_installed(self) -> None:
        objective(self.objective)(["CCO", "c1ccccc1"])

    def game(self, modality: Molecules) -> ObjectivePolicyGame:
        tokens = len(modality.vocabulary)
        G = LanguageModel(tokens, self.embedding, self.width, 1)
        D = SequenceDiscriminator(tokens, self.D, SIZES, recurrent=False)
        decode = lambda codes: modality.decode({VALUES: codes})  # noqa: E731
        return ObjectivePolicyGame(G, D, modality.length, self.rollouts, self.balance, decode)

    def phases(self, game: ObjectivePolicyGame) -> list[Phase]:
        if self.balance < 1:
            game.objective = objective(self.objective)
        first = game.likelihood(self.adam(), clip=CLIP)
        second = game.adversarial(self.adam(lr=self.D_lr), self.adam(lr=self.G_lr), 1, clip=CLIP)
        return [Phase(first, 1 - self.adversarial), Phase(second, self.adversarial)]
