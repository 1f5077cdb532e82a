"""Rearranged code must train the same models and load those of 0.1."""

import json

import numpy as np
import pinned
import pytest
import safetensors.torch
import torch

import sparring

CLOSE = 2e-3  # of a tensor's sum of absolute values: processors round differently, and Adam's first steps amplify that


@pytest.mark.parametrize("case", pinned.NAMES)
def test_the_same_seeds_give_the_same_models(case, tmp_path):
    known = json.loads((pinned.HERE / f"{case}.json").read_text())["tensors"]
    found = pinned.outcome(pinned.trained(case, tmp_path))
    assert found.keys() == known.keys()
    for name, (shape, total, size) in known.items():
        assert found[name][0] == shape, name
        assert found[name][1:] == pytest.approx([total, size], abs=CLOSE * max(size, 1e-3) + 1e-6), name


@pytest.mark.parametrize("case", pinned.NAMES)
def test_model_folders_of_0_1_load(case, tmp_path):
    known = json.loads((pinned.HERE / f"{case}.json").read_text())
    random = torch.Generator().manual_seed(0)
    shapes = {name: shape for name, (shape, *_) in known["tensors"].items() if name != "samples"}
    tensors = {name: 0.1 * torch.randn(shape, generator=random).abs() for name, shape in shapes.items()}
    (tmp_path / "model.json").write_text(json.dumps(known["model"]))
    safetensors.torch.save_file(tensors, tmp_path / "weights.safetensors")
    model = sparring.load(tmp_path)
    made = pinned.samples(model)
    assert list(made.shape) == known["tensors"]["samples"][0]
    assert np.isfinite(made).all()
