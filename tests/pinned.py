"""Small models whose tensors and model files must not change while the code is rearranged.

`python tests/pinned.py` trains them and writes `tests/pinned/<case>.json`. The files in the repository were written by
Sparring 0.1, so they also prove that its model folders still load.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import fields as fields_of
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import sparring
from sparring import recipes

HERE = Path(__file__).parent / "pinned"
STEPS = 4
SMALL = {
    "z": 8, "width": 8, "G": 8, "D": 8, "hidden": (16, 16), "depth": 1, "group": 4, "growth": 4, "most": 8,
    "kernels": 4, "unroll": 2, "batch": 4, "pack": 2,
}  # fmt: skip
CASES = {
    "points": ("gan", "r3gan_mlp", "mgan"),
    "images": (
        "dcgan", "wgan_gp", "stylegan2", "r3gan", "r3gan_strided", "fastgan", "infogan", "acgan", "vaegan", "vae",
        "improved_gan", "unrolled",
    ),
    "rows": ("table", "ctgan"),
    "series": ("series", "quantgan", "timegan"),
    "pairs": ("pix2pix",),
    "unpaired": ("cyclegan", "cut"),
    "degraded": ("esrgan", "inpaint"),
}  # fmt: skip
NAMES = [f"{kind}-{recipe}" for kind, names in CASES.items() for recipe in names]


def data(kind: str, folder: Path) -> str:
    """A data set of a kind, always the same."""
    random = np.random.default_rng(7)
    if kind == "images":
        return "digits"
    if kind == "points":
        np.save(folder / "points.npy", random.normal(size=(60, 2)) * [1, 10] + [0, 5])
        return str(folder / "points.npy")
    if kind == "rows":
        lines = [f"{random.integers(9)},{random.normal():.2f},{'xyz'[random.integers(3)]}" for _ in range(80)]
        (folder / "rows.csv").write_text("\n".join(["a,b,c", *lines]))
        return str(folder / "rows.csv")
    if kind == "series":
        steps = random.normal(0, 0.01, (400, 2)).cumsum(0)
        lines = [",".join(f"{100 * np.exp(v):.2f}" for v in row) for row in steps]
        (folder / "series.csv").write_text("\n".join(["u,v", *lines]))
        return str(folder / "series.csv")
    place = folder / "pictures"
    for name in ("input", "target"):
        for i in range(24):
            file = place / ("test" if i < 4 else "train") / name / f"{i:02}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 255, (16, 16, 3), dtype=np.uint8)).save(file)
    return str(place)


def trained(case: str, folder: Path, fields: Mapping[str, Any] = {}, **changed: Any) -> sparring.Model:
    """The model of a case, and its run in `folder / "run"`.

    Args:
        fields: values of the recipe's fields that differ.
        changed: arguments of `sparring.train` that differ.
    """
    kind, name = case.split("-")
    recipe = recipes.find(name)
    known = {f.name for f in fields_of(recipe)}
    if kind == "images" and name in ("mgan", "unrolled"):
        known -= {"hidden"}
    elif kind == "points" and name == "mgan":
        known -= {"width"}
    settings: dict[str, Any] = {key: value for key, value in SMALL.items() if key in known}
    settings |= {"augment": "ada"} if name in ("dcgan", "fastgan") else {}
    settings |= {"perceptual": 0.0} if "perceptual" in known else {}
    settings |= {"window": 60} if name in ("series", "quantgan") else {}
    source = data(kind, folder)
    usual = {"out": folder / "run", "steps": STEPS, "quiet": True, "device": "cpu", "save_every": 1e9}
    return sparring.train(recipe.set(settings), source, **{**usual, **fields, **changed})


def outcome(model: sparring.Model) -> dict[str, list[Any]]:
    """Shape, sum and sum of absolute values of every tensor of a model, and of samples that it makes."""
    tensors = {name: t.double() for name, t in model.game.state_dict().items()}
    found = {name: [list(t.shape), float(t.sum()), float(t.abs().sum())] for name, t in tensors.items()}
    made = samples(model)
    found["samples"] = [list(made.shape), float(made.sum()), float(np.abs(made).sum())]
    return found


def samples(model: sparring.Model) -> np.ndarray:
    """Numbers of a few samples, always of the same latents or pictures."""
    random = np.random.default_rng(1)
    shape = getattr(model.modality, "given", None)
    if shape is not None:
        return model.apply(random.integers(0, 255, (19, 21, shape), dtype=np.uint8)).astype(np.float64)
    items = model.sample(8, seed=3).items
    if hasattr(items, "to_numpy"):
        items = items.select_dtypes("number").fillna(-1).to_numpy(np.float64)
    return np.asarray(items, np.float64)


if __name__ == "__main__":
    import tempfile

    torch.set_num_threads(1)
    for case in sys.argv[1:] or NAMES:
        with tempfile.TemporaryDirectory() as place:
            model = trained(case, Path(place))
            stored = json.loads((Path(place) / "run" / "model" / "model.json").read_text())
            stored["about"] |= {"data": Path(stored["about"]["data"]).name, "seconds": 0.0}
            content = {"model": stored, "tensors": outcome(model)}
            (HERE / f"{case}.json").write_text(json.dumps(content, indent=1) + "\n")
            print(case)
