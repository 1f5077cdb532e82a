"""The distance that scores trainings and compressed models."""

import pytest
import torch

from sparring.data.tensors import VALUES
from sparring.evaluation.distance import FeatureDistance, real_batches
from sparring.evaluation.real import read
from sparring.metrics.frechet import frechet, moments
from sparring.modalities import Images, Points, find


def batches(x, size=50):
    return [{VALUES: part} for part in torch.split(x, size)]


def test_it_is_the_frechet_distance_of_the_features():
    reference, unseen, samples = torch.randn(3, 300, 2, generator=torch.Generator().manual_seed(0))
    distance = FeatureDistance(Points(), batches(reference), batches(unseen))
    expected = [frechet(moments(x), moments(reference)) for x in (unseen, samples + 1)]
    assert [distance.floor, distance.of(batches(samples + 1))] == pytest.approx(expected)
    assert distance.name == "fid[coordinates]"


def test_without_unseen_samples_there_is_no_floor():
    reference = torch.randn(30, 2, generator=torch.Generator().manual_seed(0))
    assert FeatureDistance(Points(), batches(reference)).floor is None
    assert FeatureDistance(Points(), batches(reference), batches(reference[:1])).floor is None


def test_half_precision_is_converted():
    reference = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(0)) * 2 - 1
    distance = FeatureDistance(Images(size=8, channels=1), batches(reference))
    assert distance.of(batches(reference.bfloat16())) == pytest.approx(0, abs=0.01)


def test_real_batches_are_reproducible_with_augmentation():
    items = find("digits")
    real, _ = read(Images().fit(items), items)
    modality = Images(size=8, channels=1, flip=True)
    rows = real.data.held[:60]
    one, two = (
        torch.cat([batch[VALUES] for batch in real_batches(modality, real.data, rows, size=25)]) for _ in range(2)
    )
    plain = torch.cat([batch[VALUES] for batch in real_batches(real.modality, real.data, rows)])
    assert one.shape == (60, 1, 8, 8)
    assert torch.equal(one, two)
    assert not torch.equal(one, plain)
