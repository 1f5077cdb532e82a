"""Tiny models, trained once for all tests of exporting and serving."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from torch.export import decomp_utils, exported_program
from torch.onnx._internal.exporter._registration import ONNXRegistry
from toy_models import CONVERTED_ONCE

import sparring

TINY = {"quiet": True, "device": "cpu", "batch": 8}


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """A folder with a tiny run of each kind of data. Tests must not change it."""
    folder = tmp_path_factory.mktemp("served")
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {"age": random.integers(18, 80, 80), "pay": random.normal(0, 1, 80).round(2), "job": list("xyzx") * 20}
    )
    rows["since"] = pd.date_range("2020-01-01", periods=80).strftime("%Y-%m-%d")
    rows.to_csv(folder / "rows.csv", index=False)
    close = 100 * np.exp(random.normal(0, 0.01, (300, 2)).cumsum(0))
    dates = pd.bdate_range("2020-01-01", periods=300, name="Date")
    pd.DataFrame(close.round(2), dates, ["A", "B"]).to_csv(folder / "series.csv")
    (folder / "photos").mkdir()
    for i in range(12):
        pixels = random.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "photos" / f"{i:02}.png")

    def trained(name, recipe, data, steps=2, **fields):
        sparring.train(recipe, data, out=folder / name, steps=steps, **TINY, **fields)

    trained("digits", "gan", "digits", G=(16,), D=(16,), z=4, labels=True)
    trained("points", "r3gan_mlp", "ring", G=8, D=8, z=4)
    trained("table", "table", folder / "rows.csv", width=8, D=8)
    trained("ctgan", "ctgan", folder / "rows.csv", G=8, D=8, pack=2)
    trained("series", "series", folder / "series.csv", width=8, window=30)
    trained("fill", "inpaint", folder / "photos", width=8, D=8, steps=1)
    trained("larger", "srgan", folder / "photos", width=8, D=8, steps=1)
    return folder


@pytest.fixture(scope="module")
def fast_exports():
    """Exports that time each net once, and convert it only once.

    Returns the patch, for further changes until the module ends.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.onnx.export", CONVERTED_ONCE)
        read = cache(ONNXRegistry.from_torchlib.__func__)  # all operators, .7 s
        patch.setattr(ONNXRegistry, "from_torchlib", classmethod(read))
        # The operators that PyTorch decomposes itself, twice per conversion, .1 s each.
        decomposed = cache(decomp_utils._collect_all_valid_cia_ops)
        for module in (decomp_utils, exported_program):
            patch.setattr(module, "_collect_all_valid_cia_ops", decomposed)
        patch.setattr("sparring.deploy.measure.MIN_ROUNDS", 1)
        patch.setattr("sparring.deploy.measure.MAX_SECONDS", 0.0)
        patch.setattr("sparring.deploy.measure.PAUSE", 0.0)
        yield patch


@pytest.fixture(scope="session")
def models(runs):
    """The models of these runs, by name."""
    names = ("digits", "points", "table", "ctgan", "series", "fill", "larger")
    return {name: sparring.load(runs / name) for name in names}
