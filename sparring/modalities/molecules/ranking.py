"""Molecules in the order in which D takes them for real ones, and the substructures that it holds against each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from sparring.data.items import Items
from sparring.data.store import Progress
from sparring.metrics import chemistry
from sparring.metrics.chemistry import BITS, QUICK, Molecule
from sparring.modalities.molecules import reading
from sparring.modalities.molecules.view import View
from sparring.modalities.ranking import Ranked, probabilities
from sparring.nets.discriminator import Discriminator

MOST = 3  # reasons that are listed
LEAST = 0.1  # by which D's logit rises without a reason


def rank(view: View, critic: Discriminator, items: Items, device: torch.device, progress: Progress) -> list[Ranked]:
    """The molecules of a file as they are written; invalid ones have a probability of 0."""
    records = reading.records_of(items, "")
    found = []
    for i, molecule in enumerate(chemistry.parse_each(records.smiles)):
        text = records.smiles[i]
        if molecule is None:
            found.append(Ranked(records.place(i), text, 0.0, ("invalid",)))
            continue
        seen = torch.from_numpy(view.numbers([molecule])).to(device)
        (score,) = probabilities(critic(seen))
        found.append(Ranked(records.place(i), text, score, reasons(molecule, seen, lambda x: _logits(critic, x))))
        progress(i, len(records))
    return found


def reasons(molecule: Molecule, seen: Tensor, judge: Callable[[Tensor], Tensor]) -> tuple[str, ...]:
    """What raises D's logit if it is left out (a substructure that occurs nowhere, a descriptor with the mean of the
    training data), and by how much.

    Args:
        seen: what D sees of the molecule, (1, width).
        judge: D's logits (n,).
    """
    present = torch.nonzero(seen[0, :BITS])[:, 0]
    places = torch.cat([present, torch.arange(BITS, seen.shape[1], device=seen.device)])
    without = seen.repeat(len(places), 1)
    without[torch.arange(len(places)), places] = 0
    gains = (judge(without) - judge(seen)).cpu().numpy()
    fragments = chemistry.substructures(molecule)
    best: dict[str, float] = {}
    for i in np.argsort(-gains):
        place = int(places[i])
        name = fragments.get(place, "") if place < BITS else QUICK[place - BITS]
        if gains[i] >= LEAST and name and name not in best:
            best[name] = float(gains[i])
    return tuple(f"{name} ({-gain:+.1f})" for name, gain in list(best.items())[:MOST])


def _logits(critic: Discriminator, seen: Tensor) -> Tensor:
    logits = critic(seen)
    assert isinstance(logits, Tensor)
    return logits.float()
