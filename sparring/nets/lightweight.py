"""The generator of lightweight-gan (https://github.com/lucidrains/lightweight-gan), version 1.2: FastGAN's (Liu et al.
2021, arXiv:2101.04775) with upsampling by pixel shuffle, excitation by global context (Cao et al. 2020,
arXiv:2012.13375) and attention.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.condition import Appended, Condition
from sparring.layers.resample import center_crop
from sparring.nets.dcgan import stages
from sparring.nets.fastgan import Noise

HEADS, LENGTH = 8, 64  # of the attention: number of heads, and length of their vectors
NEAR = 3  # pixels of a side of a neighborhood
GAP = 3  # doublings between the maps of an excitation
EXCITED = range(1, 5)  # layers whose maps excite later ones, if there are such
MIN_LEFT, LEFT = 256, 3  # pixels from which only so many maps are left


class Attention(nn.Module):
    """Maps (n, width, h, w) -> the same shape: each pixel attends to all others by linear attention (Shen et al. 2018,
    arXiv:1812.01243), and to its neighborhood. The result is added to the maps.

    Args:
        width: channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = HEADS * LENGTH
        self.norm = nn.LayerNorm(width)
        self.far_q = nn.Conv2d(width, inner, 1, bias=False)
        self.far_kv = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False), nn.Conv2d(width, 2 * inner, 1, bias=False)
        )
        self.near_q = nn.Conv2d(width, inner, 1, bias=False)
        self.near_kv = nn.Conv2d(width, 2 * inner, 1, bias=False)
        self.out = nn.Conv2d(2 * inner, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x.movedim(1, -1)).movedim(-1, 1)
        both = torch.cat([F.gelu(self._far(h)).flatten(1, 2), self._near(h).flatten(1, 2)], 1)
        y: Tensor = x + self.out(both.view(x.shape[0], -1, *x.shape[2:]))
        return y

    def _far(self, x: Tensor) -> Tensor:
        """-> (n, heads, length, pixels)."""
        q = self.far_q(x).flatten(2).unflatten(1, (HEADS, LENGTH))
        k, v = (part.flatten(2).unflatten(1, (HEADS, LENGTH)) for part in self.far_kv(x).chunk(2, 1))
        context = k.softmax(3) @ v.mT  # (n, heads, length of keys, length of values)
        far: Tensor = context.mT @ (q.softmax(2) * LENGTH**-0.5)
        return far

    def _near(self, x: Tensor) -> Tensor:
        """-> (n, heads, length, pixels). Beyond the edges, keys and values are 0."""
        q = self.near_q(x).flatten(2).unflatten(1, (HEADS, LENGTH, 1))
        neighborhoods = F.unfold(self.near_kv(x), NEAR, padding=NEAR // 2)
        k, v = neighborhoods.view(x.shape[0], 2, HEADS, LENGTH, NEAR**2, -1).unbind(1)  # (n, heads, length, 9, pixels)
        weight = (LENGTH**-0.5 * q * k).sum(2, keepdim=True).softmax(3)
        near: Tensor = (weight * v).sum(3)
        return near


class Excitation(nn.Module):
    """Factors in (0, 1) for later maps, computed from a weighted mean over the pixels of these: (n, before, h, w)
    -> (n, after, 1, 1).
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.weight = nn.Conv2d(before, 1, 1)
        inner = max(3, after // 2)
        self.layers = nn.Sequential(
            nn.Conv2d(before, inner, 1), nn.LeakyReLU(0.1), nn.Conv2d(inner, after, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight(x).flatten(2).softmax(2)  # (n, 1, pixels)
        factors: Tensor = self.layers((x.flatten(2) @ weight.mT)[..., None])
        return factors


class Up(nn.Sequential):
    """(n, before, h, w) -> (n, after, 2h, 2w)."""

    def __init__(self, before: int, after: int) -> None:
        shuffled = nn.Conv2d(before, 4 * before, 1)
        with torch.no_grad():  # all four pixels begin alike
            same = nn.init.kaiming_uniform_(torch.empty_like(shuffled.weight[::4]))
            shuffled.weight.copy_(same.repeat_interleave(4, 0))
            assert shuffled.bias is not None
            shuffled.bias.zero_()
        super().__init__(
            shuffled, nn.SiLU(), nn.PixelShuffle(2), nn.ZeroPad2d((2, 1, 2, 1)), nn.Conv2d(before, 2 * after, 4),
            Noise(), nn.BatchNorm2d(2 * after), nn.GLU(1),
        )  # fmt: skip


class Generator(nn.Module):
    """Latents (n, latents)[, labels (n,)] -> images (n, channels, size, size), unbounded.

    Args:
        latents: length of the latent vector, and channels of the first maps.
        size: height and width of the images.
        channels: of the images, 1 to 4.
        base, most: maps that are doubled from a resolution have base / resolution channels, at most `most`, and 3 from
            256 pixels on; 4096 and 512 in the authors' code.
        attention: resolutions of maps that get attention before they are doubled.
        condition: number of classes, or columns; 0 for none.
    """

    def __init__(
        self, latents: int, size: int, channels: int, base: int, most: int, attention: Sequence[int] = (),
        condition: Condition = 0,
    ) -> None:  # fmt: skip
        super().__init__()
        self.size, self.condition = size, Appended(condition)
        n = stages(size)
        first = ceil(size / 2**n)
        self.first = nn.Sequential(
            nn.ConvTranspose2d(latents + self.condition.width, 2 * latents, first),
            nn.BatchNorm2d(2 * latents),
            nn.GLU(1),
        )
        now = [first * 2**i for i in range(n)]
        wide = [LEFT if side >= MIN_LEFT else max(1, min(most, base // side)) for side in now]
        self.ups = nn.ModuleList(Up(before, after) for before, after in zip([latents, *wide], wide, strict=False))
        self.attention = nn.ModuleDict({
            str(i): Attention(before)
            for i, (side, before) in enumerate(zip(now, [latents, *wide], strict=False))
            if any(side <= asked < 2 * side for asked in attention)
        })  # fmt: skip
        self.excitations = nn.ModuleDict({
            str(i): Excitation(wide[i], wide[i + GAP]) for i in EXCITED if i + GAP < n
        })  # fmt: skip
        self.picture = nn.Conv2d(wide[-1], channels, 3, padding=1)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x, factors = F.normalize(self.first(self.condition(z, label)[:, :, None, None]), dim=1), dict[int, Tensor]()
        for i, up in enumerate(self.ups):
            if str(i) in self.attention:
                x = self.attention[str(i)](x)
            x = up(x)
            if str(i) in self.excitations:
                factors[i + GAP] = self.excitations[str(i)](x)
            if i in factors:
                x = x * factors[i]
        return center_crop(self.picture(x), self.size)
