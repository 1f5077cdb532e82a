"""Pretrained nets whose features papers use for comparison. Their weights are installed with a package
(`efficientnet_lite`), downloaded once, or copied by hand.
"""

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
from sparring.nets import efficientnet_lite

IMAGENET = "imagenet"  # features of EfficientNet-Lite0
SMALL, LARGE = 128, 224  # pixels: images up to SMALL are enlarged to it, others are resized to LARGE, as the net's own
TOGETHER = 32  # images that EfficientNet-Lite0 takes at a time, so that its maps stay small
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights.

    Attributes:
        file: its name.
        url: where its authors published it; "" if it must be copied by hand.
        sha256: of the published file; "" if it is not checked.
        content: the net in the file, and how to create it.
    """

    file: str
    url: str
    sha256: str
    content: str


FILES = {
    # The net of the FID papers (Heusel et al. 2017, arXiv:1706.08500) as TorchScript, from StyleGAN2-ADA.
    "inception": WeightsFile(
        "inception-2015-12-05.pt",
        "https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/inception-2015-12-05.pt",
        "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4",
        "Inception-v3 as TorchScript",
    ),
    # Simonyan and Zisserman 2014, arXiv:1409.1556; as a loss, Ledig et al. 2016, arXiv:1609.04802.
    "vgg": WeightsFile(
        "vgg19.pt",
        "",
        "",
        "VGG19's convolutions as TorchScript (torch.jit.trace of torchvision's vgg19().features[:35])",
    ),
    # Zhang et al. 2018, arXiv:1801.03924, and Ding et al. 2020, arXiv:2004.07728.
    "lpips": WeightsFile("lpips.pt", "", "", "LPIPS as TorchScript (torch.jit.trace of lpips.LPIPS() on two images)"),
    "dists": WeightsFile("dists.pt", "", "", "DISTS as TorchScript (torch.jit.trace of DISTS() on two images)"),
    # Oquab et al. 2023, arXiv:2304.07193; for evaluation, Stein et al. 2023, arXiv:2306.04675.
    "dinov2": WeightsFile(
        "dinov2.pt", "", "", "DINOv2 as TorchScript (torch.jit.trace of the model at 3 x 224 x 224, then .save)"
    ),
}


@lru_cache
def load(name: str) -> Callable[[Tensor], Tensor]:
    """Images (n, channels, h, w) in [-1, 1] -> features of a net for evaluation, "imagenet", "inception" or "dinov2".

    Images are resized with antialiasing (Parmar et al. 2022, arXiv:2104.11222).

    Raises:
        InputError: if its weights are not on this machine and cannot be downloaded.
    """
    if name == IMAGENET:
        efficientnet_lite.check()
        return torch.no_grad()(_imagenet)
    net = _net(name)

    def inception(x: Tensor) -> Tensor:
        features: Tensor = net.to(x.device)(_resized(x, 299).mul(127.5).add(127.5).clamp(0, 255), return_features=True)
        return features

    def dinov2(x: Tensor) -> Tensor:
        features: Tensor = net.to(x.device)(_normalized(_resized(x, 224)))
        return features

    return torch.no_grad()(inception if name == "inception" else dinov2)


@lru_cache
def vgg_features() -> Callable[[Tensor], Tensor]:
    """Images (n, channels, h, w) in [-1, 1] -> maps of VGG19's last convolutions, differentiable.

    Raises:
        InputError: if its weights are not on this machine.
    """
    net = _net("vgg")

    def features(x: Tensor) -> Tensor:
        maps: Tensor = net.to(x.device)(_normalized(as_rgb(x.float())))
        return maps

    return features


def _imagenet(x: Tensor) -> Tensor:
    """Pooled features (n, 1280) of EfficientNet-Lite0."""
    net, side = efficientnet_lite.load(x.device), SMALL if max(x.shape[-2:]) <= SMALL else LARGE
    return torch.cat([net.pooled(_resized(part.float(), side)) for part in torch.split(x, TOGETHER)])


DISTANCES = ("lpips", "dists")


@lru_cache
def distance(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    """Two batches of images (n, channels, h, w) in [-1, 1] -> the perceptual distance of each pair, (n,). The net of
    DISTS takes images in [0, 1], that of LPIPS in [-1, 1].

    Raises:
        InputError: if its weights are not on this machine.
    """
    net = _net(name)

    def perceptual(a: Tensor, b: Tensor) -> Tensor:
        a, b = as_rgb(a), as_rgb(b)
        values: Tensor = net.to(a.device)(a, b) if name == "lpips" else net.to(a.device)(a / 2 + 0.5, b / 2 + 0.5)
        return values.flatten()

    return torch.no_grad()(perceptual)


def _net(name: str) -> torch.jit.ScriptModule:
    path = _local(FILES[name])
    try:
        net: torch.jit.ScriptModule = torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise InputError(f"{path} is not {FILES[name].content}; put that file there") from error
    for weight in net.parameters():
        weight.requires_grad_(False)
    return net


def _normalized(x: Tensor) -> Tensor:
    """Images in [-1, 1], standardized by ImageNet's means and deviations."""
    channels = [
        (x[:, i] / 2 + 0.5 - mean) / deviation
        for i, (mean, deviation) in enumerate(zip(IMAGENET_MEAN, IMAGENET_DEVIATION, strict=True))
    ]
    return torch.stack(channels, 1)


def as_rgb(x: Tensor) -> Tensor:
    """Images with three channels: grayscale is repeated, alpha is blended with white."""
    if x.shape[1] in (2, 4):
        alpha = x[:, -1:] / 2 + 0.5
        x = x[:, :-1] * alpha + 1 - alpha
    return x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x


def _resized(x: Tensor, size: int) -> Tensor:
    """RGB images of size x size pixels."""
    return F.interpolate(as_rgb(x), (size, size), mode="bicubic", antialias=True).clamp(-1, 1)


def _local(weights: WeightsFile) -> Path:
    """Path of the file on this machine; it is downloaded if it is missing."""
    paths = [folder / weights.file for folder in places("weights")]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        content = _downloaded(weights, paths[-1])
        if not _as_published(weights, content):
            raise InputError(
                f"{weights.url} has changed or was damaged in transfer; put the published file at {paths[-1]}"
            )
        write_bytes(paths[-1], content)
        return paths[-1]
    if not _as_published(weights, path.read_bytes()):
        raise InputError(f"{path} is not {weights.content} as published; delete it, or put the published file there")
    return path


def _as_published(weights: WeightsFile, content: bytes) -> bool:
    return not weights.sha256 or hashlib.sha256(content).hexdigest() == weights.sha256


def _downloaded(weights: WeightsFile, path: Path) -> bytes:
    cause = "it is not published in this form"
    if weights.url:
        try:
            with urllib.request.urlopen(weights.url, timeout=20) as response:
                content: bytes = response.read()
                return content
        except (OSError, HTTPException) as error:
            cause = str(getattr(error, "reason", error))
    source = f" from {weights.url}" if weights.url else ""
    raise InputError(
        f"{weights.content} is not on this machine ({cause}); put {weights.file}{source} into {path.parent}"
    )
