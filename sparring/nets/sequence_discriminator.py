"""A discriminator of token sequences: convolutions of several widths, and a recurrent net in both directions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.condition import Projected
from sparring.nets.discriminator import Discriminator
from sparring.nets.sequence import until_end


class SequenceDiscriminator(Discriminator):
    """Codes int64 (n, length)[, classes (n,)] -> logits (n,).

    Convolutions over 1 to 5 tokens, each followed by its largest value over the sequence (Kim 2014, arXiv:1408.5882),
    as in SeqGAN, and gated recurrent units in both directions, which see the order of the whole sequence.

    Args:
        tokens: number of tokens.
        width: channels of the convolutions of each size, and units of a direction; also the length of a token's vector.
        sizes: tokens that a convolution sees.
        recurrent: with the recurrent net.
        dropout: share of the vectors' and the features' units that are dropped during training.
        classes: number of classes that sequences are generated for; 0 for none.
    """

    def __init__(
        self,
        tokens: int,
        width: int,
        sizes: Sequence[int] = (1, 2, 3, 4, 5),
        recurrent: bool = True,
        dropout: float = 0.25,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens + 1, width)
        self.dropout = nn.Dropout(dropout)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, width, size) for size in sizes)
        self.largest = max(sizes)
        self.onward, self.back = (nn.GRU(width, width, batch_first=True) if recurrent else None for _ in range(2))
        self.length = width * (len(sizes) + 2 * recurrent)
        self.head = Projected(self.length, classes)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        known = until_end(x)
        x, known = _cut(x, known)
        h = self.dropout(self.embedding(x)) * known[..., None]  # (n, length, width)
        padded = F.pad(h.transpose(1, 2), (0, self.largest - 1))
        # Only places of the sequence itself count, so that logits do not depend on the length of others in the batch.
        found = [
            F.leaky_relu(layer(padded), 0.2)[..., : known.shape[1]].masked_fill(~known[:, None], -torch.inf).amax(2)
            for layer in self.convolutions
        ]
        for net, sequence in ((self.onward, h), (self.back, _reversed(h, known))):
            if net is not None:
                states = net(sequence)[0].masked_fill(~known[..., None], -torch.inf)  # (n, length, width)
                found.append(states.amax(1))
        vector: Tensor = self.dropout(torch.cat(found, 1))
        return vector

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        logits: Tensor = self.head(h, label)
        return logits


def _reversed(h: Tensor, known: Tensor) -> Tensor:
    """Vectors of sequences (n, length, width) from their last one to their first one."""
    place = (known.sum(1, keepdim=True) - 1 - torch.arange(known.shape[1], device=h.device)).clamp(min=0)
    return h.gather(1, place[..., None].expand_as(h))


def _cut(codes: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """Sequences without the places at the end that none of them reaches."""
    longest = int(known.sum(1).amax())
    return codes[:, :longest], known[:, :longest]
