"""Nets around a game's nets, through which samples are made of inputs alone: nothing is drawn within."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sparring.games.filled import FilledGAN
from sparring.games.game import Game
from sparring.modalities import Images
from sparring.nets import stylegan2, table


class Sampler(nn.Module):
    """Latents (n, width) or (n, steps, channels)[, labels (n, ...)] -> samples."""

    def __init__(self, game: Game) -> None:
        super().__init__()
        self.game = game

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.game.values(z.flatten(1), label)


class Styled(nn.Module):
    """Latents (n, width)[, labels (n,)], noise (n, pixels) of all layers, one after the other -> pictures. Where all of
    a sample's noise is 0, it is the model's own.
    """

    def __init__(self, net: stylegan2.Generator) -> None:
        super().__init__()
        self.net = net
        self.own: Tensor
        self.register_buffer("own", torch.cat([layer.get_buffer("noise").flatten() for layer in net.layers]))

    def forward(self, z: Tensor, *others: Tensor) -> Tensor:
        *label, noise = others
        noise = torch.where((noise == 0).all(1, keepdim=True), self.own, noise)
        maps, begin = {}, 0
        for i, layer in enumerate(self.net.layers):
            side = layer.get_buffer("noise").shape[-1]
            maps[f"layers.{i}.noise"] = noise[:, begin : begin + side**2].reshape(-1, 1, side, side)
            begin += side**2
        made: Tensor = functional_call(self.net, maps, (z, *label))
        return made


class Polished(nn.Module):
    """Latents (n, draws, width), codes (n, columns), and which of them stay (n, columns) -> rows, as
    `FilledGAN.sampled` makes them, but with the columns always in the same order.
    """

    def __init__(self, game: FilledGAN) -> None:
        super().__init__()
        self.game = game
        assert isinstance(game.G, table.Generator)
        spans = game.G.spans
        columns = [*(i for i in range(spans.spans) if i != game.last), game.last]
        self.spans, self.order = spans, columns * game.sweeps
        self.columns: Tensor
        self.register_buffer("columns", torch.arange(spans.spans), persistent=False)

    @property
    def draws(self) -> int:
        """Latents of a row."""
        return 1 + len(self.order)

    def forward(self, z: Tensor, label: Tensor, keep: Tensor) -> Tensor:
        game, spans = self.game, self.spans
        x = game.values(z[:, 0] + game.offset, label)
        for i, column in enumerate(self.order):
            codes = torch.where(self.columns == column, -1, spans.codes(x[:, : spans.places]))
            anew = game.values(z[:, i + 1] + game.offset, codes)
            x = torch.where(keep[:, column, None], x, anew)
        return x


class InBytes(nn.Module):
    """A net that makes pictures, with bytes (n, h, w, c) for what it gives, and for pictures that it takes."""

    def __init__(self, net: nn.Module, modality: Images) -> None:
        super().__init__()
        self.net, self.modality = net, modality

    def forward(self, first: Tensor, *others: Tensor) -> Tensor:
        return self.rounded(self.exact(first, *others))

    def exact(self, first: Tensor, *others: Tensor) -> Tensor:
        """What is rounded to bytes, (n, c, h, w) in [-1, 1]."""
        if self.modality.source is not None:
            first = self.modality.scale(first.permute(0, 3, 1, 2))
        made: Tensor = self.net(first, *others)
        return made

    def rounded(self, made: Tensor) -> Tensor:
        """The bytes of it."""
        return self.modality.unscale(made).permute(0, 2, 3, 1)
