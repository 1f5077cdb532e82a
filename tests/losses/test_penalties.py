"""Penalties against closed forms for linear and quadratic critics, and against finite differences."""

import pytest
import torch

from sparring.losses.penalties import dragan, gradient_penalty, one_centered, squared_gradient, zero_centered

W = torch.tensor([[1.0, -2.0], [0.5, 4.0]])  # a linear critic's weights: |W|^2 = 21.25


def linear(x):
    return (x * W).sum((1, 2))


def quadratic(x):
    """Its gradient at x is x itself."""
    return x.square().flatten(1).sum(1) / 2


def leaf(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()


def recorded(D, inputs):
    """The critic D, which records its inputs."""
    return lambda x: (inputs.append(x.detach()), D(x))[1]


def test_linear_critic():
    x = leaf(3, 2, 2)
    torch.testing.assert_close(squared_gradient(linear(x), x), torch.full((3,), 21.25))
    # Halved, summed over pixels, averaged over samples: 21.25 / 2.
    assert zero_centered(linear(x), x).item() == pytest.approx(21.25 / 2)
    for penalty in (one_centered(linear, x), gradient_penalty(linear, x, -x), dragan(linear, x)):
        assert penalty.item() == pytest.approx((21.25**0.5 - 1) ** 2)


def test_quadratic_critic():
    """Detects a gradient summed or a norm averaged over the batch: here every sample has a different one."""
    x = torch.tensor([[3.0, 4.0], [0.6, 0.8], [0.0, 2.0]], requires_grad=True)  # norms 5, 1, 2
    torch.testing.assert_close(squared_gradient(quadratic(x), x), torch.tensor([25.0, 1.0, 4.0]))
    assert zero_centered(quadratic(x), x).item() == pytest.approx(30 / 3 / 2)
    assert one_centered(quadratic, x).item() == pytest.approx((4**2 + 0 + 1) / 3)


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 1, 1, 1)])
def test_any_shape_of_logits(shape):
    x = leaf(4, 1, 2, 2)
    expected = x.square().flatten(1).sum(1)
    torch.testing.assert_close(squared_gradient(quadratic(x).view(shape), x), expected)


def test_logits_of_a_sample_are_summed():
    x = leaf(2, 1, 3, 3)
    # Patches: each of the 9 logits is 2 times its pixel, so the gradient is 2 at each of 9 pixels.
    torch.testing.assert_close(squared_gradient(2 * x, x), torch.full((2,), 36.0))
    # Several discriminators: 2 + 1 at each pixel.
    torch.testing.assert_close(squared_gradient([2 * x, x.flatten(1).sum(1)], x), torch.full((2,), 81.0))


def test_squares_do_not_overflow_half_precision():
    x = torch.ones(2, 3, dtype=torch.float16, requires_grad=True)
    assert squared_gradient(300 * x, x).tolist() == [270_000, 270_000]  # the maximum of float16 is 65,504


def test_gradient_penalty_draws_one_epsilon_per_sample():
    """Between ones (real) and zeros (fake), the critic's inputs are the epsilons themselves."""
    torch.manual_seed(0)
    inputs = []
    value = gradient_penalty(recorded(quadratic, inputs), torch.ones(64, 3, 4, 4), torch.zeros(64, 3, 4, 4))
    (x,) = inputs
    epsilon = x[:, 0, 0, 0]
    assert torch.equal(x, epsilon[:, None, None, None].expand_as(x))  # all pixels of a sample share one,
    assert len(epsilon.unique()) == 64  # no two samples share one,
    assert 0 <= epsilon.min() < 0.1 < 0.9 < epsilon.max() <= 1  # and they cover the range.
    # The gradient is x: its norm is epsilon times the square root of 48 pixels.
    assert value.item() == pytest.approx((epsilon * 48**0.5 - 1).square().mean().item())


@pytest.mark.parametrize("shape", [(5, 1), (5, 2), (5, 1, 4, 4), (5, 3, 2, 4, 4)])
def test_gradient_penalty_interpolates_within_pairs(shape):
    """Detects a real sample mixed with another row's fake: row i lies in [i, i + 1/2]."""
    rows = torch.arange(5.0).view(-1, *[1] * (len(shape) - 1)).expand(shape)
    inputs = []
    gradient_penalty(recorded(quadratic, inputs), rows, rows + 0.5)
    assert ((inputs[0] >= rows) & (inputs[0] <= rows + 0.5)).all()


def test_dragan_stays_within_half_the_deviation_of_real():
    torch.manual_seed(0)
    real, inputs = 5 + 3 * torch.randn(200, 1, 5, 5), []
    dragan(recorded(quadratic, inputs), real)
    distance = (inputs[0] - real).abs() / real.std()
    assert distance.max() <= 0.5 + 1e-5
    assert distance.max() > 0.4  # a variance instead of a deviation, or a second factor of one half, would fail here
    assert (distance.flatten(1).std(1) > 0).all()  # noise differs from pixel to pixel


def test_penalties_do_not_reach_the_samples():
    """They train D only: no gradient may reach G through its samples, or be left on real ones."""
    real, fake, w = leaf(3, 2), leaf(3, 2), leaf(2)
    (gradient_penalty(lambda x: x.square() @ w, real, fake) + dragan(lambda x: x.square() @ w, real)).backward()
    assert real.grad is None
    assert fake.grad is None
    assert w.grad is not None


PENALTIES = {
    "zero_centered": lambda D, x: zero_centered(D(x), x),
    "zero_centered, several logits": lambda D, x: zero_centered([D(x), D(x).square()[:, None]], x),
    "one_centered": one_centered,
    "gradient_penalty": lambda D, x: gradient_penalty(D, x, x.flip(0) + 1),
    "dragan": dragan,
}
every_penalty = pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES.keys())


@every_penalty
def test_gradient_on_the_critics_weights_by_finite_differences(penalty):
    """Detects a penalty that is detached from the weights."""
    generator = torch.Generator().manual_seed(0)
    x, A, b = (torch.randn(s, generator=generator, dtype=torch.double) for s in [(4, 3), (3, 5), (5,)])
    x.requires_grad_()

    def value(A, b):
        torch.manual_seed(1)  # the same epsilons and noise in every call
        return penalty(lambda x: (x @ A).tanh() @ b, x).double()

    weights = A.clone().requires_grad_(), b.clone().requires_grad_()
    gradients = torch.autograd.grad(value(*weights), weights)
    h = 5e-3  # not smaller: norms are computed in single precision
    for weight, gradient in zip((A, b), gradients, strict=True):
        for i in range(weight.numel()):
            weight.view(-1)[i] += h
            above = value(A, b).detach()
            weight.view(-1)[i] -= 2 * h
            below = value(A, b).detach()
            weight.view(-1)[i] += h
            torch.testing.assert_close(gradient.view(-1)[i], (above - below) / (2 * h), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("name", ["zero_centered", "one_centered", "gradient_penalty", "dragan"])
def test_gradient_on_a_linear_critics_weights(name):
    w = torch.tensor([3.0, 4.0], requires_grad=True)  # |w| = 5
    (gradient,) = torch.autograd.grad(PENALTIES[name](lambda x: x @ w, leaf(3, 2)), w)
    # d/dw |w|^2 / 2 = w and d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|.
    expected = [3.0, 4.0] if name == "zero_centered" else [24 / 5, 32 / 5]
    torch.testing.assert_close(gradient, torch.tensor(expected))


@every_penalty
@pytest.mark.parametrize(("weight", "bias"), [(0.0, 1.0), (1.0, -1e3)], ids=["zero weights", "dead units"])
def test_no_nan_where_the_critics_gradient_is_zero(penalty, weight, bias):
    """Detects the square root's infinite slope at 0: infinity times 0 is NaN."""
    w = torch.full((2,), weight, requires_grad=True)
    value = penalty(lambda x: (x @ w + bias).relu(), leaf(3, 2))
    (gradient,) = torch.autograd.grad(value, w)
    assert value.isfinite()
    assert gradient.isfinite().all()
