"""Untrained models of every recipe at toy size, with random weights and running statistics that reveal errors."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from captions import captions
from songs import chorales
from things import write_stems, write_two_pictures

from sparring import recipes
from sparring.data.items import Items
from sparring.modalities import find
from sparring.modalities.molecules.records import Records
from sparring.model import Model

SMALL = {
    "z": 8, "width": 8, "G": 8, "D": 8, "hidden": (16, 16), "depth": 1, "group": 4, "growth": 4, "most": 8,
    "kernels": 4, "unroll": 2, "batch": 4, "pack": 2, "window": 8, "codes": 8, "inner": 16,
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
        for net in (*game.children(), game):
            torch.manual_seed(0)  # so that G is the same for recipes that differ only in D
            for weight in net.parameters(recurse=net is not game):
                weight.add_(0.1 * torch.randn_like(weight) * (1 + weight.abs().mean()))
            for buffer in net.named_buffers(recurse=net is not game):
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
    if modality.kind == "audio":
        known = replace(modality, rate=8000, channels=1, length=1024, side=32 if modality.form == "mel" else 0)
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
    if modality.kind == "molecule graphs":
        smiles = ("CCO", "CCN", "CC=O", "c1ccccc1", "CC#N")
        return modality.fit(Items("m", "molecules", Records(smiles, "line", np.arange(5) + 1)))
    if modality.kind == "series":
        prices = 100 * np.exp(random.normal(0, 0.01, (400, 2)).cumsum(0))
        return modality.fit(Items("s", "series", pd.DataFrame(prices, columns=list("ab"))))
    if modality.kind == "video":
        known = replace(modality, size=16, channels=3, frames=4, rate=10.0, loop=False, stride=4)
        return replace(known, classes=("a", "b"), counts=(3, 5)) if labels else known
    if modality.kind == "text":
        return modality.fit(find([text for text, _ in captions(40)]))
    if modality.kind == "completed video":
        return replace(modality, size=16, channels=3, frames=len(modality.known), rate=10.0, loop=False, stride=4)
    if modality.kind == "degraded video":
        return replace(modality, size=16, wide=16, channels=3, given=modality.chain.channels(3), rate=10.0, every=5)
    if modality.kind in ("music", "rolls"):
        with TemporaryDirectory() as folder:
            return replace(modality, bars=1).fit(find(chorales(Path(folder), 8), [type(modality)]))
    if modality.kind == "joint":
        with TemporaryDirectory() as folder:
            write = write_stems if modality.giving else write_two_pictures
            return modality.fit(find(write(Path(folder) / "things"), [type(modality)]))
    if "audio" in modality.reads:  # sounds of sounds
        known = replace(modality, rate=8000, channels=1, length=1024, size=64, hop=16)
        return replace(known, mels=12) if modality.kind == "vocoded" else known
    known = replace(modality, size=16, channels=3, given=3)
    return replace(known, given=known.chain.channels(3)) if modality.kind == "degraded" else known


def _once(convert):
    """`torch.onnx.export` that does not convert a program twice if it has the same operators and weights."""
    known = {}

    def converted(program, **settings):
        key = hashlib.sha256(repr(settings | {"sides": program.range_constraints}).encode())
        kept = program.graph_signature.inputs_to_parameters | program.graph_signature.inputs_to_buffers
        tensors = {**program.state_dict, **program.constants}
        for node in program.graph.nodes:
            if node.op == "placeholder" and not node.users:
                continue  # such as the weights of D
            key.update(f"{node.format_node()} {node.meta.get('val')}".encode())
            if node.op == "placeholder" and node.name in kept:
                key.update(tensors[kept[node.name]].detach().contiguous().numpy().tobytes())
        if key.digest() not in known:
            known[key.digest()] = convert(program, **settings).model_proto
        return SimpleNamespace(model_proto=copy.deepcopy(known[key.digest()]))

    return converted


CONVERTED_ONCE = _once(torch.onnx.export)
