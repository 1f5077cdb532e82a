"""Models beside code that is written in PyTorch."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import sparring


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    out = tmp_path_factory.mktemp("torch") / "run"
    return sparring.train("gan", "digits", out=out, steps=2, labels=True, G=(16,), D=(16,), device="cpu")


def test_the_generator_is_a_module(model):
    z, labels = model.latents(5, model.request(), seed=3)
    images = model.generator(z, labels)
    assert np.array_equal(model.modality.decode({"values": images.detach()}), model.sample(5, seed=3).items)
    images.sum().backward()
    assert all(weight.grad is not None for weight in model.game.G.parameters()), "it has the model's own weights"


def test_samples_are_a_dataset(model):
    data = model.dataset(70, seed=3)
    assert len(data) == 70
    batches = list(DataLoader(data, batch_size=32))
    assert [len(labels) for _, labels in batches] == [32, 32, 6]
    samples = model.sample(70, seed=3)
    assert np.array_equal(model.modality.decode({"values": torch.cat([x for x, _ in batches])}), samples.items)
    assert np.array_equal(torch.cat([labels for _, labels in batches]).numpy(), samples.labels)
    assert {int(label) for _, label in model.dataset(5, label=7)} == {7}
    with pytest.raises(sparring.InputError):
        model.dataset(0)


def test_models_without_classes_have_datasets_of_values(tmp_path):
    model = sparring.train("r3gan_mlp", "ring", out=tmp_path / "run", steps=1, G=(8,), D=(8,), device="cpu")
    (values,) = next(iter(DataLoader(model.dataset(4, seed=0), batch_size=4)))
    assert values.shape == (4, 2)
