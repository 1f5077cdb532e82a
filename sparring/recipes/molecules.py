"""The default for molecules."""

from __future__ import annotations

from dataclasses import dataclass

from sparring.games.resampled import ResampledGame
from sparring.modalities.molecules import Molecules as MoleculeModality
from sparring.nets import mlp
from sparring.nets.sequence import LanguageModel
from sparring.recipes.base import (
    Count,
    Decay,
    Positive,
    ResampledRecipe,
    Share,
    Weight,
    discriminator,
    generator,
    losses,
    optimization,
)
from sparring.recipes.base.molecules import MoleculeRecipe


@dataclass(frozen=True)
class Molecules(MoleculeRecipe, ResampledRecipe[MoleculeModality]):
    """SMILES by likelihood, resampled by a D that sees molecules.

    A recurrent language model of SMILES (as in Segler et al. 2018, arXiv:1701.01329), then a D on Morgan counts and
    descriptors. Samples are drawn from several candidates by D / (1 - D) (Deng et al. 2020, arXiv:2004.11714), and
    G learns from its own molecules with the weights of MaliGAN (Che et al. 2017, arXiv:1702.07983). Descriptors are
    conditions, free at random, so that `sample --where` can request any of them.

    sparring train molecules.smi
    """

    # Generator
    embedding: Count = generator(64, "length of a token's vector")
    width: Count = generator(320, "units of a layer")
    depth: Count = generator(1, "layers")
    dropout: Share = generator(0.0, "share of the units that are dropped during training")
    candidates: Count = generator(6, "molecules that are drawn for each sample, of which D chooses one")
    # Discriminator
    D: Count = discriminator(128, "units of the hidden layer")
    # Losses
    taught: Weight = losses(0.1, "weight of the likelihood of G's own molecules, as D weights them")
    # Optimization
    batch: Count = 128
    steps: Count = 5000
    adversarial: Share = optimization(0.25, "share of the steps that are adversarial, after those by likelihood")
    lr: Positive = optimization(2e-3, "learning rate of Adam, for G in the first phase")
    lr_end: Positive = optimization(2e-4, "learning rate of G at the end of the run")
    D_lr: Positive = optimization(5e-4, "learning rate of Adam, for D")
    beta1: Decay = 0.9
    beta2: Decay = 0.999
    ema_kimg: Weight = 10.0
    ema_ramp: Share = 0.05

    def game(self, modality: MoleculeModality) -> ResampledGame:
        width = modality.condition_width
        G = LanguageModel(len(modality.vocabulary), self.embedding, self.width, self.depth, self.dropout, width)
        D = mlp.Discriminator((modality.view.width,), (self.D,))
        return ResampledGame(G, D, modality.view, modality.length, self.candidates, self.taught, width)
