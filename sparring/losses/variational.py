"""The two parts of a variational autoencoder's bound, per sample, in nats."""

from __future__ import annotations

from math import prod

from torch import Tensor


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """The mean divergence of normal distributions (n, d) from the standard one. Kingma and Welling 2013,
    arXiv:1312.6114, appendix B.
    """
    mean, log_variance = mean.float(), log_variance.float()
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2


def gaussian(made: Tensor, real: Tensor) -> Tensor:
    """The mean negative log-likelihood of samples (n, ...) under normal distributions about what was made of them, but
    for a constant, with the deviation that suits the batch best. So nothing has to weigh it against the
    divergence by hand. Rybkin et al. 2020, arXiv:2006.13202, section 4.
    """
    error = (made.float() - real.float()).square().mean()
    return prod(real.shape[1:]) / 2 * (error + 1e-6).log()
