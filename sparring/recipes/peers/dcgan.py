"""Generators of PyTorch's DCGAN tutorial and example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from sparring.modalities import Images
from sparring.recipes.dcgan import Dcgan
from sparring.recipes.peers.layout import Converted, Peer, State, Taken

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
PLACES = 3  # of a transposed convolution with norm and ReLU
HALVINGS = 4  # from 64 pixels to 4
SIZE = 64


def convert(states: Sequence[State], _: Mapping[str, Any]) -> Converted:
    taken, moved = Taken(states[0]), dict[str, torch.Tensor]()
    for place in range(0, PLACES * HALVINGS, PLACES):
        moved |= taken.layer(f"main.{place}", f"layers.{place}", ("weight",))
        moved |= taken.layer(f"main.{place + 1}", f"layers.{place + 1}", NORM)
    last = PLACES * HALVINGS
    moved |= taken.layer(f"main.{last}", f"layers.{last}", ("weight",))
    taken.finish()
    width, channels = moved[f"layers.{last}.weight"].shape[:2]
    moved[f"layers.{last}.bias"] = torch.zeros(channels)  # the published layer has none
    recipe = Dcgan().set({"z": len(moved["layers.0.weight"]), "width": width, "size": SIZE})
    return Converted(recipe, Images(size=SIZE, channels=channels), {"G": moved})


PEER = Peer(
    name="dcgan",
    title="DCGAN tutorial of PyTorch",
    url="https://docs.pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html",
    does="generate images of 64 pixels",
    files=("netG_epoch_N.pth",),
    convert=convert,
)
