"""Rows that are made of several rows."""

from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sparring.layers.condition import Columns
from sparring.modalities.images.recombination import MIN_RECOMBINED, recombine

COLUMNS = Columns((4, 3, 5), (2,))  # the last column has a scalar


def table(n, seed=0):
    random = torch.Generator().manual_seed(seed)
    codes = [torch.randint(width, (n, 1), generator=random) for width in COLUMNS.widths]
    scalar = codes[2] / 10 + 0.01  # tells which code it belongs to
    return torch.cat([*codes, scalar], 1).float()


def as_set(rows):
    return {tuple(row[:3]) for row in rows.int().tolist()}


@given(st.integers(1, 40), st.integers(0, 5))
def test_every_pair_of_values_occurs_in_the_data(n, seed):
    known = table(n, seed)
    made = recombine(known, known, COLUMNS)
    for a, b in combinations(range(3), 2):
        pairs = {tuple(row) for row in known[:, [a, b]].int().tolist()}
        assert {tuple(row) for row in made[:, [a, b]].int().tolist()} <= pairs


def test_rows_are_new_and_scalars_stay_with_their_column():
    known = table(30)
    made = recombine(known, known, COLUMNS)
    assert len(made) >= MIN_RECOMBINED
    assert len(as_set(made) - as_set(known)) > 5
    assert made[:, 3].tolist() == pytest.approx((made[:, 2] / 10 + 0.01).tolist())
    assert torch.equal(made, recombine(known, known, COLUMNS))


def test_fixed_columns_keep_their_values():
    known = table(30)
    asked = known[known[:, 0] == 1]
    made = recombine(asked, known, COLUMNS, fixed={0})
    assert set(made[:, 0].int().tolist()) == {1}
    assert len(as_set(made)) > len(as_set(asked))


def test_frequencies_stay_about_the_same():
    known = table(2000)
    made = recombine(known, known, COLUMNS)
    for i, width in enumerate(COLUMNS.widths):
        before, after = (torch.bincount(rows[:, i].long(), minlength=width) / len(rows) for rows in (known, made))
        assert (before - after).abs().max() < 0.05


def test_a_single_row_stays_as_it_is():
    known = table(1)
    assert as_set(recombine(known, known, COLUMNS)) == as_set(known)
