"""StyleGAN2's game: truncation of style vectors, and path length regularization."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import sqrt

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sparring.data.tensors import VALUES, Tensors
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.gan import GAN
from sparring.games.graph import DataKind, Graph, Spec
from sparring.games.space import StyleSpace
from sparring.games.terms import Term
from sparring.nets.stylegan2 import Generator


class StyleGAN(GAN):
    """One style-based generator against one discriminator."""

    G: Generator

    def draw(
        self,
        n: int,
        device: torch.device,
        truncation: float | None = None,  # noqa: ARG002
        length: int | None = None,
        every: float = 1.0,
        seeds: Mapping[str, int] | None = None,
    ) -> Tensor:
        """Latents of the prior, (n, width), not truncated: style vectors are truncated instead."""
        return super().draw(n, device, length=length, every=every, seeds=seeds)

    def space(self) -> StyleSpace:
        return StyleSpace(self.G, self.prior, next(self.parameters()).device)

    def sample_truncated(self, z: Tensor, condition: Tensor | None, truncation: float) -> Tensors:
        """Samples of style vectors interpolated from the mean style to their own. Karras et al. 2018, arXiv:1812.04948,
        appendix B.
        """
        style = self.G.mean_style().lerp(self.G.mapping(z, condition), truncation)
        return {VALUES: self.G.synthesis(style[:, None].expand(-1, self.G.styles, -1))}

    def graph(self, kind: DataKind, reverse: bool = False) -> Graph:
        """Samples with the noise of all layers as a further input."""
        graph = super().graph(kind, reverse)
        net = NoiseInput(self.G)
        noise = Spec("noise", ("n", len(net.own)), "normal noise of all layers; all 0 for the model's own")

        def draw(n: int, variation: int = 0) -> tuple[Tensor, ...]:
            return *graph.draw(n, variation), torch.randn(n, len(net.own)) * (variation > 0)

        return replace(graph, net=net, inputs=(*graph.inputs, noise), draw=draw)


class NoiseInput(nn.Module):
    """Latents (n, width)[, classes (n,)], noise (n, pixels) of all layers, one after the other -> images. A sample
    whose noise is 0 everywhere gets the noise that is stored in the model.

    Args:
        net: the generator.
    """

    own: Tensor

    def __init__(self, net: Generator) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("own", torch.cat([layer.get_buffer("noise").flatten() for layer in net.layers]))

    def forward(self, z: Tensor, *others: Tensor) -> Tensor:
        *label, noise = others
        noise = torch.where((noise == 0).all(1, keepdim=True), self.own, noise)
        maps, start = {}, 0
        for i, layer in enumerate(self.net.layers):
            side = layer.get_buffer("noise").shape[-1]
            maps[f"layers.{i}.noise"] = noise[:, start : start + side**2].reshape(-1, 1, side, side)
            start += side**2
        images: Tensor = functional_call(self.net, maps, (z, *label))
        return images


class PathLength(Term):
    """Path length regularization: the change of the image per change of the style vector should be constant. Karras et
    al. 2019, arXiv:1912.04958, eq. 4; of the step's own latents, each with one style.

    Args:
        G: the generator.
        weight: of the term, gamma_pl.
        every: interval in steps.
        shrink: it uses this fraction of a batch: one over `shrink`.
        decay: of the moving mean of the length.
    """

    mean: Tensor

    def __init__(self, G: Generator, weight: float, every: int = 4, shrink: int = 2, decay: float = 0.99) -> None:
        super().__init__("path_length", weight, of=("G",), every=every)
        self._G = (G,)  # in a tuple, so that its weights stay the generator's own
        self.shrink, self.decay = shrink, decay
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        (G,) = self._G
        some = slice(None, max(1, len(outputs.z) // self.shrink))
        condition = None if outputs.condition is None else outputs.condition[some]
        w = G.mapping(outputs.z[some], condition)[:, None].repeat(1, G.styles, 1)
        pictures = G.synthesis(w).float()
        noise = torch.randn_like(pictures) / sqrt(pictures[0, 0].numel())
        (slope,) = torch.autograd.grad((pictures * noise).sum(), w, create_graph=True)
        lengths = slope.float().square().sum(2).mean(1).sqrt()  # (n,)
        outputs.observe(path_length=lengths.mean())
        target = self.mean.lerp(lengths.detach().mean(), 1 - self.decay)
        apart: Tensor = (lengths - target).square().mean()
        return apart

    def after(self, observed: Mapping[str, Tensor]) -> None:
        self.mean.lerp_(observed["path_length"], 1 - self.decay)
