"""Nets of others, whose features papers compare by. Their weights are downloaded once, or put in place by hand."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from sparring.errors import InputError
from sparring.files import places, write_bytes

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, which DINOv2 was trained on the scale of
DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Known:
    """A file of weights.

    Attributes:
        file: its name.
        url: where its authors published it; nothing where it must be put in place by hand.
        sha256: of the file as published.
        what: it is, and how it is made.
    """

    file: str
    url: str
    sha256: str
    what: str


KNOWN = {
    # The net of the FID papers (Heusel et al. 2017, arXiv:1706.08500) as TorchScript, from StyleGAN2-ADA.
    "inception": Known(
        "inception-2015-12-05.pt",
        "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
        "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
        "Inception-v3 as TorchScript",
    ),
    # Simonyan and Zisserman 2014, arXiv:1409.1556; as a loss, Ledig et al. 2016, arXiv:1609.04802.
    "vgg": Known(
        "vgg19.pt",
        "",
        "",
        "VGG19's convolutions as TorchScript (torch.jit.trace of torchvision's vgg19().features[:35])",
    ),
    # Zhang et al. 2018, arXiv:1801.03924, and Ding et al. 2020, arXiv:2004.07728.
    "lpips": Known("lpips.pt", "", "", "LPIPS as TorchScript (torch.jit.trace of lpips.LPIPS() on two pictures)"),
    "dists": Known("dists.pt", "", "", "DISTS as TorchScript (torch.jit.trace of DISTS() on two pictures)"),
    # Oquab et al. 2023, arXiv:2304.07193; for judging, Stein et al. 2023, arXiv:2306.04675.
    "dinov2": Known(
        "dinov2.pt", "", "", "DINOv2 as TorchScript (torch.jit.trace of the model at 3 x 224 x 224, then .save)"
    ),
}


@lru_cache
def load(name: str) -> Callable[[Tensor], Tensor]:
    """Pictures (n, channels, h, w) in [-1, 1] -> features, as the net of this name makes them.

    Pictures are resized with antialiasing (Parmar et al. 2022, arXiv:2104.11222).

    Raises:
        InputError: where its weights are not on this machine, and cannot be downloaded.
    """
    net = _net(name)

    def inception(x: Tensor) -> Tensor:
        found: Tensor = net.to(x.device)(_resized(x, 299).mul(127.5).add(127.5).clamp(0, 255), return_features=True)
        return found

    def dinov2(x: Tensor) -> Tensor:
        found: Tensor = net.to(x.device)(_normed(_resized(x, 224)))
        return found

    return torch.no_grad()(inception if name == "inception" else dinov2)


@lru_cache
def perceived() -> Callable[[Tensor], Tensor]:
    """Pictures (n, channels, h, w) in [-1, 1] -> maps of VGG19's last convolutions, differentiable.

    Raises:
        InputError: where its weights are not on this machine.
    """
    net = _net("vgg")

    def features(x: Tensor) -> Tensor:
        found: Tensor = net.to(x.device)(_normed(_coloured(x.float())))
        return found

    return features


DISTANCES = ("lpips", "dists")


@lru_cache
def distance(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Two sets of pictures (n, channels, h, w) in [-1, 1] -> how unlike people find each two, (n,). DISTS takes
    pictures in [0, 1], LPIPS as they are.

    Raises:
        InputError: where its weights are not on this machine.
    """
    net = _net(name)

    def apart(a: Tensor, b: Tensor) -> Tensor:
        a, b = _coloured(a), _coloured(b)
        found: Tensor = net.to(a.device)(a, b) if name == "lpips" else net.to(a.device)(a / 2 + 0.5, b / 2 + 0.5)
        return found.flatten()

    return torch.no_grad()(apart)


def _net(name: str) -> torch.jit.ScriptModule:
    place = _found(KNOWN[name])
    try:
        net: torch.jit.ScriptModule = torch.jit.load(str(place), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise InputError(f"{place} is not {KNOWN[name].what}; put that there") from error
    for weight in net.parameters():
        weight.requires_grad_(False)
    return net


def _normed(x: Tensor) -> Tensor:
    """Pictures in [-1, 1] on the scale of ImageNet."""
    mean, deviation = (x.new_tensor(values).view(3, 1, 1) for values in (MEAN, DEVIATION))
    return (x / 2 + 0.5 - mean) / deviation


def _coloured(x: Tensor) -> Tensor:
    """Three colours, whatever there are: alpha on white."""
    if x.shape[1] in (2, 4):
        alpha = x[:, -1:] / 2 + 0.5
        x = x[:, :-1] * alpha + 1 - alpha
    return x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x


def _resized(x: Tensor, size: int) -> Tensor:
    """Of one size, with three colours."""
    return F.interpolate(_coloured(x), (size, size), mode="bicubic", antialias=True).clamp(-1, 1)


def _found(known: Known) -> Path:
    """Where the file is, downloaded where it is not here yet."""
    here = [place / known.file for place in places("weights")]
    place = next((path for path in here if path.is_file()), None)
    if place is None:
        content = _downloaded(known, here[-1])
        if not _published(known, content):
            raise InputError(f"{known.url} has changed or was damaged on the way; put the right file at {here[-1]}")
        write_bytes(here[-1], content)
        return here[-1]
    if not _published(known, place.read_bytes()):
        raise InputError(f"{place} is not {known.what} as published; remove it, or put the right file there")
    return place


def _published(known: Known, content: bytes) -> bool:
    return not known.sha256 or hashlib.sha256(content).hexdigest() == known.sha256


def _downloaded(known: Known, place: Path) -> bytes:
    cause = "it is not published in this form"
    if known.url:
        try:
            with urllib.request.urlopen(known.url, timeout=20) as response:
                content: bytes = response.read()
                return content
        except (OSError, HTTPException) as error:
            cause = str(getattr(error, "reason", error))
    source = f" from {known.url}" if known.url else ""
    raise InputError(f"{known.what} is not on this machine ({cause}); put {known.file}{source} into {place.parent}")
