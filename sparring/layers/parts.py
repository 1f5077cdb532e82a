"""The layout of items that consist of several parts as one vector, and of what is given of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor


@dataclass(frozen=True)
class Given:
    """What is known of items.

    Attributes:
        fields: 1 for the fields that are given, (n, fields).
        present: 1 for the parts that the items have, (n, parts).
        values: of the given fields, (n, width); those of other fields mean nothing.
    """

    fields: Tensor
    present: Tensor
    values: Tensor


@dataclass(frozen=True)
class Parts:
    """Where the parts of an item are in one vector (n, width), and how its condition (n, condition_width) is read.

    A field is what can be given on its own: a whole part, or one column of a row. A condition holds which fields are
    given, which parts there are, and the values of an item.

    Attributes:
        shapes: of the parts.
        owners: for each part, the field of each of its values, counted from 0; () if the part is one field.
    """

    shapes: tuple[tuple[int, ...], ...]
    owners: tuple[tuple[int, ...], ...]

    @property
    def widths(self) -> list[int]:
        """Number of values of each part."""
        return [prod(shape) for shape in self.shapes]

    @property
    def width(self) -> int:
        """Number of values of an item."""
        return sum(self.widths)

    @property
    def fields(self) -> list[int]:
        """Number of fields of each part."""
        return [1 + max(owners, default=0) for owners in self.owners]

    @property
    def condition_width(self) -> int:
        """Length of a condition."""
        return sum(self.fields) + len(self.shapes) + self.width

    def field_of_values(self) -> Tensor:
        """The field of each value, int64 (width,)."""
        parts, before = [], 0
        for width, fields, owners in zip(self.widths, self.fields, self.owners, strict=True):
            parts.append(before + (torch.tensor(owners) if owners else torch.zeros(width, dtype=torch.int64)))
            before += fields
        return torch.cat(parts)

    def part_of_values(self) -> Tensor:
        """The part of each value, int64 (width,)."""
        return torch.arange(len(self.shapes)).repeat_interleave(torch.tensor(self.widths))

    def split(self, values: Tensor) -> list[Tensor]:
        """Items (n, width) as their parts, (n, *shape) each."""
        parts = torch.split(values, self.widths, 1)
        return [part.reshape(-1, *shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def fields_of_parts(self, fields: Tensor) -> tuple[Tensor, ...]:
        """Fields (n, fields) by part."""
        return torch.split(fields, self.fields, 1)

    def given(self, condition: Tensor) -> Given:
        """A condition (n, condition_width) by what it says."""
        return Given(*torch.split(condition, [sum(self.fields), len(self.shapes), self.width], 1))

    def condition(self, fields: Tensor, present: Tensor, values: Tensor) -> Tensor:
        """The condition of what is given; the arguments are those of `Given`. Values that are not given become 0."""
        known = fields[:, self.field_of_values().to(fields.device)]
        return torch.cat([fields, present, values * known], 1)


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Parts (n, *shape) as one vector, (n, width)."""
    return torch.cat([part.flatten(1).float() for part in parts], 1)
