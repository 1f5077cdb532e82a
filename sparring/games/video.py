"""The game of StyleGAN-V: D sees a few frames of each clip, and only these are generated. Skorokhodov et al. 2021,
arXiv:2112.14683, section 3.2.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sparring.data.tensors import CONDITION, VALUES, Tensors
from sparring.games.gan import GAN
from sparring.games.graph import DataKind, Graph, sampling_graph
from sparring.loop import Round

MAX_FRAMES = 64  # of all samples that are generated at the same time


class VideoGAN(GAN):
    """A `GAN` on clips (n, channels, frames, h, w) whose latents end with the times of the frames.

    Args:
        k: number of frames that D sees of a clip.
        frames: length of a clip.
        loop: True if the first frame follows the last.
        later: steps by which generated clips begin later than time 0 at most, so that motion of any length is trained.
        settings: as for `GAN`.
    """

    def __init__(self, *nets: Any, k: int, frames: int, loop: bool, later: int, **settings: Any) -> None:
        super().__init__(*nets, **settings)
        self.k, self.frames, self.loop, self.later = k, frames, loop, later

    def sample(self, z: Tensor, condition: Tensor | None, requested: Tensor | None = None) -> Tensors:  # noqa: ARG002
        """The frames of long clips are generated some at a time."""
        place = self.prior.parts[-1].width
        start = self.prior.width - place
        times = torch.split(z[:, start:], max(1, MAX_FRAMES // len(z)), 1)
        parts = [self.values(torch.cat([z[:, :start], some], 1), condition) for some in times]
        return {VALUES: torch.cat(parts, 2)}

    def graph(self, kind: DataKind, reverse: bool = False) -> Graph:
        """As `values`, which `sample` splits into parts only to save memory."""
        if reverse:
            return super().graph(kind, reverse)
        return sampling_graph(self, kind)

    def _latents(self, round: Round) -> Tensor:
        """Latents with the times of the frames that D sees."""

        def draw() -> Tensor:
            z = self.draw(round.size, round.device)
            start = self.prior.width - self.prior.parts[-1].width
            begin = torch.rand(round.size, 1, device=round.device) * self.later
            return torch.cat([z[:, :start], self._times(round) + begin], 1)

        return round.once("z", draw)

    def _times(self, round: Round) -> Tensor:
        """Which frames D sees in this round, the same of real and of generated clips: whole numbers (n, k), sorted."""

        def draw() -> Tensor:
            order = torch.rand(round.size, self.frames, device=round.device).argsort(1)
            return order[:, : self.k].sort(1).values

        return round.once("times", draw)

    def _condition(self, round: Round, held: str = "") -> Tensor:
        condition = round.get(held + CONDITION) if self.conditional else None
        times = self._times(round)[: len(round[held + VALUES])].float()
        return times if condition is None else torch.cat([condition[:, None].float(), times], 1)

    def _real(self, round: Round, held: str = "") -> Tensor:
        """The frames of real clips that D sees, (n, channels, k, h, w). Loops begin at any of their frames."""
        values = round[held + VALUES]
        times = self._times(round)[: len(values)]
        if self.loop:
            begin = round.once(f"{held}begin", lambda: torch.randint(self.frames, (len(times), 1), device=times.device))
            times = (times + begin) % self.frames
        where = times[:, None, :, None, None].expand(-1, values.shape[1], -1, *values.shape[3:])
        return values.gather(2, where)
