"""MolGAN: small molecules as graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from torch import nn

from sparring.data.tensors import VALUES
from sparring.games.gan import GAN
from sparring.games.prior import Gumbel, Normal, Prior
from sparring.games.rewarded import RewardedGAN
from sparring.games.terms import GP, Term
from sparring.layers.spans import Spans
from sparring.losses.adversarial import AdversarialLoss, wasserstein
from sparring.modalities.molecules import MoleculeGraphs
from sparring.modalities.molecules.cleaning import Marks
from sparring.modalities.molecules.graphs import BONDS
from sparring.nets import molgan
from sparring.nets.discriminator import Discriminator
from sparring.recipes.base import (
    AdamGan,
    Count,
    Decay,
    Phase,
    Positive,
    Share,
    Weight,
    Widths,
    data,
    discriminator,
    generator,
    losses,
    optimization,
)
from sparring.recipes.base.molecules import PlainMolecules
from sparring.recipes.base.objectives import check_known, objective


@dataclass(frozen=True)
class Molgan(PlainMolecules[MoleculeGraphs], AdamGan[MoleculeGraphs]):
    """Small molecules as graphs, with a reward; for QM9.

    De Cao and Kipf 2018, "MolGAN: An implicit generative model for small molecular graphs", arXiv:1805.11973: a fully
    connected G, a D of relational graph convolutions that does not see the order of atoms, WGAN-GP, and a net that
    learns a reward of molecules, from which G gets its gradient. Graphs that are not one valid molecule count as
    invalid. Larger molecules fall apart: those of more than `atoms` heavy atoms are left out. The reward is `validity`,
    `QED`, or a function of yours, which takes a list of valid SMILES and returns numbers in [0, 1].

    sparring train qm9 --recipe molgan
    """

    takes: ClassVar[tuple[MoleculeGraphs, ...]] = (MoleculeGraphs(),)
    code_fields: ClassVar[tuple[str, ...]] = ("objective",)

    # Data
    isotopes: Marks = "remove"
    stereo: Marks = "remove"
    atoms: Count = data(9, "heavy atoms of the largest molecules that are learned", sets="most")
    # Generator
    z: Count = 8
    hidden: Widths = generator((128, 256, 512), "widths of the hidden layers")
    temperature: Positive = generator(1.0, "temperature of the Gumbel-softmax")
    # Discriminator
    D: Widths = discriminator((64, 32), "channels of an atom after each graph convolution; the same in R")
    width: Count = discriminator(128, "length of a graph's vector; the same in R")
    # Losses
    gp: Weight = losses(10.0, "weight of the gradient penalty")
    objective: str = losses("validity", "what molecules are worth: validity, QED, or FILE.py:FUNCTION")
    balance: Share = losses(0.5, "weight of D in G's loss, lambda; the reward has the rest")
    # Optimization
    batch: Count = 128
    steps: Count = 20_000
    n_critic: Count = optimization(5, "moves of the critic per move of G")
    lr: Positive = 1e-3
    beta1: Decay = 0.5
    beta2: Decay = 0.9
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def check(self) -> None:
        super().check()
        check_known(self.objective)

    def check_installed(self) -> None:
        objective(self.objective)(["CCO", "c1ccccc1"])

    def prior(self, modality: MoleculeGraphs) -> Prior:
        return Prior(Normal("z", self.z), Gumbel("choices", sum(modality.widths)))

    def nets(self, modality: MoleculeGraphs) -> tuple[nn.Module, Discriminator]:
        G = molgan.Generator(self.z, Spans(modality.widths, (), self.temperature), self.hidden)
        return G, self._critic(modality)

    def _critic(self, modality: MoleculeGraphs) -> molgan.Discriminator:
        return molgan.Discriminator(modality.most, len(modality.atoms) + 1, len(BONDS) + 1, self.D, self.width)

    def adversarial_loss(self) -> AdversarialLoss:
        return wasserstein()

    def terms(self, modality: MoleculeGraphs, G: nn.Module, D: Discriminator) -> Sequence[Term]:  # noqa: ARG002
        return [GP(self.gp)]

    def game_class(self, modality: MoleculeGraphs) -> Callable[..., GAN]:
        return partial(RewardedGAN, self._critic(modality), self.balance, lambda x: modality.decode({VALUES: x}))

    def turns(self) -> int:
        return self.n_critic

    def phases(self, game: Any) -> list[Phase]:
        game.objective = objective(self.objective)
        return super().phases(game)
