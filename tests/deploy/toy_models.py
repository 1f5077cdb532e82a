"""Untrained models of every recipe at toy size, with weights and running statistics that hide nothing."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pandas as pd
import torch

from sparring import recipes
from sparring.data.items import Items
from sparring.model import Model

SMALL = {
    "z": 8, "width": 8, "G": 8, "D": 8, "hidden": (16, 16), "depth": 1, "group": 4, "growth": 4, "most": 8,
    "kernels": 4, "unroll": 2, "batch": 4, "pack": 2, "window": 8,
}  # fmt: skip


def toy(name: str, labels: bool = False, kind: str = "", **settings) -> Model:
    recipe = recipes.find(name)
    kind = kind or recipe.takes[-1].kind
    known = {f.name for f in fields(recipe)} - ({"hidden"} if kind == "images" else set())
    recipe = recipe.set({**{n: v for n, v in SMALL.items() if n in known}, **settings})
    modality = fitted(recipe.modality(kind), labels)
    torch.manual_seed(0)
    game = recipe.game(modality).eval()
    with torch.no_grad():
        for weight in game.parameters():
            weight.add_(0.1 * torch.randn_like(weight) * (1 + weight.abs().mean()))
        for buffer in game.named_buffers():
            _shaken(*buffer)
    return Model(recipe, modality, game, {"name": "toy", "step": 1, "seconds": 1.0})


def _shaken(name: str, buffer: torch.Tensor) -> None:
    if name.endswith("running_mean"):
        buffer.normal_()
    elif name.endswith("running_var"):
        buffer.uniform_(0.5, 2)
    elif name == "offset":
        buffer[8:].normal_()


def fitted(modality, labels: bool):
    random = np.random.default_rng(0)
    if modality.kind == "images":
        known = replace(modality, size=8, channels=3)
        return replace(known, classes=("a", "b"), counts=(3, 5)) if labels else known
    if modality.kind == "points":
        return modality.fit(Items("p", "points", random.normal(size=(50, 2))))
    if modality.kind == "rows":
        table = {
            "a": random.integers(0, 9, 60),
            "b": random.normal(size=60).round(2),
            "c": random.choice(list("xyz"), 60),
        }
        return modality.fit(Items("t", "rows", pd.DataFrame(table)))
    if modality.kind == "series":
        prices = 100 * np.exp(random.normal(0, 0.01, (400, 2)).cumsum(0))
        return modality.fit(Items("s", "series", pd.DataFrame(prices, columns=list("ab"))))
    known = replace(modality, size=16, channels=3, given=3)
    return replace(known, given=known.chain.channels(3)) if modality.kind == "degraded" else known
