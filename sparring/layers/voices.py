"""The layout of several voices as one sequence: in every step, each voice rests or has a pitch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

OCTAVE = 12  # semitones
PERFECT = (0, 7)  # semitones of the intervals that must not move in parallel: unison or octave, and fifth
SMALLEST = 1e-6  # distance of a uniform number from 0 and 1, so that its logarithms are finite


class Voices(nn.Module):
    """Voices in steps of equal length, as codes and as channels.

    Codes are uint8 (n, 2 x voices, steps): for each voice 0 for a rest or pitch - lowest + 1, then for each voice 1
    where a note begins on the pitch of the step before. A voice whose code is that of the step before, without this
    mark, holds its note.

    Channels are (n, channels, steps): one position of each voice's rest and pitches is 1, then a channel of marks for
    each voice.

    Args:
        lows, highs: lowest and highest pitch of each voice, in semitones (MIDI).
    """

    owner: Tensor
    chroma: Tensor
    pitch: Tensor

    def __init__(self, lows: Sequence[int], highs: Sequence[int]) -> None:
        super().__init__()
        self.lows, self.highs = tuple(lows), tuple(highs)
        self.count = len(self.lows)
        self.sizes = [high - low + 2 for low, high in zip(lows, highs, strict=True)]
        self.places = sum(self.sizes)
        self.channels = self.places + self.count
        chroma, pitch = torch.zeros(self.count, OCTAVE, self.places), torch.zeros(self.count, self.places)
        begin = 0
        for voice, (low, size) in enumerate(zip(self.lows, self.sizes, strict=True)):
            for i in range(1, size):
                chroma[voice, (low + i - 1) % OCTAVE, begin + i] = 1
                pitch[voice, begin + i] = (low + i - 1 - (low + size / 2)) / OCTAVE
            begin += size
        owner = [voice for voice, size in enumerate(self.sizes) for _ in range(size)]
        self.register_buffer("owner", torch.tensor([*owner, *range(self.count)]), persistent=False)
        self.register_buffer("chroma", chroma, persistent=False)
        self.register_buffer("pitch", pitch, persistent=False)

    def onehot(self, codes: Tensor) -> Tensor:
        """Codes as channels, float32."""
        parts = torch.split(codes, 1, 1)
        voices = [
            torch.zeros(len(codes), size, codes.shape[2], device=codes.device).scatter_(1, code.long(), 1.0)
            for code, size in zip(parts, self.sizes, strict=False)
        ]
        return torch.cat([*voices, codes[:, self.count :].float()], 1)

    def codes(self, channels: Tensor) -> Tensor:
        """The codes of the largest channel of each voice. Marks where no note can be repeated are left out."""
        pitches = torch.stack([voice.argmax(1) for voice in torch.split(channels[:, : self.places], self.sizes, 1)], 1)
        again = channels[:, self.places :] > 0.5
        held = torch.zeros_like(again)
        held[:, :, 1:] = (pitches[:, :, 1:] == pitches[:, :, :-1]) & (pitches[:, :, 1:] > 0)
        return torch.cat([pitches, again & held], 1).to(torch.uint8)

    def wide(self, cells: Tensor) -> Tensor:
        """Booleans of the cells of voices (n, voices, steps), for each channel (n, channels, steps)."""
        spread: Tensor = cells[:, self.owner]
        return spread

    def choose(self, voice: int, logits: Tensor, noise: Tensor) -> Tensor:
        """A pitch or rest of one voice, drawn from its softmax, and its mark, in the channels of all voices; the
        gradient is that of the softmax (the straight-through Gumbel estimator, Jang et al. 2016, arXiv:1611.01144).

        Args:
            logits: of its rest, its pitches and its mark, (n, steps, size + 1).
            noise: standard normal, of all channels, (n, steps, channels).
        """
        size, first = self.sizes[voice], sum(self.sizes[:voice])
        uniform = (0.5 + 0.5 * torch.erf(noise / 2**0.5)).clamp(SMALLEST, 1 - SMALLEST)
        pitched, marked = uniform[..., first : first + size], uniform[..., self.places + voice, None]
        pitch = _hard(logits[..., :size] - (-pitched.log()).log())
        share = (logits[..., size:] + marked.log() - (1 - marked).log()).sigmoid()
        mark = (share > 0.5).float() - share.detach() + share
        return torch.cat([
            nn.functional.pad(pitch, (first, self.places - first - size + voice)), mark,
            torch.zeros_like(mark).expand(-1, -1, self.count - voice - 1),
        ], 2)  # fmt: skip

    def likelihood(self, logits: Tensor, channels: Tensor) -> Tensor:
        """Log likelihood of each voice in each step, (n, voices, steps), in nats.

        Args:
            logits, channels: (n, channels, steps); the channels of real voices.
        """
        split = (torch.split(x[:, : self.places], self.sizes, 1) for x in (logits, channels))
        pitches = torch.stack([(part.log_softmax(1) * real).sum(1) for part, real in zip(*split, strict=True)], 1)
        real, marks = channels[:, self.places :], logits[:, self.places :]
        return pitches - nn.functional.binary_cross_entropy_with_logits(marks, real, reduction="none")

    @property
    def planes(self) -> int:
        """Number of channels of `seen`."""
        pairs = self.count * (self.count - 1) // 2
        return self.channels + OCTAVE + pairs * (OCTAVE + len(PERFECT)) + self.count * (OCTAVE + 2)

    def seen(self, channels: Tensor) -> Tensor:
        """Channels, and what a listener hears in them, (n, planes, steps): the pitch classes of all voices, the
        interval of each pair of voices, the motion of each voice since the step before, and perfect intervals that
        move in parallel. All are polynomials of the channels, so that gradients reach them.
        """
        now = channels.transpose(1, 2)
        before = nn.functional.pad(now, (0, 0, 1, 0))[:, :-1]
        classes, held = self.classes(now), self.held(now, before)
        steps = leading(classes, self.classes(before))
        moved = (now - before)[..., : self.places] @ self.pitch.T
        pairs = list(combinations(range(self.count), 2))
        high, low = [i for i, _ in pairs], [j for _, j in pairs]
        intervals = leading(classes[:, :, high], classes[:, :, low])  # (n, steps, pairs, 12)
        perfect = intervals[..., list(PERFECT)]
        again = perfect * nn.functional.pad(perfect, (0, 0, 0, 0, 1, 0))[:, :-1]
        parallel = again * ((1 - held[:, :, high]) * (1 - held[:, :, low]))[..., None]
        heard = [classes.sum(2), intervals.flatten(2), steps.flatten(2), held, moved, parallel.flatten(2)]
        return torch.cat([now, *heard], 2).transpose(1, 2)

    def classes(self, steps: Tensor) -> Tensor:
        """The pitch class of each voice in steps (n, steps, channels), one-hot, (n, steps, voices, 12); 0 for rests."""
        return torch.einsum("vcp,ntp->ntvc", self.chroma, steps[..., : self.places])

    def held(self, now: Tensor, before: Tensor) -> Tensor:
        """1 where a voice has the pitch of the step before, (n, steps, voices).

        Args:
            now, before: steps and those before them, (n, steps, channels).
        """
        same = (now * before)[..., : self.places]
        return torch.stack([voice.sum(2) for voice in torch.split(same, self.sizes, 2)], 2)


def leading(high: Tensor, low: Tensor) -> Tensor:
    """How much of each interval leads from pitch classes (..., 12) up to others, (..., 12). With intervals in place of
    the lower classes, the lower classes.
    """
    turned = torch.cat([high, high[..., :-1]], -1).unfold(-1, OCTAVE, 1)  # (..., 12, 12): pitch class c + k in row k
    return (turned @ low[..., None])[..., 0]


def _hard(logits: Tensor) -> Tensor:
    soft = logits.softmax(-1)
    hard = torch.zeros_like(soft).scatter_(-1, soft.argmax(-1, keepdim=True), 1.0)
    return hard - soft.detach() + soft
