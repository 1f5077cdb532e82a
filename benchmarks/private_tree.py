"""A private baseline for tables without a net: a tree of noisy marginals, of which rows are drawn.

As in MST, the winner of NIST's challenge of 2018 (McKenna et al. 2021, arXiv:2108.04978): counts of columns with noise,
a maximum spanning tree of the pairs that depend most, chosen by the exponential mechanism, and noisy counts of these
pairs. The distribution of maximum entropy with the marginals of a tree is the product of its conditional distributions.
Epsilon follows from zero-concentrated differential privacy (Bun and Steinke 2016, arXiv:1605.02658), converted as in
Canonne et al. 2020, arXiv:2004.00010, proposition 12.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray

from sparring.data.items import Items
from sparring.data.tensors import VALUES
from sparring.modalities import Table
from sparring.privacy import SecretNoise

SHARES = {"columns": 1 / 3, "selection": 1 / 3, "pairs": 1 / 3}  # of the budget
ALPHAS = 1 + np.geomspace(1e-3, 1e4, 2000)

Edge = tuple[int, int]


def epsilon_of(rho: float, delta: float) -> float:
    """The epsilon of rho-zCDP."""
    found = ALPHAS * rho + np.log1p(-1 / ALPHAS) - np.log(delta * ALPHAS) / (ALPHAS - 1)
    return max(0.0, float(found.min()))


def rho_for(epsilon: float, delta: float) -> float:
    """The largest rho that keeps an epsilon."""
    low, high = 0.0, 1e4
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if epsilon_of(middle, delta) <= epsilon else (low, middle)
    return low


def sample(items: Items, target: str, epsilon: float, delta: float, n: int) -> tuple[Table, object]:
    """The privately fitted columns, and n rows that are (epsilon, delta)-differentially private."""
    source, selection = SecretNoise(), delta / 2
    rho = rho_for(epsilon, delta - selection)
    columns = (1 / (2 * rho * SHARES["columns"])) ** 0.5
    table = Table(target=target, asking="target").fit_privately(items, columns, math.inf, selection, source)
    train = table.split(items).train
    encoded = table.encode(Items(items.name, items.kind, items.items.iloc[train])).tensors[VALUES]
    codes = encoded[:, : len(table.learned)].long().numpy()
    shares = torch.split(table.level_shares(), list(table.widths))
    ones = [len(codes) * share.double().numpy() for share in shares]
    edges = tree(codes, ones, rho * SHARES["selection"], source)
    deviation = (len(edges) / (2 * rho * SHARES["pairs"])) ** 0.5
    pairs = {(i, j): source.noisy(_counts(codes, table.widths, i, j), deviation).clip(0) for i, j in edges}
    drawn = draw(pairs, ones, n, source.random)
    scalars = source.random.uniform(-1, 1, (n, len(table.scalars)))
    rows = torch.from_numpy(np.concatenate([drawn, scalars], 1).astype(np.float32))
    return table, table.decode({VALUES: table.scale(rows)})


def tree(codes: NDArray[np.int64], ones: list[NDArray[np.float64]], rho: float, source: SecretNoise) -> list[Edge]:
    """The edges of a spanning tree. The score of a pair is how far its counts are from those of independent columns,
    which one row changes by at most 1.
    """
    widths, columns = [len(one) for one in ones], codes.shape[1]
    scores = {
        (i, j): np.abs(_counts(codes, widths, i, j) - np.outer(ones[i], ones[j]) / len(codes)).sum()
        for i, j in combinations(range(columns), 2)
    }
    each = (8 * rho / (columns - 1)) ** 0.5  # epsilon of a choice, which costs epsilon squared / 8
    part, edges = list(range(columns)), list[Edge]()
    while len(edges) < columns - 1:
        open_pairs = [pair for pair in scores if part[pair[0]] != part[pair[1]]]
        noise = source.random.gumbel(size=len(open_pairs))
        best = open_pairs[int(np.argmax([each / 2 * scores[pair] for pair in open_pairs] + noise))]
        edges.append(best)
        part = [part[best[0]] if p == part[best[1]] else p for p in part]
    return edges


def _counts(codes: NDArray[np.int64], widths: list[int] | tuple[int, ...], i: int, j: int) -> NDArray[np.float64]:
    flat = np.bincount(codes[:, i] * widths[j] + codes[:, j], minlength=widths[i] * widths[j])
    return flat.reshape(widths[i], widths[j]).astype(np.float64)


def draw(
    pairs: dict[Edge, NDArray[np.float64]], ones: list[NDArray[np.float64]], n: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Codes (n, columns), column by column along the tree, each given its neighbor."""
    codes = np.full((n, len(ones)), -1)
    codes[:, 0] = random.choice(len(ones[0]), n, p=ones[0] / ones[0].sum())
    left = dict(pairs)
    while left:
        (i, j), counts = next((pair, c) for pair, c in left.items() if (codes[0, list(pair)] >= 0).any())
        del left[i, j]
        known, new, table = (i, j, counts) if codes[0, i] >= 0 else (j, i, counts.T)
        table = table + 1e-9 * ones[new] / ones[new].sum()  # a row without counts follows the column alone
        edges = (table / table.sum(1, keepdims=True)).cumsum(1)
        codes[:, new] = (random.random(n)[:, None] > edges[codes[:, known]]).sum(1).clip(max=len(ones[new]) - 1)
    return codes
