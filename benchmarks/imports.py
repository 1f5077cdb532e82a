"""Measures how far imported weights are from the nets that they were published with, and writes the table of
docs/coming-from.md.

Each layout is written a second time from PyTorch's layers alone (published.py). With random weights of the published
sizes, both compute the same inputs; the published weights themselves are not downloaded.

    python benchmarks/imports.py
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

import published
from pages import put, table
from sparring.model import Model
from sparring.recipes.peers import PEERS
from sparring.use.imports import import_model

PAGE = Path("docs") / "coming-from.md"
INPUTS = 4  # of each layout
SIDE, FRAMES = 256, 32  # pixels of a side of images, frames of spectrograms
Computed = Callable[[Model, Tensor], Tensor]


def layouts() -> Iterator[tuple[str, str, nn.Module, Tensor, Computed, dict[str, object] | None]]:
    """Layout, what it is, the published net, inputs, what the imported model computes of them, and its JSON."""
    image, mel = torch.rand(1, 3, SIDE, SIDE) * 2 - 1, torch.randn(1, 80, FRAMES)

    def apply(model: Model, x: Tensor) -> Tensor:
        return model.mapper().net(x)

    for blocks in (6, 9):
        yield "cyclegan", f"resnet_{blocks}blocks", published.Resnet(64, blocks), image, apply, None
    for depth in (7, 8):
        yield "pix2pix", f"unet_{2**depth}", published.Unet(depth), image, apply, None
    for version, config in published.HIFIGAN.items():
        yield "hifigan", version, published.Vocoder(config), mel, apply, config
    for size, base, depth in ((32, 32768, 2), (256, 16384, 2), (1024, 32768, 8)):
        style = published.Style(512, size, base, depth=depth)
        yield "stylegan2", f"{size} pixels", style, torch.randn(1, 512), lambda m, z: m.game.G(z), None
    for size in (128, 256):
        light = published.Lightweight(size)
        yield "lightweight-gan", f"{size} pixels", light, torch.randn(1, 256), lambda m, z: (m.game.G(z) + 1) / 2, None
    latents = torch.randn(1, 100, 1, 1)
    yield "dcgan", "64 pixels", published.Tutorial(), latents, lambda m, z: m.game.G(z[:, :, 0, 0]), None


@torch.no_grad()
def compared(
    peer: str, net: nn.Module, like: Tensor, computed: Computed, config: dict[str, object] | None, folder: Path
) -> tuple[float, float]:
    """The largest difference of all outputs, and their standard deviation."""
    net.randomize() if hasattr(net, "randomize") else published.randomize(net)
    torch.save(net.published() if config else net.state_dict(), folder / "weights.pth")
    (folder / "config.json").write_text(json.dumps(config))
    model = import_model(
        peer, [folder / "weights.pth"], folder / "model", folder / "config.json" if config else None, force=True
    )
    differences, outputs = [], []
    for seed in range(INPUTS):
        x = torch.empty_like(like).normal_(generator=torch.Generator().manual_seed(seed))
        outputs.append(net(x.clone()))
        differences.append((computed(model, x) - outputs[-1]).abs().max().item())
    return max(differences), torch.cat(outputs).std().item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, default=PAGE, help="the page with the table")
    page = parser.parse_args().page
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for peer, variant, net, like, computed, config in layouts():
            largest, deviation = compared(peer, net, like, computed, config, Path(folder))
            parameters = sum(weight.numel() for weight in net.parameters())
            name = f"[{peer}]({PEERS[peer].url}) {variant}"
            rows.append([name, f"{parameters:,}", f"{largest:.1e}", f"{deviation:.2f}", f"{largest / deviation:.1e}"])
            print(" | ".join(rows[-1]), flush=True)
    head = ["layout", "parameters", "largest difference", "standard deviation of the output", "ratio"]
    put(page, __file__, table(head, rows))


if __name__ == "__main__":
    main()
