"""Nets that transform signals, applied to signals of any length, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from sparring.nets.tiles import Mapper

CHUNK = 2**16  # input values of a chunk, without its context


def chunked(mapper: Mapper, blocks: Iterable[Tensor], chunk: int = CHUNK) -> Iterator[Tensor]:
    """The output of a net for a signal, computed chunk by chunk.

    Each chunk is surrounded by the part of the signal on which its output depends, so that the result is equal to that
    for the whole signal at once.

    Args:
        mapper: its net takes (n, channels, length) and has a known reach.
        blocks: consecutive parts of signals, (n, channels, length) each, of any length.
        chunk: input values of a chunk, about.

    Yields:
        (n, out_channels, times * length) float32 on the CPU, from the beginning to the end.
    """
    assert mapper.reach is not None
    stride = mapper.stride
    size, halo = -(-chunk // stride) * stride, -(-mapper.reach // stride) * stride
    kept, start, done = None, 0, 0  # values at hand, the place of the first of them, and of the next output
    for block in blocks:
        kept = block if kept is None else torch.cat([kept, block], -1)
        while start + kept.shape[-1] >= done + size + halo:
            yield _part(mapper, kept[..., : done + size + halo - start], done - start, size)
            done += size
            dropped = max(0, done - halo - start)
            kept, start = kept[..., dropped:].clone(), start + dropped
    if kept is not None and start + kept.shape[-1] > done:
        yield _part(mapper, kept, done - start, start + kept.shape[-1] - done)


def _part(mapper: Mapper, x: Tensor, begin: int, length: int) -> Tensor:
    """The output for a part of a window of the signal."""
    with torch.no_grad():
        y: Tensor = mapper.net(x.to(mapper.device)).float().cpu()
    return y[..., begin * mapper.times : (begin + length) * mapper.times]
