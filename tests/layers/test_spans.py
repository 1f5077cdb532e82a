"""The segmented softmax against a loop over spans."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from sparring.layers.spans import Spans

WIDTHS = st.lists(st.integers(1, 7), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(WIDTHS, st.integers(0, 2**31))
def test_softmax_and_codes_of_each_span(widths, seed):
    torch.manual_seed(seed)
    spans = Spans(widths, ())
    logits = 30 * torch.randn(5, sum(widths))
    parts = logits.split(widths, 1)
    assert torch.allclose(spans.softmax(logits), torch.cat([p.softmax(1) for p in parts], 1), atol=1e-6)
    codes = torch.stack([p.argmax(1) for p in parts], 1)
    assert torch.equal(spans.codes(logits), codes)
    onehot = torch.cat([F.one_hot(c, w) for c, w in zip(codes.T, widths, strict=True)], 1)
    assert torch.equal(spans.onehot(codes), onehot.float())


def test_draws_follow_the_softmax():
    torch.manual_seed(0)
    spans = Spans((3, 2), ())
    logits = torch.tensor([[0.0, 1.0, 2.0, 0.0, -1.0]]).expand(40_000, -1)
    noise = -torch.empty_like(logits).exponential_().log()
    shares = spans(logits, noise).mean(0)
    assert torch.allclose(shares, spans.softmax(logits[:1])[0], atol=0.01)


def test_gradients_reach_every_logit_and_samples_are_hard():
    spans = Spans((3, 2), ((1, 1),))
    logits = torch.randn(64, spans.width, requires_grad=True)
    rows = spans(logits, torch.zeros(64, spans.places))
    assert set(rows[:, :5].detach().unique().tolist()) == {0.0, 1.0}
    (rows * torch.randn_like(rows)).sum().backward()
    assert (logits.grad.abs().sum(0) > 0).all()


def test_scalars_without_a_value_are_zero_and_prescribed_codes_are_kept():
    spans = Spans((2, 3), ((1, 2),))  # the second span's first two codes have no scalar
    logits = torch.randn(100, spans.width)
    codes = torch.full((100, 2), -1)
    codes[:50, 1] = 2
    codes[50:, 1] = 0
    rows = spans(logits, torch.zeros(100, spans.places), codes)
    assert (spans.codes(rows[:, :5])[:, 1] == codes[:, 1]).all()
    assert (rows[:50, 5] != 0).all()
    assert (rows[50:, 5] == 0).all()


def test_soft_rows_are_not_one_hot():
    rows = Spans((4,), (), temperature=1.0, hard=False)(torch.randn(9, 4), torch.zeros(9, 4))
    assert rows.max() < 1
    assert torch.allclose(rows.sum(1), torch.ones(9))
