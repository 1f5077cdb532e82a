"""Nets for voices of any number of steps: a recurrent generator and a convolutional discriminator."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from sparring.layers.initial import init_he
from sparring.layers.voices import OCTAVE, Voices, leading
from sparring.nets.discriminator import Discriminator as Base

DILATIONS = (1, 2, 4, 8)  # of the blocks
LARGEST = 12  # semitones of the intervals that have logits of their own
INTERVALS = 2 * LARGEST + 1
FAST = 10.0  # times the learning rate that logits of intervals move with: each is a statistic of its own
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
    """The distribution of each voice in a step, given all voices in the steps before it, the voices above it in the
    step, and voices that are given for all steps. It is a sum of logits of pitches and of logits of intervals from the
    voice's pitch in the step before, and of logits of the intervals to the voices above, given those before and whether
    these voices move.

    Args:
        voices: the layout.
        width: units of a recurrent layer; given voices are heard through half as many channels.
        depth: number of recurrent layers (gated recurrent units, Cho et al. 2014, arXiv:1406.1078).
        beat: steps of a beat; windows begin on beats.
    """

    earlier: Tensor

    def __init__(self, voices: Voices, width: int, depth: int, beat: int) -> None:
        super().__init__()
        self.voices, self.beat = voices, beat
        heard = width // 2
        self.begin = nn.Conv1d(voices.channels + voices.count, heard, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(heard, dilation) for dilation in DILATIONS), Norm(heard))
        self.net = nn.GRU(voices.channels + heard + beat, width, depth, batch_first=True)
        self.above = nn.Linear(voices.channels, width)
        self.hidden = nn.ModuleList(nn.Linear(2 * width, width) for _ in voices.sizes)
        self.ends = nn.ModuleList(nn.Linear(width, size + 1 + INTERVALS) for size in voices.sizes)
        pairs = voices.count * (voices.count - 1) // 2
        self.harmony = nn.Parameter(torch.zeros(pairs, 2 * OCTAVE, OCTAVE))
        earlier = torch.stack([voices.owner < voice for voice in range(voices.count)])
        self.register_buffer("earlier", earlier.float(), persistent=False)

    def hear(self, given: Tensor, cells: Tensor) -> Tensor:
        """What the recurrent layers receive of given voices, (n, steps, width / 2).

        Args:
            given: channels of the voices, (n, channels, steps); 0 where a cell is unknown.
            cells: True where a voice is given in a step, (n, voices, steps).
        """
        heard: Tensor = self.blocks(self.begin(torch.cat([given, cells.to(given)], 1)))
        # Many constant inputs would move together, like a bias with a large learning rate.
        return (heard * cells.any(1, keepdim=True) / math.sqrt(heard.shape[1])).transpose(1, 2)

    def follow(
        self, before: Tensor, heard: Tensor, first: int = 0, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The recurrent layers' outputs (n, steps, width), and their state after them.

        Args:
            before: the channels of the step before each step, (n, steps, channels).
            heard: of these steps, as `hear` returns it.
            first: number of the first of these steps.
            state: after the steps before, None for none.
        """
        place = beats(before.shape[1], self.beat, before, first).expand(before.shape[0], -1, -1)
        outputs: tuple[Tensor, Tensor] = self.net(torch.cat([before, heard, place], 2), state)
        return outputs

    def voice(self, voice: int, h: Tensor, now: Tensor, before: Tensor) -> Tensor:
        """Logits of the pitches of a voice, and of its mark, (n, steps, size + 1).

        Args:
            h: outputs of the recurrent layers, (n, steps, width).
            now: the channels of these steps, of which the voices above count, (n, steps, channels).
            before: the channels of the steps before them.
        """
        size, first = self.voices.sizes[voice], sum(self.voices.sizes[:voice])
        above = self.above(now * self.earlier[voice])
        out = self.ends[voice](nn.functional.gelu(self.hidden[voice](torch.cat([h, above], 2))))
        pitched, marked, moved = out.split([size, 1, INTERVALS], 2)
        logits = pitched + transitions(before[..., first : first + size], moved)
        if voice:
            classes = self.voices.chroma[voice, :, first : first + size]  # (12, size)
            logits = logits + self.harmonies(voice, now, before) @ classes
        return torch.cat([logits, marked], 2)

    def harmonies(self, voice: int, now: Tensor, before: Tensor) -> Tensor:
        """Logits of the pitch classes of a voice, by the intervals to the voices above, (n, steps, 12).

        Args:
            now, before: as in `voice`.
        """
        first = voice * (voice - 1) // 2
        table = self.harmony[first : first + voice] * FAST  # (voices above, 24, 12)
        was, high, above = self.voices.classes(before), self.voices.classes(now)[:, :, :voice], slice(voice)
        below = was[:, :, voice, None].expand(-1, -1, voice, -1)
        interval = leading(was[:, :, above], below)
        moved = 1 - self.voices.held(now, before)[:, :, above, None]
        asked = torch.cat([interval * moved, interval * (1 - moved)], 3)  # (n, steps, voices above, 24)
        intervals = torch.einsum("ntui,uik->ntuk", asked, table)
        return leading(high, intervals).sum(2)

    def forward(self, voices: Tensor, given: Tensor, cells: Tensor) -> Tensor:
        """Logits of all cells of voices, (n, channels, steps), each given the cells before it.

        Args:
            voices: channels, (n, channels, steps).
            given, cells: as in `hear`.
        """
        now = voices.transpose(1, 2)
        before = nn.functional.pad(now, (0, 0, 1, 0))[:, :-1]
        h, _ = self.follow(before, self.hear(given, cells))
        parts = [self.voice(voice, h, now, before) for voice in range(self.voices.count)]
        pitches, marks = [part[..., :-1] for part in parts], [part[..., -1:] for part in parts]
        return torch.cat([*pitches, *marks], 2).transpose(1, 2)


def transitions(before: Tensor, moved: Tensor) -> Tensor:
    """The logits of intervals as logits of pitches, 0 after a rest and for rests.

    Args:
        before: one voice's rest and pitches in the step before, one-hot, (n, steps, size).
        moved: logits of the intervals from -LARGEST to LARGEST, (n, steps, INTERVALS).
    """
    size = before.shape[2]
    place = torch.arange(size, device=before.device)
    by = place[None, :] - place[:, None]  # from a row's pitch to a column's
    known = (by.abs() <= LARGEST) & (place[None, :] > 0) & (place[:, None] > 0)
    index = (by + LARGEST).clamp(0, INTERVALS - 1)
    at = before.argmax(2)
    return moved.gather(2, index[at]) * known[at]


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
        place = beats(x.shape[2], self.beat, x).T.expand(x.shape[0], -1, -1)
        seen = torch.cat([self.voices.seen(x), place], 1)
        h: Tensor = self.layers(self.begin(seen))
        return h

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return self.maps(x).flatten(1)

    def judge(self, h: Tensor, label: Tensor | None = None) -> list[Tensor]:  # noqa: ARG002
        maps = h.view(len(h), self.width, -1)
        pooled = torch.cat([maps.mean(2), maps.amax(2)], 1)
        return [self.local(maps).squeeze(1), self.whole(pooled).squeeze(1)]


def beats(steps: int, beat: int, like: Tensor, first: int = 0) -> Tensor:
    """The position of each step in its beat, one-hot, (steps, beat).

    Args:
        like: a tensor of the same device and type.
        first: number of the first step.
    """
    places = (torch.arange(steps, device=like.device) + first) % beat
    return nn.functional.one_hot(places, beat).to(like)
