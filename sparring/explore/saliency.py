"""What a discriminator looks at in a picture: by gradient, by occlusion, and patch by patch."""

from __future__ import annotations

import torch
from torch import Tensor

from sparring.explore.layers import frozen
from sparring.games.cycle import Cycle
from sparring.games.game import Game
from sparring.games.gan import GAN
from sparring.losses.adversarial import Logits
from sparring.nets.discriminator import Discriminator
from sparring.nets.packed import Packed

NOISE = 0.1  # deviation of what is added to pictures, which go from -1 to 1
DRAWS = 8  # of that noise
PARTS = 8  # of a side, each as long as a square that is covered


def discriminator(game: Game) -> Discriminator | None:
    """A game's D, that of what is made where there are two; None where there is none."""
    net = game.D_B if isinstance(game, Cycle) else game.D if isinstance(game, GAN) else None
    assert net is None or isinstance(net, Discriminator)
    return net


def gradient(D: Discriminator, x: Tensor, label: Tensor | None = None) -> Tensor:
    """How fast D's logit changes with each pixel of pictures (n, c, h, w): (n, h, w), not negative, summed over the
    channels. Simonyan et al. 2013, arXiv:1312.6034; as the mean over eight slightly noisy copies, Smilkov et al. 2017,
    arXiv:1706.03825.

    Args:
        label: what D is told beside them, (n, ...).
    """
    place = torch.Generator().manual_seed(0)
    found = torch.zeros_like(x)
    with frozen(D), torch.enable_grad():
        for _ in range(DRAWS):
            noisy = (x + NOISE * torch.randn(x.shape, generator=place).to(x)).requires_grad_()
            (slope,) = torch.autograd.grad(_score(logits(D, noisy, label)).sum(), noisy)
            found += slope.abs() / DRAWS
    return found.sum(1)


@torch.no_grad()
def occlusion(D: Discriminator, x: Tensor, label: Tensor | None = None) -> Tensor:
    """By how much D's logit falls where a square about a pixel of pictures (n, c, h, w) is covered by the picture's
    mean colour, (n, h, w): above 0 where what is there makes it more real to D. The mean over squares of an eighth of
    a side that cover the pixel. Zeiler and Fergus 2013, arXiv:1311.2901.

    Args:
        label: what D is told beside them, (n, ...).
    """
    height, width = x.shape[2:]
    side = max(1, round(min(height, width) / PARTS))
    colour = x.mean((2, 3), keepdim=True)
    whole = _score(logits(D, x, label))
    fallen, covered = torch.zeros_like(x[:, 0]), torch.zeros_like(x[0, 0])
    for top in _places(height, side):
        for left in _places(width, side):
            rows, columns = slice(top, top + side), slice(left, left + side)
            hidden = x.clone()
            hidden[:, :, rows, columns] = colour
            fallen[:, rows, columns] += (whole - _score(logits(D, hidden, label)))[:, None, None]
            covered[rows, columns] += 1
    return fallen / covered


@torch.no_grad()
def patches(D: Discriminator, x: Tensor, label: Tensor | None = None) -> Tensor | None:
    """D's logits of the patches of pictures (n, c, h, w), (n, rows, columns); None where it has one for all."""
    said = logits(D, x, label)
    first = said if isinstance(said, Tensor) else said[0]
    if first.ndim < 3 or first[0].numel() < 2:
        return None
    return first.float() if first.ndim == 3 else first.float().mean(1)


def logits(D: Discriminator, x: Tensor, label: Tensor | None = None) -> Logits:
    """D's logits, each of a picture (n, ...): where D judges packs, a pack holds a picture and those after it."""
    if not isinstance(D, Packed) or D.pack == 1:
        return D(x, label)  # type: ignore[no-any-return]
    packs = [x if k == 0 else x.detach().roll(-k, 0) for k in range(D.pack)]
    labels = None if label is None else torch.stack([label.roll(-k, 0) for k in range(D.pack)], 1).flatten(0, 1)
    return D(torch.stack(packs, 1).flatten(0, 1), labels)  # type: ignore[no-any-return]


def _score(said: Logits) -> Tensor:
    """One number for each picture, (n,): the mean over patches, and over what D is made of."""
    several = [said] if isinstance(said, Tensor) else list(said)
    return torch.stack([part.float().flatten(1).mean(1) if part.ndim > 1 else part.float() for part in several]).mean(0)


def _places(length: int, side: int) -> list[int]:
    """Where squares begin, half overlapping, the last at the end."""
    return sorted({*range(0, length - side + 1, max(1, side // 2)), length - side})
