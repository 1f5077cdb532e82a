"""Generators of lightweight-gan, version 1.2, without `--antialias` and `--freq-chan-attn`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sparring.errors import InputError
from sparring.modalities import Images
from sparring.recipes.lightweight import Lightweight
from sparring.recipes.peers.layout import Converted, Peer, State, Taken

NORM = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
# Names in the attention, and their own ones.
NORMS = {"g": "weight", "b": "bias"}
CONVS = {
    "to_lin_q": "far_q", "to_lin_kv.net.0": "far_kv.0", "to_lin_kv.net.1": "far_kv.1",
    "to_q": "near_q", "to_kv": "near_kv",
}  # fmt: skip
AVERAGED = "GE."  # names of the averaged generator, in the state of both players


def convert(states: Sequence[State], _: Mapping[str, Any]) -> Converted:
    state = states[0]
    averaged = {name.removeprefix(AVERAGED): tensor for name, tensor in state.items() if name.startswith(AVERAGED)}
    taken = Taken(averaged or state)
    moved = taken.layer("initial_conv.0", "first.0") | taken.layer("initial_conv.1", "first.1", NORM)
    depth, attention = 0, []
    while taken.has(f"layers.{depth}.0.0.net.0.weight"):
        moved |= _up(taken, f"layers.{depth}.0", f"ups.{depth}")
        if taken.has(f"layers.{depth}.1.to_k.weight"):
            moved |= _excitation(taken, f"layers.{depth}.1", f"excitations.{depth}")
        if taken.has(f"layers.{depth}.2.norm.g"):
            moved |= _attention(taken, f"layers.{depth}.2", f"attention.{depth}")
            attention.append(4 * 2**depth)
        depth += 1
    if not depth:
        raise InputError(
            "its layout is that of another version: layers.0.0.0.net.0.weight is missing; 1.2 is supported"
        )
    moved |= _picture(taken)
    taken.finish()
    wide = [len(moved[f"ups.{i}.4.bias"]) // 2 for i in range(depth)]
    latents, size = len(moved["first.0.weight"]), 4 * 2**depth
    base, most = _sizes(wide)
    fields = {"z": latents, "base": base, "most": most, "attention": tuple(attention), "size": size}
    modality = Images(size=size, channels=len(moved["picture.bias"]))
    return Converted(Lightweight().set(fields), modality, {"G": moved})


def _sizes(wide: Sequence[int]) -> tuple[int, int]:
    """`base` and `most` of nets with these channels at 4, 8, ... pixels."""
    products = [4 * 2**i * channels for i, channels in enumerate(wide[:6])]  # later ones have 3
    return max(products), wide[0]


def _up(taken: Taken, name: str, to: str) -> State:
    return {
        **taken.layer(f"{name}.0.net.0", f"{to}.0"),
        **taken.layer(f"{name}.2.1", f"{to}.4"),
        f"{to}.5.strength": taken.take(f"{name}.3.weight")[0],
        **taken.layer(f"{name}.4", f"{to}.6", NORM),
    }


def _excitation(taken: Taken, name: str, to: str) -> State:
    return {
        **taken.layer(f"{name}.to_k", f"{to}.weight"),
        **taken.layer(f"{name}.net.0", f"{to}.layers.0"),
        **taken.layer(f"{name}.net.2", f"{to}.layers.2"),
    }


def _attention(taken: Taken, name: str, to: str) -> State:
    moved = {f"{to}.norm.{own}": taken.take(f"{name}.norm.{part}").flatten() for part, own in NORMS.items()}
    for part, own in CONVS.items():
        moved |= taken.layer(f"{name}.fn.{part}", f"{to}.{own}", ("weight",))
    return moved | taken.layer(f"{name}.fn.to_out", f"{to}.out")


def _picture(taken: Taken) -> State:
    """The last convolution. The published one ends in values from 0 to 1, here they are from -1 to 1."""
    return {
        "picture.weight": 2 * taken.take("out_conv.weight"),
        "picture.bias": 2 * taken.take("out_conv.bias") - 1,
    }


PEER = Peer(
    name="lightweight-gan",
    title="lightweight-gan (1.2)",
    url="https://github.com/lucidrains/lightweight-gan",
    does="generate images",
    files=("model_N.pt",),
    convert=convert,
    inside=("GAN",),
)
