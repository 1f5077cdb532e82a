"""The moving average of weights that becomes the model. Yazıcı et al. 2018, arXiv:1806.04498."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.utils.parametrizations import _SpectralNorm

from sparring.games.game import Game

UPDATE_EVERY = 4  # steps; makes no difference to an average over thousands of samples


class Average:
    """A game with moving averages of the nets that a game declares as `averaged`; the other nets are shared.

    Floating-point buffers (batch norm's statistics) are averaged like weights. Integers are copied, and so are the unit
    vectors of spectral norms, because their mean would be shorter than 1.

    Args:
        game: the game that is trained.
        halflife: number of samples after which the weight of an old value is halved; 0 for no averaging.
        ramp: upper limit of the half-life as a fraction of the samples so far, so that the random initial weights are
            soon forgotten.
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
        """Update the averages after a step of `batch` samples. They change in every fourth step only."""
        if step % UPDATE_EVERY and step > UPDATE_EVERY:
            return
        halflife = min(self.halflife, self.ramp * step * batch) if self.ramp else self.halflife
        decay = 0.5 ** (UPDATE_EVERY * batch / halflife) if halflife > 0 else 0.0
        torch._foreach_lerp_(self._mine, self._theirs, 1 - decay)
        for mine, theirs in self._copied:
            mine.copy_(theirs)

    def tensors(self) -> dict[str, Tensor]:
        """The averaged tensors, by name."""
        state = self.game.state_dict()
        return {name: tensor for name, tensor in state.items() if name.split(".")[0] in self.game.averaged}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Set the averaged tensors."""
        self.game.load_state_dict({**self.game.state_dict(), **tensors})


def _tensors(net: torch.nn.Module) -> list[Tensor]:
    return [p.data for p in net.parameters()] + list(net.buffers())
