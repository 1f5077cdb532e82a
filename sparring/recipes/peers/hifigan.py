"""Generators of the HiFi-GAN repository, V1 to V3, with the JSON that lies beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from sparring.errors import InputError
from sparring.json_files import mismatch
from sparring.modalities import Vocoded
from sparring.nets.hifigan import DILATIONS, KERNELS, STRIDES, Version
from sparring.recipes.hifigan import HifiGan
from sparring.recipes.peers.layout import Converted, Peer, State, Taken


class Config(TypedDict):
    """The part of the JSON that says what the net is, and what its spectrograms are."""

    resblock: str
    upsample_rates: list[int]
    upsample_kernel_sizes: list[int]
    upsample_initial_channel: int
    resblock_kernel_sizes: list[int]
    resblock_dilation_sizes: list[list[int]]
    segment_size: int
    num_mels: int
    n_fft: int
    hop_size: int
    win_size: int
    sampling_rate: int
    fmin: float
    fmax: float | None


VERSIONS: dict[str, Version] = {"1": "V1", "2": "V3"}  # by the name of the residual blocks


def convert(states: Sequence[State], config: Mapping[str, Any]) -> Converted:
    if problem := mismatch(config, Config):
        raise InputError(f"its JSON is another one: {problem}")
    version = _version(config)
    modality = Vocoded(
        rate=config["sampling_rate"], channels=1, length=config["segment_size"], size=config["n_fft"],
        hop=config["hop_size"], mels=config["num_mels"], bands="area", high=float(config["fmax"] or 0),
    )  # fmt: skip
    width, mels = config["upsample_initial_channel"], config["num_mels"]
    fields = {"version": version, "width": width, "mels": mels, "bands": "area", "high": modality.high}
    rate, frame, hop = config["sampling_rate"], config["n_fft"], config["hop_size"]
    recipe = HifiGan().set({**fields, "rate": rate, "frame": frame, "hop": hop})
    return Converted(recipe, modality, {"G": _moved(states[0], version)})


def _version(config: Mapping[str, Any]) -> Version:
    """The version of a net.

    Raises:
        InputError: if it is none of the published ones, or its spectrograms begin above 0 Hz or have padded frames.
    """
    version = VERSIONS.get(config["resblock"])
    if version is None:
        raise InputError(f"its resblock is {config['resblock']!r}; only '1' and '2' are known")
    expected = {
        "upsample_rates": list(STRIDES[version]),
        "upsample_kernel_sizes": [2 * stride for stride in STRIDES[version]],
        "resblock_kernel_sizes": list(KERNELS[version]),
        "resblock_dilation_sizes": [list(dilations) for dilations in DILATIONS[version]],
        "win_size": config["n_fft"],
        "fmin": 0,
    }
    for name, value in expected.items():
        if config[name] != value:
            raise InputError(f"its {name} is {config[name]}; only {value} is supported")
    return version


def _moved(state: State, version: Version) -> State:
    """The state of `hifigan.HifiGan`."""
    taken, moved, kernels = Taken(state), State(), len(KERNELS[version])
    moved |= _normed(taken, "conv_pre", "first") | _normed(taken, "conv_post", "last")
    for i in range(len(STRIDES[version])):
        moved |= _normed(taken, f"ups.{i}", f"ups.{i}")
        for j, dilations in enumerate(DILATIONS[version]):
            there, here = f"resblocks.{i * kernels + j}", f"stages.{i}.{j}"
            lists = {"convs1": "dilated", "convs2": "plain"} if version == "V1" else {"convs": "convs"}
            for name, own in lists.items():
                for k in range(len(dilations)):
                    moved |= _normed(taken, f"{there}.{name}.{k}", f"{here}.{own}.{k}")
    taken.finish()
    return moved


def _normed(taken: Taken, name: str, to: str) -> State:
    """A layer with weight normalization, which may have been removed from the published one."""
    if taken.has(f"{name}.weight"):
        direction = taken.take(f"{name}.weight")
        size = direction.flatten(1).norm(dim=1)[:, None, None]
    else:
        size, direction = taken.take(f"{name}.weight_g"), taken.take(f"{name}.weight_v")
    weight = f"{to}.parametrizations.weight"
    return {f"{weight}.original0": size, f"{weight}.original1": direction, f"{to}.bias": taken.take(f"{name}.bias")}


PEER = Peer(
    name="hifigan",
    title="HiFi-GAN (V1, V2, V3)",
    url="https://github.com/jik876/hifi-gan",
    does="make sounds of spectrograms",
    files=("generator_v1 or g_N",),
    convert=convert,
    inside=("generator",),
    configured=True,
)
