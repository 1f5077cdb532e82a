"""Adversarial losses against manual arithmetic, torch's cross-entropy, and properties that hold for all logits."""

from math import exp, log

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from sparring.losses.adversarial import (
    hinge,
    least_squares,
    minimax,
    non_saturating,
    relativistic,
    wasserstein,
)

LOSSES = [minimax, non_saturating, least_squares, wasserstein, hinge, relativistic]
SHAPES = [(4,), (4, 1), (4, 1, 3, 3)]

every_loss = pytest.mark.parametrize("loss", [make() for make in LOSSES], ids=[m.__name__ for m in LOSSES])
fast = settings(max_examples=50, deadline=None)  # no deadline: the first call of torch is slow
numbers = st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=6).map(torch.tensor)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


# By hand: real logits 2 and -1, fake logits 0.5 and -3, mean over the two of each.
by_hand = {
    minimax: (
        (-log(sigmoid(2)) - log(sigmoid(-1))) / 2 + (-log(1 - sigmoid(0.5)) - log(1 - sigmoid(-3))) / 2,
        (log(1 - sigmoid(0.5)) + log(1 - sigmoid(-3))) / 2,
    ),
    non_saturating: (
        (-log(sigmoid(2)) - log(sigmoid(-1))) / 2 + (-log(1 - sigmoid(0.5)) - log(1 - sigmoid(-3))) / 2,
        (-log(sigmoid(0.5)) - log(sigmoid(-3))) / 2,
    ),
    # D: (((2 - 1)^2 + (-1 - 1)^2) / 2 + (0.5^2 + 3^2) / 2) / 2; G: ((0.5 - 1)^2 + (-3 - 1)^2) / 2 / 2
    least_squares: ((5 / 2 + 9.25 / 2) / 2, 16.25 / 4),
    wasserstein: (-1.25 - 0.5, 1.25),
    # D: relu(1 - 2) = 0 and relu(1 + 1) = 2 for real, relu(1 + 0.5) = 1.5 and relu(1 - 3) = 0 for fake.
    hinge: (2 / 2 + 1.5 / 2, 1.25),
    # Pairs: 2 with 0.5, -1 with -3; the mean over all combinations would be different.
    relativistic: (
        (-log(sigmoid(2 - 0.5)) - log(sigmoid(-1 + 3))) / 2,
        (-log(sigmoid(0.5 - 2)) - log(sigmoid(-3 + 1))) / 2,
    ),
}


@pytest.mark.parametrize("make", LOSSES)
def test_by_hand(make):
    real, fake = torch.tensor([2.0, -1.0]), torch.tensor([0.5, -3.0])
    loss, (D, G) = make(), by_hand[make]
    assert loss.discriminator(real, fake).item() == pytest.approx(D, rel=1e-6)
    assert loss.generator(real, fake).item() == pytest.approx(G, rel=1e-6)


@fast
@given(real=numbers, fake=numbers, smoothing=st.sampled_from([0.0, 0.1, 0.3]))
def test_cross_entropy(real, fake, smoothing):
    """Only real targets are smoothed: a smoothed fake target would reward D for its mistakes."""
    ones, zeros = torch.ones_like(fake), torch.zeros_like(fake)
    D = cross_entropy(real, torch.full_like(real, 1 - smoothing)) + cross_entropy(fake, zeros)
    for make in (minimax, non_saturating):
        torch.testing.assert_close(make(smoothing).discriminator(real, fake), D)
    torch.testing.assert_close(non_saturating(smoothing).generator(None, fake), cross_entropy(fake, ones))
    torch.testing.assert_close(minimax(smoothing).generator(None, fake), -cross_entropy(fake, zeros))


@fast
@given(real=numbers, fake=numbers)
@pytest.mark.parametrize("make", [minimax, non_saturating, least_squares])
def test_no_smoothing_is_the_default(make, real, fake):
    assert torch.equal(make(0.0).discriminator(real, fake), make().discriminator(real, fake))
    # Smoothing affects D's loss only.
    assert torch.equal(make(0.1).generator(None, fake), make().generator(None, fake))


def test_smoothed_least_squares_is_minimal_at_the_target():
    real = torch.tensor([0.9], requires_grad=True)
    loss = least_squares(0.1).discriminator(real, torch.zeros(1))
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-12)
    assert real.grad.item() == pytest.approx(0, abs=1e-6)


@fast
@given(pairs=st.lists(st.tuples(*[st.sampled_from([-1e4, -90.0, 0.0, 90.0, 1e4])] * 2), min_size=1, max_size=4))
@every_loss
def test_confident_discriminators_give_finite_losses_and_gradients(loss, pairs):
    """Detects log(sigmoid(x)) and log(1 + exp(x)), which are infinite at such logits."""
    real, fake = torch.tensor(pairs).T.contiguous().requires_grad_().unbind()
    for value in (loss.discriminator(real, fake), loss.generator(real, fake)):
        gradients = torch.autograd.grad(value, (real, fake), allow_unused=True)
        assert value.isfinite()
        assert all(g.isfinite().all() for g in gradients if g is not None)


@fast
@given(logits=st.lists(st.tuples(*[st.integers(-50, 50)] * 2), min_size=1), shift=st.integers(-100, 100))
def test_relativistic_depends_on_differences_only(logits, shift):
    real, fake = torch.tensor(logits, dtype=torch.float).T
    loss = relativistic()
    # Whole numbers are shifted without rounding, so the values are equal to the bit.
    assert torch.equal(loss.discriminator(real + shift, fake + shift), loss.discriminator(real, fake))
    assert torch.equal(loss.generator(real + shift, fake + shift), loss.generator(real, fake))
    assert torch.equal(loss.generator(fake, real), loss.discriminator(real, fake))


@every_loss
@pytest.mark.parametrize("shape", SHAPES)
def test_signs(loss, shape):
    """Between the targets of least squares and within the hinge margin, every gradient has the right sign."""
    generator = torch.Generator().manual_seed(0)
    real, fake = (torch.empty(shape).uniform_(0.1, 0.9, generator=generator).requires_grad_() for _ in "rf")
    on_real, on_fake = torch.autograd.grad(loss.discriminator(real, fake), (real, fake))
    assert (on_real < 0).all()  # D's loss falls if a real logit rises,
    assert (on_fake > 0).all()  # and if a fake logit falls;
    (on_fake,) = torch.autograd.grad(loss.generator(real, fake), fake)
    assert (on_fake < 0).all()  # G's falls if a fake logit rises.


@every_loss
def test_the_shape_of_logits_does_not_matter(loss):
    real, fake = torch.randn(2, 36, generator=torch.Generator().manual_seed(0))
    for of in ("discriminator", "generator"):
        judge = getattr(loss, of)
        for shape in [(36, 1), (4, 9), (4, 1, 3, 3)]:
            torch.testing.assert_close(judge(real.view(shape), fake.view(shape)), judge(real, fake))
        # Detects a (n, 1) logit against a (n,) one in the formulas: the mean must be a scalar.
        assert judge(real[:, None], fake[:, None]).shape == ()
        assert judge(real.bfloat16(), fake.bfloat16()).dtype == torch.float32


@every_loss
def test_several_logits_have_equal_weights_regardless_of_size(loss):
    generator = torch.Generator().manual_seed(0)
    real, fake = ([torch.randn(4, n, generator=generator) for n in (1, 9)] for _ in "rf")
    for judge in (loss.discriminator, loss.generator):
        torch.testing.assert_close(judge(real, fake), (judge(real[0], fake[0]) + judge(real[1], fake[1])) / 2)
        torch.testing.assert_close(judge(real[:1], fake[:1]), judge(real[0], fake[0]))


@every_loss
def test_generator_needs_real_logits_only_if_declared(loss):
    fake = torch.randn(4)
    if loss.needs_real:
        with pytest.raises(ValueError, match="real"):
            loss.generator(None, fake)
        with pytest.raises(ValueError, match="real"):
            loss.generator(None, [fake, fake])
    else:
        assert torch.equal(loss.generator(None, fake), loss.generator(torch.randn(4), fake))
        assert torch.equal(loss.generator(None, [fake, fake]), loss.generator(None, fake))


@every_loss
def test_logits_of_different_shapes_are_refused(loss):
    """Detects (n, 1) - (n,), which broadcasts to (n, n) and would be averaged silently."""
    with pytest.raises(ValueError, match=r"\(4, 1\).*\(4,\)"):
        loss.discriminator(torch.zeros(4, 1), torch.zeros(4))
    with pytest.raises(ValueError, match="shape"):
        loss.generator(torch.zeros(4, 1, 3, 3), torch.zeros(4, 1))


@pytest.mark.parametrize(
    ("real", "fake"),
    [
        pytest.param([torch.zeros(4)], [torch.zeros(4)] * 2, id="number of logits"),
        pytest.param([torch.zeros(4, 1)], [torch.zeros(4)], id="shapes within lists"),
        pytest.param(torch.zeros(4), [torch.zeros(4)] * 4, id="a tensor with a list"),
    ],
)
def test_several_logits_that_do_not_match_are_refused(real, fake):
    with pytest.raises((TypeError, ValueError)):
        relativistic().discriminator(real, fake)
