"""Which columns of rows are given to the networks: some of a row's own in training, requested ones in sampling."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from sparring.modalities.tables.columns import Category, Column, frequencies

Asking = Literal["any", "level", "target"]
CONDITIONED = 0.5  # share of a batch's rows that are generated for values of a random subset of columns,
TARGET_GIVEN = 0.7  # that are generated for a value of the target,
SINGLE_GAP = 0.3  # and that are generated for all columns but one


@dataclass(frozen=True)
class GivenColumns:
    """Chooses the columns that are given.

    Attributes:
        learned: the fitted columns that the networks see.
        target: index of the target among them.
        asking: as for `Table`.
    """

    learned: tuple[Column, ...]
    target: int
    asking: Asking

    @cached_property
    def categories(self) -> list[int]:
        """Indices of the categories among the columns."""
        return [i for i, column in enumerate(self.learned) if isinstance(column, Category)]

    # In training.

    def of(self, codes: Tensor) -> Tensor:
        """True for the codes of rows that are given, (n, columns)."""
        if self.asking == "target":
            return (torch.arange(codes.shape[1], device=codes.device) == self.target).expand_as(codes)
        return self._one_level(codes) if self.asking == "level" else self._random_columns(codes)

    def _random_columns(self, codes: Tensor) -> Tensor:
        """True for the codes that are given, (n, columns)."""
        n, columns = codes.shape
        share = torch.rand(n, 1, device=codes.device) ** 2  # few columns more often than many
        given = torch.rand(n, columns, device=codes.device) < share
        given &= torch.rand(n, 1, device=codes.device) < CONDITIONED
        given[:, self.target] |= torch.rand(n, device=codes.device) < TARGET_GIVEN
        drawn = torch.randint(2 * columns, (n, 1), device=codes.device)  # the target is the gap in half of the rows
        gap = torch.arange(columns, device=codes.device) == torch.where(drawn < columns, drawn, self.target)
        return torch.where(torch.rand(n, 1, device=codes.device) < SINGLE_GAP, ~gap, given)

    def _one_level(self, codes: Tensor) -> Tensor:
        """True for the codes that are given, (n, columns): one category per row, at random."""
        given = torch.zeros_like(codes, dtype=torch.bool)
        if self.categories:
            # The rarer the level, the more often. `multinomial` draws like this, but checks its input on the host.
            weights = self.weights(codes)
            column = (weights / torch.empty_like(weights).exponential_()).argmax(1, keepdim=True)
            given.scatter_(1, torch.tensor(self.categories).to(codes.device, non_blocking=True)[column], True)
        return given

    @cached_property
    def _row_weights(self) -> list[Tensor]:
        """For each category, the sampling weight of a row with each level, so that the frequency of a level is
        proportional to the logarithm of its count. Xu et al. 2019, arXiv:1907.00503, section 4.3.
        """
        weights = []
        for i in self.categories:
            counts = torch.tensor(frequencies(self.learned[i])).double()
            target = (counts + 1).log()
            weights.append((target / target.sum() / counts).float())
        return weights

    def weights(self, codes: Tensor) -> Tensor:
        """Sampling weight of each row for each category, (n, categories)."""
        columns = zip(self.categories, self._row_weights, strict=True)
        return torch.stack([weights.to(codes.device, non_blocking=True)[codes[:, i]] for i, weights in columns], 1)

    # In sampling.

    def draw(self, n: int, device: torch.device, requested: Tensor | None = None) -> Tensor:
        """Conditions of n rows: a code of each column, negative where it is free, (n, columns).

        Args:
            requested: the codes of one row; None if nothing is requested.
        """
        conditions = torch.full((n, len(self.learned)), -1, device=device)
        if self.asking != "level":
            if requested is not None and self.asking == "target":  # for other columns, samples are drawn until some fit
                requested = torch.where(torch.arange(len(requested)) == self.target, requested.cpu(), -1)
            if requested is not None and (requested >= 0).any():
                return requested.to(device).expand(n, -1)
            counts = torch.tensor(frequencies(self.learned[self.target]), device=device).float()
            conditions[:, self.target] = counts.multinomial(n, replacement=True)
            return conditions
        given = [] if requested is None else [i for i in self.categories if requested[i] >= 0]
        columns = given or self.categories
        if not columns:
            return conditions
        chosen = torch.tensor(columns, device=device)[torch.randint(len(columns), (n,), device=device)]
        for i in columns:
            counts = torch.tensor(frequencies(self.learned[i]), device=device).float()
            if requested is None or i not in given:
                level = counts.multinomial(n, replacement=True)
            else:
                level = requested[i].to(device)
            conditions[:, i] = torch.where(chosen == i, level, conditions[:, i])
        return conditions
