"""The pictures of a run: real ones that it was trained on, real ones that it was not, and samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from sparring.console import Screen
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.evaluation.evaluate import training_data
from sparring.evaluation.real import read
from sparring.model import Model
from sparring.provenance.degradations import as_bytes

MAX_PICTURES = 4000  # of each sort
MIN_HELD = 40


@dataclass(frozen=True)
class Pictures:
    """Pictures (n, c, h, w), uint8.

    Attributes:
        train: real ones of the training.
        held: real ones that were held out.
        samples: of the model.
        prints: of all pictures of the training, of which `train` may be a part.
    """

    train: Tensor
    held: Tensor
    samples: Tensor
    prints: frozenset[bytes]


def prints(x: Tensor) -> Iterator[bytes]:
    """Fingerprints of pictures (n, c, h, w), uint8: the same for the same pixels only."""
    for one in x.numpy():
        yield hashlib.sha256(one.tobytes()).digest()


def pictures(model: Model, samples: int, screen: Screen, seed: int = 0) -> Pictures:
    """The pictures of a run.

    Args:
        samples: number of them.

    Raises:
        InputError: if the model generates something else, or its training data are missing or changed, or hold out too
            few.
    """
    words = model.modality.words
    if model.modality.classifier_input is None or model.modality.source is not None:
        raise InputError(
            f"recipe {model.recipe.name!r} generates {words.items}; give runs that generate images from noise"
        )
    training = training_data(model)
    training.check_unchanged(words.items)
    with screen.progress(f"reading {training.name}") as progress:
        real, _ = read(model.modality, training.items, progress)
    if len(real.data.held) < MIN_HELD:
        raise InputError(f"{training.source} holds out {len(real.data.held)} {words.trained}; give at least {MIN_HELD}")
    fixed = torch.Generator().manual_seed(seed)
    parts = []
    for rows in (real.data.train, real.data.held):
        chosen = rows[torch.randperm(len(rows), generator=fixed)[:MAX_PICTURES]]
        parts.append(torch.cat([as_bytes(batch[VALUES]) for batch, _ in real.batches(chosen)]))
    known = {one for batch, _ in real.batches(real.data.train) for one in prints(as_bytes(batch[VALUES]))}
    generated = [as_bytes(batch[VALUES]) for batch, _ in model.stream(samples, seed)]
    return Pictures(parts[0], parts[1], torch.cat(generated), frozenset(known))
