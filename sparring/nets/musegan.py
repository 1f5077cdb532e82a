"""Nets for piano rolls of several tracks, after MuseGAN: Dong et al. 2017, arXiv:1709.06298; its binary neurons: Dong
and Yang 2018, arXiv:1804.09399.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sparring.layers.initial import init_he
from sparring.nets.discriminator import Discriminator as Base

OCTAVE = 12
SLOPE = 0.2  # of the leaky ReLUs for negative values
FIRST_ROWS, FIRST_STEPS = 8, 4  # parts into which the pitches and a bar are divided at first


def binary(logits: Tensor) -> Tensor:
    """1 where a logit is above 0, else 0; the gradient is that of the sigmoid (deterministic binary neurons)."""
    soft = logits.sigmoid()
    return (logits > 0).to(soft) - soft.detach() + soft


class Generator(nn.Module):
    """Latents (n, z x steps) -> rolls (n, 2 x tracks, rows, steps) of any number of bars, 0 or 1.

    The latents of a bar become one vector, the vectors of neighboring bars are mixed, and each is drawn as a bar by a
    net that all tracks share and a private net of each track.

    Args:
        z: latents per step.
        tracks: number of tracks.
        rows: number of pitches, a multiple of 8.
        bar: steps of a bar.
        width: channels of the bars' layers; their vectors have eight times as many.
    """

    def __init__(self, z: int, tracks: int, rows: int, bar: int, width: int) -> None:
        super().__init__()
        self.z, self.bar, self.rows = z, bar, rows
        self.first = (FIRST_ROWS, FIRST_STEPS if bar % FIRST_STEPS == 0 else 1)
        wide = 8 * width
        self.begin = nn.Conv1d(z, wide, bar, bar)
        self.mix = nn.ModuleList(nn.Conv1d(wide, wide, 3, padding=1) for _ in range(2))
        self.spread = nn.Linear(wide, 2 * width * self.first[0] * self.first[1])
        down, right = rows // self.first[0], bar // self.first[1]
        self.draw = nn.Sequential(
            nn.BatchNorm2d(2 * width), nn.LeakyReLU(SLOPE),
            nn.ConvTranspose2d(2 * width, width, (1, right), (1, right)), nn.BatchNorm2d(width), nn.LeakyReLU(SLOPE),
            nn.ConvTranspose2d(width, width, (down, 1), (down, 1)), nn.BatchNorm2d(width), nn.LeakyReLU(SLOPE),
        )  # fmt: skip
        self.private = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, (5, 3), padding=(2, 1)), nn.BatchNorm2d(width), nn.LeakyReLU(SLOPE),
                nn.Conv2d(width, 2, (5, 3), padding=(2, 1)),
            )
            for _ in range(tracks)
        )  # fmt: skip

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        noise = z.view(z.shape[0], -1, self.z).transpose(1, 2)
        h = self.begin(noise)
        for layer in self.mix:
            h = h + layer(nn.functional.leaky_relu(h, SLOPE))
        bars = h.shape[2]
        x = self.spread(h.transpose(1, 2)).unflatten(2, (-1, *self.first))  # (n, bars, channels, rows, steps)
        x = self.draw(x.flatten(0, 1))  # (n x bars, channels, rows, steps of a bar)
        x = x.view(z.shape[0], bars, x.shape[1], self.rows, self.bar).permute(0, 2, 3, 1, 4).flatten(3)
        planes = binary(torch.stack([net(x) for net in self.private], 1))  # (n, tracks, 2, rows, steps)
        sound, begin = planes.unbind(2)
        return torch.stack([sound, begin * sound], 2).flatten(1, 2)


class Discriminator(Base):
    """Rolls (n, 2 x tracks, rows, steps) -> logits (n,). It sees the roll, and the pitch classes of each track.

    Args:
        tracks, rows, steps: of the rolls.
        low: pitch of the first row.
        width: channels of the first layer.
    """

    classes: Tensor

    def __init__(self, tracks: int, rows: int, steps: int, low: int, width: int) -> None:
        super().__init__()
        classes = nn.functional.one_hot((low + torch.arange(rows)) % OCTAVE, OCTAVE).float()
        self.register_buffer("classes", classes, persistent=False)
        widths = (2 * tracks, width, 2 * width, 4 * width)
        layers: list[nn.Module] = []
        for i in range(3):
            layers += [nn.Conv2d(widths[i], widths[i + 1], 4, 2, 1), nn.LeakyReLU(SLOPE)]
        self.roll = nn.Sequential(*layers, nn.Flatten())
        self.chroma = nn.Sequential(
            nn.Conv1d(2 * tracks * OCTAVE, 2 * width, 4, 2, 1), nn.LeakyReLU(SLOPE),
            nn.Conv1d(2 * width, 2 * width, 4, 2, 1), nn.LeakyReLU(SLOPE), nn.Flatten(),
        )  # fmt: skip
        flat = 4 * width * (rows // 8) * (steps // 8) + 2 * width * (steps // 4)
        self.length = 4 * width
        self.whole = nn.Sequential(nn.Linear(flat, self.length), nn.LeakyReLU(SLOPE))
        self.head = nn.Linear(self.length, 1)
        self.apply(init_he)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        chroma = torch.einsum("ntrs,rc->ntcs", x, self.classes).flatten(1, 2)
        h: Tensor = self.whole(torch.cat([self.roll(x), self.chroma(chroma)], 1))
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logit: Tensor = self.head(h)
        return logit.squeeze(1)
