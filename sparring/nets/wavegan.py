"""Strided convolutions on waveforms. Donahue et al. 2019, arXiv:1802.04208."""

from __future__ import annotations

from math import ceil, log

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.condition import Appended, Condition, Projected
from sparring.layers.initial import init_he
from sparring.nets.discriminator import Discriminator as Base

KERNEL, STRIDE = 25, 4
BASE = 16  # samples before the first doubling, at least


def stages(length: int) -> int:
    """Number of layers of stride 4 between a sound and 16 to 63 samples, at least one; 5 for the paper's 16,384."""
    return max(1, int(log(length / BASE, STRIDE) + 1e-9))


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> sounds (n, channels, length) in [-1, 1].

    Args:
        latents: length of the latent vector.
        channels, length: of the sounds; if the length is no multiple of a power of four, a longer one is cut.
        width: channels of the last hidden layer; each earlier layer has twice as many.
        condition: number of classes; 0 for none; its embedding is appended to z.
    """

    def __init__(self, latents: int, channels: int, length: int, width: int, condition: Condition = 0) -> None:
        super().__init__()
        n = stages(length)
        self.length, self.base = length, ceil(length / STRIDE**n)
        self.condition = Appended(condition)
        before = width * 2 ** (n - 1)
        self.linear = nn.Linear(latents + self.condition.width, before * self.base)
        layers: list[nn.Module] = [nn.ReLU()]
        for i in range(n):
            after = before // 2 if i < n - 1 else channels
            layers.append(nn.ConvTranspose1d(before, after, KERNEL, STRIDE, padding=11, output_padding=1))
            layers.append(nn.ReLU() if i < n - 1 else nn.Tanh())
            before = after
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        h = self.linear(self.condition(z, label))
        x: Tensor = self.layers(h.view(-1, self.linear.out_features // self.base, self.base))
        return x[..., : self.length]


class PhaseShuffle(nn.Module):
    """Shifts each sample (n, channels, steps) by up to `most` steps in either direction, and fills the gap by
    reflection, so that D cannot judge by the phase of G's artifacts; section 3.3 of the paper.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def forward(self, x: Tensor) -> Tensor:
        steps = x.shape[-1]
        if not self.most or steps <= self.most:
            return x
        shift = torch.randint(-self.most, self.most + 1, (len(x), 1), device=x.device)
        place = (torch.arange(steps, device=x.device) + shift).abs()
        place = steps - 1 - (steps - 1 - place).abs()  # reflected at both ends
        return x.gather(2, place[:, None].expand_as(x))


class Discriminator(Base):
    """Sounds (n, channels, length)[, labels (n,)] -> logits (n,).

    Args:
        channels, length: of the sounds.
        width: channels of the first hidden layer; each further layer has twice as many.
        shuffle: steps by which the output of each layer but the last is shifted at most.
        condition: number of classes; 0 for none; the logit is projected on its embedding.
    """

    def __init__(self, channels: int, length: int, width: int, shuffle: int = 2, condition: Condition = 0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before, n = channels, stages(length)
        self.padded = STRIDE**n * ceil(length / STRIDE**n)
        for i in range(n):
            layers += [nn.Conv1d(before, width, KERNEL, STRIDE, padding=11), nn.LeakyReLU(0.2)]
            layers += [PhaseShuffle(shuffle)] if i < n - 1 else []
            before, width = width, width * 2
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.layers.apply(init_he)
        self.length = before * (self.padded // STRIDE**n)
        self.head = Projected(self.length, condition)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        h: Tensor = self.layers(F.pad(x, (0, self.padded - x.shape[-1])))
        return h

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(h, label)
        return logits
