"""What a discriminator sees of a molecule: its substructures and descriptors, not its string."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sparring.metrics import chemistry
from sparring.metrics.chemistry import BITS, QUICK, Floats, Molecule
from sparring.modalities.molecules.tokens import as_text

MAX_DEVIATIONS = 5.0  # of a descriptor from the training data's mean
PROJECTED = 44  # directions that fingerprints are projected on, for scores


@dataclass(frozen=True)
class View:
    """Token codes -> Morgan counts of 2,048 folded substructures, logarithmic, and 19 standardized descriptors.

    Attributes:
        vocabulary: tokens of the codes.
        mean, deviation: of the descriptors `chemistry.QUICK` in the training data.
    """

    vocabulary: tuple[str, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def width(self) -> int:
        """Numbers of a molecule."""
        return BITS + len(QUICK)

    def __call__(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (n, length) -> numbers (n, width), 0 for invalid molecules, and which molecules are valid (n,)."""
        return self.of(as_text(codes.cpu().numpy(), self.vocabulary), codes.device)

    def of(self, smiles: Sequence[str], device: torch.device) -> tuple[Tensor, Tensor]:
        """The same of SMILES, on a device."""
        molecules = chemistry.parse(smiles)
        valid = np.array([molecule is not None for molecule in molecules], bool)
        seen = np.zeros((len(molecules), self.width), np.float32)
        if valid.any():
            seen[valid] = self.numbers([molecule for molecule in molecules if molecule is not None])
        return torch.from_numpy(seen).to(device), torch.from_numpy(valid).to(device)

    def numbers(self, molecules: Sequence[Molecule]) -> NDArray[np.float32]:
        """Of valid molecules, (n, width)."""
        both = [np.log1p(chemistry.counts(molecules)), self.standardized(chemistry.quick(molecules))]
        return np.concatenate(both, 1, dtype=np.float32)

    def standardized(self, descriptors: Floats) -> Floats:
        """Descriptors in standard deviations of the training data."""
        known = np.nan_to_num(descriptors, nan=0.0, posinf=0.0, neginf=0.0)
        limited: Floats = ((known - self.mean) / self.deviation).clip(-MAX_DEVIATIONS, MAX_DEVIATIONS)
        return limited

    def features(self, smiles: Sequence[str], device: torch.device) -> Tensor:
        """What molecules are scored by, (n, 64): descriptors, projected substructures, and whether they are valid."""
        seen, valid = self.of(smiles, device)
        generator = torch.Generator().manual_seed(0)
        directions = torch.randn(BITS, PROJECTED, generator=generator).to(seen) / PROJECTED**0.5
        return torch.cat([seen[:, :BITS] @ directions, seen[:, BITS:], valid[:, None].float()], 1)
