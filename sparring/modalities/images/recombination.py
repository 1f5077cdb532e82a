"""New rows from training rows: columns of several rows together, in pairs of values that occur."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import Tensor

from sparring.layers.condition import Columns

MIN_RECOMBINED = 1024  # rows that are made of fewer
MAX_CODES = 8192  # of all columns together; the table of pairs that occur has its square of bytes
SHARES = (0.5, 0.5, 0.3, 0.3, 0.15, 0.15)  # of columns that are taken from another row, attempt by attempt
DONORS = 3  # rows whose columns a row receives, at most


def recombine(rows: Tensor, known: Tensor, columns: Columns, fixed: Collection[int] = ()) -> Tensor:
    """Rows in which some columns are those of other rows, so that most of them are new.

    Every pair of codes in a row occurs together in a known row: no value is combined with one that it was never seen
    with. A row that admits no such change stays as it is. The result is the same each time.

    Args:
        rows: to be changed, (n, width); fewer than 1,024 are repeated.
        known: training rows, (m, width). With more than 8,192 codes in all columns together, `rows` are returned.
        fixed: columns that are not changed.

    Returns:
        Rows, (max(n, about 1,024), width).
    """
    if sum(columns.widths) > MAX_CODES:
        return rows
    generator = torch.Generator().manual_seed(0)
    mixed = rows.repeat(-(-MIN_RECOMBINED // len(rows)), 1) if len(rows) < MIN_RECOMBINED else rows.clone()
    occurs = _pairs(known, columns)
    free = torch.tensor([float(i not in fixed) for i in range(len(columns.widths))])
    owners = torch.tensor([*range(len(columns.widths)), *columns.scalars])  # the column of each value of a row
    for _ in range(DONORS):
        waiting = torch.arange(len(mixed))
        for share in SHARES:
            donors = known[torch.randint(len(known), (len(waiting),), generator=generator)]
            taken = torch.rand(len(waiting), len(free), generator=generator) < share * free
            changed = torch.where(taken[:, owners], donors, mixed[waiting])
            possible = _possible(changed, occurs, columns)
            mixed[waiting[possible]] = changed[possible]
            waiting = waiting[~possible]
    return mixed


def _codes(rows: Tensor, columns: Columns) -> Tensor:
    """Codes numbered through all columns, (n, columns)."""
    widths = torch.tensor(columns.widths)
    return rows[:, : len(widths)].long() + widths.cumsum(0) - widths


def _pairs(known: Tensor, columns: Columns) -> Tensor:
    """True where two codes occur in one row, (codes, codes)."""
    codes, size = _codes(known, columns), sum(columns.widths)
    occurs = torch.zeros(size, size, dtype=torch.bool)
    for i in range(codes.shape[1]):
        occurs[codes[:, i : i + 1], codes] = True
    return occurs


def _possible(rows: Tensor, occurs: Tensor, columns: Columns) -> Tensor:
    """True for rows whose codes all occur together, two at a time, (n,)."""
    codes = _codes(rows, columns)
    possible = torch.ones(len(rows), dtype=torch.bool)
    for i in range(codes.shape[1]):
        possible &= occurs[codes[:, i : i + 1], codes].all(1)
    return possible
