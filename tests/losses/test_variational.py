"""The bound of a VAE against torch's own distributions."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from sparring.losses.variational import divergence, gaussian


def test_divergence():
    torch.manual_seed(0)
    mean, log_variance = torch.randn(7, 4), torch.randn(7, 4)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(divergence(mean, log_variance), expected)
    assert divergence(torch.zeros(3, 2), torch.zeros(3, 2)) == 0


def test_gaussian_is_the_best_likelihood():
    """But for a constant, the least negative log-likelihood over all deviations."""
    torch.manual_seed(0)
    made, real = torch.randn(2, 5, 1, 4, 4)
    likelihoods = [
        -Normal(made, sigma).log_prob(real).flatten(1).sum(1).mean() for sigma in torch.linspace(0.5, 3, 2001)
    ]
    constant = 16 / 2 * (1 + torch.log(torch.tensor(2 * torch.pi)))
    assert gaussian(made, real).item() + constant.item() == pytest.approx(min(likelihoods).item(), rel=1e-4)
