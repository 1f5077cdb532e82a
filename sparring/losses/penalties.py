"""Penalties on the gradient of the discriminator with respect to its input.

All are unweighted means over the batch that can be differentiated once more. They use functional gradients, so that
they also run where compiled autograd does not support double backward.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sparring.losses.adversarial import Logits

Critic = Callable[[Tensor], Logits]


def squared_gradient(logits: Logits, inputs: Tensor) -> Tensor:
    """Squared gradient norm of each sample's summed logits with respect to its input.

    Args:
        logits: (n, ...), or several such tensors, computed from `inputs`.
        inputs: (n, ...), requiring gradients.

    Returns:
        (n,), at least 0.
    """
    parts: Sequence[Tensor] = [logits] if isinstance(logits, Tensor) else logits
    total = sum((part.float().sum() for part in parts), inputs.new_zeros(()))
    (gradient,) = torch.autograd.grad(total, inputs, create_graph=True)
    return gradient.float().square().flatten(1).sum(1)


def zero_centered(logits: Logits, inputs: Tensor) -> Tensor:
    """R1 on real samples, R2 on generated ones: half the mean squared gradient norm. Its weight is gamma.
    Mescheder et al. 2018, arXiv:1801.04406, eq. 9 and 10.
    """
    return squared_gradient(logits, inputs).mean() / 2


def one_centered(D: Critic, inputs: Tensor, pack: int = 1) -> Tensor:
    """Mean squared distance of the gradient norm from 1 at `inputs`. Its weight is lambda.

    Args:
        pack: samples that D judges together; the norm is that of the whole pack.
    """
    inputs = inputs.detach().requires_grad_()
    squared = squared_gradient(D(inputs), inputs).view(-1, pack).sum(1)
    # The small constant keeps the gradient of the square root finite where the norm is 0.
    norm = (squared + 1e-12).sqrt()
    return (norm - 1).square().mean()


def gradient_penalty(D: Critic, real: Tensor, fake: Tensor, pack: int = 1) -> Tensor:
    """WGAN-GP: a penalty on the distance of the gradient norm from 1, at one uniformly random point between each real
    sample and a generated one. Gulrajani et al. 2017, arXiv:1704.00028, eq. 3.

    Args:
        D: returns the logits of a batch.
        real, fake: (n, ...), of the same shape.
        pack: samples that D judges together; they share the position between real and fake.

    Raises:
        ValueError: if the shapes differ.
    """
    if real.shape != fake.shape:
        raise ValueError(f"real {tuple(real.shape)} and fake {tuple(fake.shape)} differ in shape")
    share = _uniform_per_sample(real[::pack]).repeat_interleave(pack, 0)
    return one_centered(D, torch.lerp(fake.to(real.dtype), real, share), pack)


def dragan(D: Critic, real: Tensor) -> Tensor:
    """DRAGAN: a penalty on the distance of the gradient norm from 1 around real samples, each value increased by at
    most half the data's standard deviation. Kodali et al. 2017, arXiv:1705.07215, as its authors implement it; the
    paper's noise is normal.
    """
    around = real + 0.5 * real.std() * torch.rand_like(real)
    return one_centered(D, torch.lerp(real, around, _uniform_per_sample(real)))


def _uniform_per_sample(like: Tensor) -> Tensor:
    """One uniform number per sample, in a shape that broadcasts over the sample."""
    return torch.rand(len(like), *[1] * (like.ndim - 1), device=like.device, dtype=like.dtype)
