"""A generator of items of several parts that makes them one after the other, each from those that there are already."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sparring.layers.parts import Parts, joined
from sparring.nets.joint import EMBEDDING, Trunk


class Generator(nn.Module):
    """Latents (n, z for each part + own latents of the heads) and what is given (n, condition_width) -> items (n,
    width).

    Every part has a trunk and a head of its own, which see the given fields and the parts that were made before. Given
    fields are in the item as they were given, and parts that the condition lacks are 0.

    Args:
        parts: the layout of an item.
        z: length of the latents of each part.
        heads: for each part, a generator: (n, code + own latents) -> (n, *shape).
        own: for each head, the number of its own latents.
        encoders: for each part: (n, *shape) -> (n, EMBEDDING).
        code, width, depth: as for `Trunk`.
    """

    def __init__(
        self, parts: Parts, z: int, heads: Sequence[nn.Module], own: Sequence[int], encoders: Sequence[nn.Module],
        code: int, width: int, depth: int,
    ) -> None:  # fmt: skip
        super().__init__()
        self.parts, self.z, self.own = parts, z, list(own)
        self.heads, self.encoders = nn.ModuleList(heads), nn.ModuleList(encoders)
        inputs = z + sum(parts.fields) + EMBEDDING * len(self.heads)
        self.trunks = nn.ModuleList(Trunk(inputs, width, depth, code, 1) for _ in heads)
        owners = torch.split(parts.field_of_values(), parts.widths)
        for i, owner in enumerate(owners):
            self.register_buffer(f"owner{i}", owner - owner.min(), persistent=False)

    def forward(self, z: Tensor, condition: Tensor) -> Tensor:
        return self.made(z, condition)[0]

    def made(self, z: Tensor, condition: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Items (n, width), and what each head made its part from."""
        given, count = self.parts.given(condition), len(self.heads)
        latents = torch.split(z, [self.z] * count + self.own, 1)
        present = torch.split(given.present, 1, 1)
        known = [fields * here for fields, here in zip(self.parts.fields_of_parts(given.fields), present, strict=True)]
        values = self.parts.split(given.values)
        vectors = [
            encoder(value) * fields.amax(1, keepdim=True)
            for encoder, value, fields in zip(self.encoders, values, known, strict=True)
        ]
        there, made, codes = list(known), list[Tensor](), list[Tensor]()
        for i, head in enumerate(self.heads):
            (code,) = self.trunks[i](torch.cat([latents[i], *there, *vectors], 1))
            codes.append(torch.cat([code, latents[count + i]], 1))
            own = head(codes[i])
            fixed = known[i][:, self.get_buffer(f"owner{i}")].view(own.shape) > 0
            shape = (-1, *[1] * (own.ndim - 1))
            made.append(torch.where(fixed, values[i], own) * present[i].view(shape))
            if i + 1 < count:
                vectors[i] = self.encoders[i](made[i]) * present[i]
                there[i] = present[i].expand_as(there[i])
        return joined(made), codes
