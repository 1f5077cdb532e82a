"""Fréchet distance between generated and real samples in the features that their kind of data declares.

Scores during training and the quality of compressed models are measured with `FeatureDistance`. Evaluations compute
several metrics in one pass instead (`Reference`), from the same batches of real samples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.tensors import Tensors, move
from sparring.metrics.frechet import frechet, moments
from sparring.modalities import Modality
from sparring.seeds import Seeds, reseed

BATCH_SIZE = 100


class FeatureDistance:
    """Fréchet distance of samples from reference samples. Heusel et al. 2017, arXiv:1706.08500.

    Features are those of `Modality.features`. The distance is larger for fewer samples, so only distances of equal
    numbers of samples can be compared.

    Args:
        modality: declares the features.
        reference: batches of the samples to compare with, two samples or more.
        unseen: batches of other real samples, for the floor; none if there is no floor.

    Attributes:
        name: of the metric, such as "fid[patches]".
        floor: distance of the unseen real samples; None if there are fewer than two.
    """

    def __init__(self, modality: Modality, reference: Iterable[Tensors], unseen: Iterable[Tensors] = ()) -> None:
        self.modality = modality
        self.name = f"fid[{modality.features_name}]"
        features = self.features(unseen)
        self._reference = moments(self.features(reference))
        self.floor = self.of_features(features) if len(features) > 1 else None

    def of(self, samples: Iterable[Tensors]) -> float:
        """Distance of batches of samples as the networks generate them, two samples or more in total."""
        return self.of_features(self.features(samples))

    def features(self, samples: Iterable[Tensors]) -> Tensor:
        """Features of batches of samples, float32 (n, d) on the CPU."""
        return features(self.modality, samples)

    def of_features(self, features: Tensor) -> float:
        """Distance of samples, two or more, whose features (n, d) are known."""
        return frechet(moments(features), self._reference)


@torch.no_grad()
def features(modality: Modality, samples: Iterable[Tensors]) -> Tensor:
    """Features of batches of samples, float32 (n, d) on the CPU; (0, 0) if there are no batches."""
    parts = [modality.features(_as_float32(batch)).cpu() for batch in samples]
    return torch.cat(parts) if parts else torch.zeros(0, 0)


def _as_float32(batch: Tensors) -> Tensors:
    """A batch without half precision."""
    return {name: part.float() if part.is_floating_point() else part for name, part in batch.items()}


def real_batches(
    modality: Modality,
    data: Dataset,
    rows: Tensor,
    seeds: Seeds | None = None,
    device: torch.device | str = "cpu",
    size: int = BATCH_SIZE,
) -> Iterator[Tensors]:
    """Batches of real samples as the networks see them, without their classes.

    Random augmentation is always the same for the same rows. Drawing reseeds the generators: a caller whose own random
    numbers matter wraps the iteration in `torch.random.fork_rng`.

    Args:
        rows: of the data set.
        seeds: root of the randomness of the augmentation.
        size: rows per batch.
    """
    seeds, device = seeds or Seeds(), torch.device(device)
    for part in torch.split(rows, size):
        reseed(seeds.key("real", int(part[0])), device)
        yield modality.batch(move(data.samples(part), device))
