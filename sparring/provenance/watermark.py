"""A watermark that survives what strips metadata: bits in the pixels, which name the model that made a picture.

The nets are trained together under the degradations that restoring recipes use (HiDDeN, Zhu et al. 2018,
arXiv:1807.09937). Each producer trains their own, and keeps them: who has the decoder can remove the watermark, and who
has the encoder can forge it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional as F

from sparring.data.store import Progress, no_progress
from sparring.errors import InputError, one_line
from sparring.files import write_bytes
from sparring.layers.degrade import pixels
from sparring.provenance.degradations import DEGRADATIONS, Degradation, as_bytes, crop, values
from sparring.provenance.watermark_nets import BITS, Nets

BATCH = 32
RATE = 2e-3  # learning rate, after a warm-up and before its decay
WARM_UP = 50  # steps
STRENGTH = 5.0  # root mean square of the watermark, in levels of 256
EARLY_STRENGTH = 4.0  # times as strong at the beginning, until this share of the training:
EARLY = 0.25
UNDISTURBED = 0.1  # share of the training without degradations
MAX_CROP = 0.1  # of a side
FALSE_NAMES = 1e-4  # probability that a picture without the watermark is named, at most
MIN_SIDE = 32  # pixels, of pictures that have enough of them for the bits


class Watermark:
    """A trained encoder and decoder."""

    def __init__(self, nets: Nets) -> None:
        self.nets = nets.eval()

    @torch.no_grad()
    def embed(self, items: NDArray[np.uint8], bits: Tensor) -> NDArray[np.uint8]:
        """Pictures with a watermark.

        Args:
            items: (n, h, w, c); transparency is kept.
            bits: (BITS,) of -1 and 1.

        Raises:
            InputError: if they are too small for the bits.
        """
        height, width, channels = items.shape[1:]
        if min(height, width) < MIN_SIDE:
            raise InputError(
                f"pictures of {width} x {height} pixels are too small for a watermark of {BITS} bits, which needs "
                f"{MIN_SIDE} pixels; use marks without one"
            )
        colors = channels - (channels % 2 == 0)
        marked = items.copy()
        for part in np.array_split(np.arange(len(items)), math.ceil(len(items) / BATCH)):
            x = as_values(items[part][..., :colors])
            y = pixels.quantize(self.nets.embed(x, bits.expand(len(x), -1)))
            marked[part, ..., :colors] = as_items(y)
        return marked

    @torch.no_grad()
    def decode(self, items: NDArray[np.uint8]) -> Tensor:
        """The bits in pictures (n, h, w, c), whether or not they have a watermark: (n, BITS) of -1 and 1."""
        channels = items.shape[-1]
        x = as_values(items[..., : channels - (channels % 2 == 0)])
        return torch.where(self.nets.decode(x) > 0, 1.0, -1.0)

    def save(self, path: Path) -> None:
        write_bytes(path, safetensors.torch.save(dict(self.nets.state_dict())))

    @classmethod
    def load(cls, path: Path) -> Watermark:
        """
        Raises:
            InputError: if the file is damaged.
        """
        nets = Nets()
        try:
            nets.load_state_dict(safetensors.torch.load_file(path))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise InputError(f"{path} is damaged: {one_line(error)}; train another watermark") from error
        return cls(nets)


def as_values(items: NDArray[np.uint8]) -> Tensor:
    """Pictures (n, h, w, c) as (n, c, h, w) in [-1, 1]."""
    return values(torch.from_numpy(np.ascontiguousarray(items)).permute(0, 3, 1, 2))


def as_items(x: Tensor) -> NDArray[np.uint8]:
    """Pictures (n, c, h, w) in [-1, 1] as (n, h, w, c)."""
    items: NDArray[np.uint8] = as_bytes(x).permute(0, 2, 3, 1).numpy()
    return items


def message(identity: str) -> Tensor:
    """The bits that name a model: (BITS,) of -1 and 1.

    Args:
        identity: SHA-256 of the model, in hexadecimal.
    """
    number = int(identity[: BITS // 4], 16)
    return torch.tensor([1.0 if number >> i & 1 else -1.0 for i in range(BITS)])


def required(models: int) -> int:
    """Bits that must agree with those of a model, so that a picture without a watermark is named as that of one of
    this many models with a probability of at most FALSE_NAMES. The bits of models are hashes, so each of them agrees
    with what is read from such a picture with a probability of 1/2, whatever that is.
    """
    chance = 0.0  # that as many bits agree as are required
    for agreeing in range(BITS, -1, -1):
        chance += math.comb(BITS, agreeing) / 2**BITS
        if models * chance > FALSE_NAMES:
            return agreeing + 1
    return 0


def named(bits: Tensor, identities: Sequence[str]) -> tuple[str, int] | None:
    """The model whose bits were read from a picture, and how many agree; None if they are those of no model.

    Args:
        bits: (BITS,) of -1 and 1, from `Watermark.decode`.
        identities: of all models that are known.
    """
    agreeing = {one: int((message(one) == bits).sum()) for one in identities}
    best = max(agreeing, key=lambda one: agreeing[one], default=None)
    return (best, agreeing[best]) if best is not None and agreeing[best] >= required(len(identities)) else None


def _degraded(x: Tensor) -> Tensor:
    """Training pictures as they may come back. Gradients pass compression as if it changed nothing."""
    if torch.rand(()) < 0.5:
        x = crop(x, float(torch.rand(())) * MAX_CROP)
    way = float(torch.rand(()))
    if way < 0.4:
        return x + (pixels.compress(x, 50, 95) - x).detach()
    if way < 0.65:
        return pixels.downscale(x, 2)
    return pixels.add_noise(x, 0, 8) if way < 0.75 else x


def train(pictures: Sequence[Tensor], steps: int, seed: int = 0, progress: Progress = no_progress) -> Watermark:
    """A watermark for pictures like these.

    Args:
        pictures: tensors (n, c, h, w), uint8, of one size each.
        steps: of the training.
        progress: called with the number of steps that are done, and their total.

    Raises:
        InputError: if pictures are too small.
    """
    for one in pictures:
        if min(one.shape[-2:]) < MIN_SIDE:
            raise InputError(f"pictures of {one.shape[-1]} x {one.shape[-2]} pixels are too small for a watermark")
    with torch.random.fork_rng(), torch.enable_grad():
        torch.manual_seed(seed)
        nets = Nets(STRENGTH)
        optimizer = torch.optim.AdamW(nets.parameters(), lr=RATE, betas=(0.9, 0.99))
        for step in range(steps):
            done = step / steps
            optimizer.param_groups[0]["lr"] = RATE * min(1, (step + 1) / WARM_UP) * max(0.02, 1 - done)
            loss = _loss(nets, pictures[int(torch.randint(len(pictures), ()))], done)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            progress(step + 1, steps)
    return Watermark(nets)


def _loss(nets: Nets, pictures: Tensor, done: float) -> Tensor:
    """Cross-entropy of the bits that are read from degraded pictures.

    Args:
        done: share of the training.
    """
    x = values(pictures[torch.randint(len(pictures), (BATCH,))])
    x = x.flip(-1) if torch.rand(()) < 0.5 else x
    bits = torch.randint(0, 2, (len(x), BITS)).float() * 2 - 1
    times = max(1.0, EARLY_STRENGTH + (1 - EARLY_STRENGTH) * done / EARLY)
    marked = nets.embed(x, bits, times)
    marked = marked + (pixels.quantize(marked) - marked).detach()
    seen = marked if done < UNDISTURBED else _degraded(marked)
    return F.binary_cross_entropy_with_logits(nets.decode(seen), (bits + 1) / 2)


@torch.no_grad()
def judge(watermark: Watermark, pictures: Tensor, identities: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """How many pictures are named after degradations, with the watermark and without it, and what it costs.

    Args:
        pictures: (n, c, h, w), uint8, that it was not trained on.
        identities: of models. Pictures are marked as those of the first; the others are known, too.

    Returns:
        `psnr` in dB; `bits`, the number of those that must agree; and for each degradation the shares of pictures
        that are rightly `named`, and of real pictures that are named `falsely`.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        items = pictures.permute(0, 2, 3, 1).numpy()
        marked = watermark.embed(items, message(identities[0]))
        error = np.square(marked.astype(float) - items).mean((1, 2, 3))
        found: dict[str, Any] = {
            "psnr": float(np.mean(10 * np.log10(255**2 / error))), "pictures": len(items),
            "bits": required(len(identities)), "models": len(identities),
        }  # fmt: skip
        for name, degrade in DEGRADATIONS.items():
            rightly = names(watermark, marked, degrade, identities).count(identities[0]) / len(items)
            found[name] = {"named": rightly, "falsely": share_named(watermark, items, degrade, identities)}
        return found


def share_named(
    watermark: Watermark, items: NDArray[np.uint8], degrade: Degradation, identities: Sequence[str]
) -> float:
    """Share of pictures (n, h, w, c) that are named as those of any model after a degradation."""
    return sum(map(bool, names(watermark, items, degrade, identities))) / len(items)


def names(watermark: Watermark, items: NDArray[np.uint8], degrade: Degradation, identities: Sequence[str]) -> list[str]:
    """The model that each picture of (n, h, w, c) is named as that of after a degradation; "" for none."""
    found = []
    for part in np.array_split(items, math.ceil(len(items) / BATCH)):
        read = watermark.decode(as_items(degrade(as_values(part))))
        found += [(named(bits, identities) or ("",))[0] for bits in read]
    return found
