"""A convolutional discriminator of token sequences. Kim 2014, arXiv:1408.5882, with a highway layer (Srivastava et al.
2015, arXiv:1505.00387), as in SeqGAN and ORGAN.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.nets.discriminator import Discriminator


class SequenceCnn(Discriminator):
    """Codes int64 (n, length) -> logits (n,).

    Args:
        tokens: number of tokens; codes are 1 to `tokens`, and 0 after the end.
        embedding: length of a token's vector.
        width: channels of the convolutions of each size.
        sizes: tokens that a convolution sees.
        dropout: share of the features' units that are dropped during training.
    """

    def __init__(
        self, tokens: int, embedding: int, width: int, sizes: Sequence[int] = (1, 2, 3, 5, 8), dropout: float = 0.25
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens + 1, embedding)
        self.convolutions = nn.ModuleList(nn.Conv1d(embedding, width, size) for size in sizes)
        self.margin = max(sizes) - 1
        self.length = width * len(sizes)
        self.highway, self.gate = nn.Linear(self.length, self.length), nn.Linear(self.length, self.length)
        self.dropout, self.head = nn.Dropout(dropout), nn.Linear(self.length, 1)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        h = F.pad(self.embedding(x).transpose(1, 2), (0, self.margin))  # (n, embedding, length + margin)
        found = torch.cat([convolution(h).relu().amax(2) for convolution in self.convolutions], 1)
        gate = self.gate(found).sigmoid()
        vector: Tensor = gate * self.highway(found).relu() + (1 - gate) * found
        return vector

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        logit: Tensor = self.head(self.dropout(h))
        return logit.squeeze(1)
