"""Convolutional nets for voices of any number of steps."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from sparring.layers.initial import init_he
from sparring.layers.voices import Voices
from sparring.nets.discriminator import Discriminator as Base

DILATIONS = (1, 2, 4, 8)  # of the blocks, in turn
SHRUNK = 2  # steps that a resolution of D has for one of the next
MAX_WIDTH = 4  # D's largest width as a multiple of its first


class Norm(nn.Module):
    """Layer norm over the channels of each step."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, h: Tensor) -> Tensor:
        normed: Tensor = self.norm(h.transpose(1, 2)).transpose(1, 2)
        return normed


class Block(nn.Module):
    """(n, width, steps) -> the same: a dilated convolution, the mean over all steps, and a convolution of each step."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = Norm(width)
        self.spread = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.whole = nn.Linear(width, width)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, h: Tensor) -> Tensor:
        x = self.norm(h)
        x = nn.functional.gelu(self.spread(x) + self.whole(x.mean(2))[:, :, None])
        mixed: Tensor = self.mix(x)
        return h + mixed


class Generator(nn.Module):
    """Known voices, which cells are known, and noise -> logits of all cells, (n, channels, steps).

    Args:
        voices: the layout.
        z: noise channels.
        width: channels of the hidden layers.
        depth: number of residual blocks.
        beat: steps of a beat; windows begin on beats.
    """

    def __init__(self, voices: Voices, z: int, width: int, depth: int, beat: int) -> None:
        super().__init__()
        self.voices, self.z, self.beat = voices, z, beat
        self.begin = nn.Conv1d(voices.channels + voices.count + z + beat, width, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(width, DILATIONS[i % len(DILATIONS)]) for i in range(depth)))
        self.end = nn.Sequential(Norm(width), nn.Conv1d(width, voices.channels, 1))

    def forward(self, known: Tensor, cells: Tensor, z: Tensor) -> Tensor:
        """
        Args:
            known: channels of the voices, (n, channels, steps); 0 where a cell is unknown.
            cells: True where a voice is known in a step, (n, voices, steps).
            z: (n, z, steps).
        """
        place = beats(known, self.beat)
        h = self.begin(torch.cat([known, cells.to(known), z, place], 1))
        logits: Tensor = self.end(self.blocks(h))
        return logits


class Discriminator(Base):
    """Voices (n, channels, steps) -> logits of every part of 2^depth steps, and one of the whole.

    Args:
        voices: the layout; D judges what `Voices.seen` returns.
        width: channels of the first layer.
        depth: number of resolutions, each half of the previous one.
        beat: steps of a beat.
        window: steps of a sample.
    """

    def __init__(self, voices: Voices, width: int, depth: int, beat: int, window: int) -> None:
        super().__init__()
        self.voices, self.beat = voices, beat
        self.begin = nn.Conv1d(voices.planes + beat, width, 3, padding=1)
        widths = [min(width * 2**i, MAX_WIDTH * width) for i in range(depth + 1)]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.LeakyReLU(0.2), nn.Conv1d(before, before, 3, padding=1), nn.LeakyReLU(0.2),
                       nn.Conv1d(before, after, SHRUNK, SHRUNK)]  # fmt: skip
        self.layers = nn.Sequential(*layers, nn.LeakyReLU(0.2))
        self.width, self.length = widths[-1], widths[-1] * (window // SHRUNK**depth)
        self.local = nn.Conv1d(self.width, 1, 3, padding=1)
        self.whole = nn.Sequential(nn.Linear(2 * self.width, self.width), nn.LeakyReLU(0.2), nn.Linear(self.width, 1))
        self.apply(init_he)

    def maps(self, x: Tensor) -> Tensor:
        """(n, width, steps / 2^depth)."""
        seen = torch.cat([self.voices.seen(x), beats(x, self.beat)], 1)
        h: Tensor = self.layers(self.begin(seen))
        return h

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return self.maps(x).flatten(1)

    def judge(self, h: Tensor, label: Tensor | None = None) -> list[Tensor]:  # noqa: ARG002
        maps = h.view(len(h), self.width, -1)
        pooled = torch.cat([maps.mean(2), maps.amax(2)], 1)
        return [self.local(maps).squeeze(1), self.whole(pooled).squeeze(1)]


def beats(like: Tensor, beat: int) -> Tensor:
    """The position of each step in its beat, one-hot, (n, beat, steps)."""
    places = torch.arange(like.shape[2], device=like.device) % beat
    return nn.functional.one_hot(places, beat).T.to(like).expand(like.shape[0], -1, -1)
