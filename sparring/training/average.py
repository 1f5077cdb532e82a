"""The moving average of weights that becomes the model. Yazıcı et al. 2018, arXiv:1806.04498."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.utils.parametrizations import _SpectralNorm

from sparring.games.game import Game

EVERY = 4  # steps between updates: an average over thousands of samples does not see the difference


class Average:
    """A game whose averaged nets follow those of the game that is played; the others are its own.

    Floating buffers (batch norm's statistics) are averaged like weights; integers are copied, and so are a spectral
    norm's unit vectors, whose mean would be shorter.

    Args:
        game: the game that is played.
        halflife: samples after which a weight's old value counts half; 0 for no averaging.
        ramp: the half-life is at most this share of the samples so far, so that the first random
            weights are soon forgotten.
    """

    def __init__(self, game: Game, halflife: float, ramp: float) -> None:
        self.halflife, self.ramp = halflife, ramp
        own = {id(net): net for name, net in game.named_children() if name not in game.averaged}
        self.game = copy.deepcopy(game, memo=own)
        self._mine, self._theirs, self._copied = [], [], []
        for name in game.averaged:
            mine, theirs = getattr(self.game, name), getattr(game, name)
            mine.requires_grad_(False).eval()
            unit = {id(b) for m in theirs.modules() if isinstance(m, _SpectralNorm) for b in m.buffers()}
            for a, b in zip(_tensors(mine), _tensors(theirs), strict=True):
                if a.is_floating_point() and id(b) not in unit:
                    self._mine.append(a)
                    self._theirs.append(b)
                else:
                    self._copied.append((a, b))

    @torch.no_grad()
    def update(self, step: int, batch: int) -> None:
        """Follow the game after a step, each of so many samples; every few steps, for all of them."""
        if step % EVERY and step > EVERY:
            return
        halflife = min(self.halflife, self.ramp * step * batch) if self.ramp else self.halflife
        decay = 0.5 ** (EVERY * batch / halflife) if halflife > 0 else 0.0
        torch._foreach_lerp_(self._mine, self._theirs, 1 - decay)
        for mine, theirs in self._copied:
            mine.copy_(theirs)

    def tensors(self) -> dict[str, Tensor]:
        """What is averaged, by name."""
        state = self.game.state_dict()
        return {name: tensor for name, tensor in state.items() if name.split(".")[0] in self.game.averaged}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the averaged nets as they were."""
        self.game.load_state_dict({**self.game.state_dict(), **tensors})


def _tensors(net: torch.nn.Module) -> list[Tensor]:
    return [p.data for p in net.parameters()] + list(net.buffers())
