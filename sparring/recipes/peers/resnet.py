"""Generators of the CycleGAN repository, with residual blocks: `netG=resnet_9blocks` or `resnet_6blocks`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sparring.errors import InputError
from sparring.modalities import Unpaired
from sparring.recipes.cut import Cut
from sparring.recipes.cyclegan import Cyclegan
from sparring.recipes.peers.layout import UNUSED, Converted, Peer, State, Taken

SIZE = 256  # pixels of the images that it was trained with; those that it is applied to may have any size
BEFORE = 10  # places before the residual blocks: padding and three convolutions, each with norm and ReLU
OWN_BEFORE = 9  # the same in `Translator`, whose convolutions pad
STRIDED = {4: 3, 7: 6}  # places of the convolutions that halve the image, there and in `Translator`


def generator(state: State) -> tuple[State, dict[str, Any]]:
    """The state of `Translator`, and its fields."""
    taken = Taken(state, UNUSED)
    blocks = len({name.split(".")[1] for name in state if ".conv_block." in name})
    if not blocks:
        raise InputError("its layout is another one: it has no residual blocks")
    moved = taken.layer("model.1", "layers.0")
    for place, own in STRIDED.items():
        moved |= taken.layer(f"model.{place}", f"layers.{own}")
    for i in range(blocks):
        block = f"model.{BEFORE + i}.conv_block"
        second = 6 if taken.has(f"{block}.6.weight") else 5  # after a dropout, or without one
        for place, own in ((1, 0), (second, 3)):
            moved |= taken.layer(f"{block}.{place}", f"layers.{OWN_BEFORE + i}.layers.{own}")
    for place in (0, 3):
        moved |= taken.layer(f"model.{BEFORE + blocks + place}", f"layers.{OWN_BEFORE + blocks + place}")
    moved |= taken.layer(f"model.{BEFORE + blocks + 7}", f"layers.{OWN_BEFORE + blocks + 6}")
    taken.finish()
    width, given = moved["layers.0.weight"].shape[:2]
    channels = len(moved[f"layers.{OWN_BEFORE + blocks + 6}.bias"])
    if given != channels:
        raise InputError(f"it turns images of {given} channels into ones of {channels}; both must have as many")
    return moved, {"G": width, "depth": blocks, "channels": channels}


def convert(states: Sequence[State], _: Mapping[str, Any]) -> Converted:
    """One generator is a model of one direction, and two that belong together are one of both."""
    nets, fields = zip(*map(generator, states), strict=True)
    if any(other != fields[0] for other in fields):
        raise InputError("the two generators differ in their sizes; give those of one training")
    channels = fields[0].pop("channels")
    modality = Unpaired(size=SIZE, channels=channels, given=channels, folders=("A", "B"))
    settings = {**fields[0], "up": "transposed", "padding": "zeros", "size": SIZE}
    if len(nets) == 2:
        return Converted(Cyclegan().set(settings), modality, dict(zip(("AB", "BA"), nets, strict=True)))
    one = {f"net.{name}": tensor for name, tensor in nets[0].items()}
    return Converted(Cut().set(settings), modality, {"G": one})


PEER = Peer(
    name="cyclegan",
    title="CycleGAN (resnet_9blocks, resnet_6blocks)",
    url="https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix",
    does="translate images",
    files=("latest_net_G_A.pth, or latest_net_G.pth", "[latest_net_G_B.pth for the opposite direction]"),
    convert=convert,
)
