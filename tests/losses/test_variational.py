"""The bound of a VAE against torch's distributions."""

import pytest
import torch
from torch import distributions
from torch.distributions import Normal

from sparring.losses.variational import gaussian_nll, kl_divergence


def test_divergence():
    torch.manual_seed(0)
    mean, log_variance = torch.randn(7, 4), torch.randn(7, 4)
    expected = distributions.kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(kl_divergence(mean, log_variance), expected)
    assert kl_divergence(torch.zeros(3, 2), torch.zeros(3, 2)) == 0


def test_gaussian_is_the_best_likelihood():
    """Up to a constant, it is the smallest negative log-likelihood over all deviations."""
    torch.manual_seed(0)
    reconstructed, real = torch.randn(2, 5, 1, 4, 4)
    likelihoods = [
        -Normal(reconstructed, sigma).log_prob(real).flatten(1).sum(1).mean() for sigma in torch.linspace(0.5, 3, 2001)
    ]
    constant = 16 / 2 * (1 + torch.log(torch.tensor(2 * torch.pi)))
    assert gaussian_nll(reconstructed, real).item() + constant.item() == pytest.approx(
        min(likelihoods).item(), rel=1e-4
    )
