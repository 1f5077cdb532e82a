"""The two parts of a variational autoencoder's bound, per sample, in nats."""

from __future__ import annotations

from math import prod

from torch import Tensor


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Mean divergence of normal distributions (n, d) from the standard normal distribution. Kingma and Welling 2013,
    arXiv:1312.6114, appendix B.
    """
    mean, log_variance = mean.float(), log_variance.float()
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2


def gaussian_nll(reconstructed: Tensor, real: Tensor) -> Tensor:
    """Mean negative log-likelihood of samples (n, ...) under normal distributions around their reconstructions, up to
    a constant. The variance is the optimal one for the batch, so that no weight between this term and the divergence
    has to be tuned. Rybkin et al. 2020, arXiv:2006.13202, section 4.
    """
    error = (reconstructed.float() - real.float()).square().mean()
    return prod(real.shape[1:]) / 2 * (error + 1e-6).log()
