"""RelGAN's nets. Nie et al. 2019, "RelGAN: relational generative adversarial networks for text generation", ICLR."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.layers.condition import Projected
from sparring.nets.discriminator import Discriminator


class RelationalMemory(nn.Module):
    """Slots of memory that attend to each other and to the input, and are gated. Santoro et al. 2018, arXiv:1806.01822.

    Vectors (n, length, inputs) and the memory (n, slots, heads * head) or None -> outputs (n, length, slots * heads *
    head) and the memory after them.

    Args:
        inputs: length of an input.
        slots, heads, head: number of slots and of heads, and length of a head.
    """

    def __init__(self, inputs: int, slots: int, heads: int, head: int) -> None:
        super().__init__()
        self.slots, self.heads, self.size = slots, heads, heads * head
        self.enter = nn.Linear(inputs, self.size)
        self.attend = nn.Linear(self.size, 3 * self.size)
        self.mlp = nn.Sequential(nn.Linear(self.size, self.size), nn.ReLU(), nn.Linear(self.size, self.size))
        self.norms = nn.ModuleList(nn.LayerNorm(self.size) for _ in range(2))
        self.gate_input, self.gate_memory = nn.Linear(self.size, 2 * self.size), nn.Linear(self.size, 2 * self.size)

    @property
    def width(self) -> int:
        """Length of an output."""
        return self.slots * self.size

    def forward(self, x: Tensor, memory: Tensor | None = None) -> tuple[Tensor, Tensor]:
        entered = self.enter(x)  # (n, length, size)
        if memory is None:
            memory = torch.eye(self.slots, self.size, device=x.device, dtype=entered.dtype).expand(len(x), -1, -1)
        outputs = []
        for step in entered.unbind(1):
            memory = self._updated(memory, step[:, None])
            outputs.append(memory.flatten(1))
        return torch.stack(outputs, 1), memory

    def _updated(self, memory: Tensor, step: Tensor) -> Tensor:
        """The memory (n, slots, size) after an input (n, 1, size)."""
        q, k, v = (part.unflatten(2, (self.heads, -1)).transpose(1, 2)
                   for part in self.attend(torch.cat([memory, step], 1)).chunk(3, 2))  # fmt: skip
        attended = F.scaled_dot_product_attention(q[:, :, : self.slots], k, v).transpose(1, 2).flatten(2)
        first, second = self.norms
        candidate = first(memory + attended)
        candidate = second(candidate + self.mlp(candidate))
        gates: Tensor = self.gate_input(step) + self.gate_memory(memory.tanh())
        new, old = gates.chunk(2, 2)
        updated: Tensor = new.sigmoid() * candidate.tanh() + (old + 1).sigmoid() * memory  # forgets little at first
        return updated


class RepresentationsDiscriminator(Discriminator):
    """Codes (n, length), or shares of codes (n, length, tokens + 1) [, classes (n,)] -> logits (n, representations).

    Each representation of a text is a number per token, and convolutions over several tokens see each on its own.

    Args:
        tokens: number of tokens.
        representations: of a text.
        width: channels of the convolutions of each size.
        sizes: tokens that a convolution sees.
        classes: number of classes; 0 for none.
    """

    def __init__(
        self, tokens: int, representations: int, width: int, sizes: Sequence[int] = (2, 3, 4, 5), classes: int = 0
    ) -> None:
        super().__init__()
        self.tokens, self.representations = tokens, representations
        self.embedding = nn.Linear(tokens + 1, representations, bias=False)
        self.convolutions = nn.ModuleList(nn.Conv1d(1, width, size) for size in sizes)
        self.largest, self.each = max(sizes), width * len(sizes)
        self.highway = nn.Linear(self.each, 2 * self.each)
        self.dropout = nn.Dropout(0.25)
        self.narrow = nn.Linear(self.each, 100)
        self.length, self.head = 100 * representations, Projected(100, classes)
        nn.init.normal_(self.embedding.weight, std=1 / sqrt(representations))

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        shares = x if x.is_floating_point() else F.one_hot(x, self.tokens + 1).to(self.embedding.weight.dtype)
        h = self.embedding(shares).transpose(1, 2).reshape(x.shape[0] * self.representations, 1, -1)
        padded = F.pad(h, (0, max(0, self.largest - h.shape[2])))
        found = torch.cat([F.relu(layer(padded)).amax(2) for layer in self.convolutions], 1)
        gate, new = self.highway(found).chunk(2, 1)
        found = gate.sigmoid() * new.relu() + (1 - gate.sigmoid()) * found
        vector: Tensor = self.narrow(self.dropout(found)).view(x.shape[0], -1)  # (n, representations * 100)
        return vector

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:
        each = h.reshape(h.shape[0] * self.representations, -1)
        repeated = None if label is None else label.repeat_interleave(self.representations)
        logits: Tensor = self.head(each, repeated)
        return logits.view(h.shape[0], -1)
