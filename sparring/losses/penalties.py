"""Penalties on the discriminator's gradient with respect to its input.

All are means over the batch without their weight, and differentiable once more. They use functional
gradients, so that they run where compiled autograd cannot differentiate twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from sparring.losses.adversarial import Logits

Critic = Callable[[Tensor], Logits]


def squared_gradient(logits: Logits, inputs: Tensor) -> Tensor:
    """Per sample, the squared norm of the gradient of its summed logits with respect to its input.

    Args:
        logits: (n, ...), or several of such, computed from `inputs`.
        inputs: (n, ...), requiring gradients.

    Returns:
        (n,), at least 0.
    """
    several: Sequence[Tensor] = [logits] if isinstance(logits, Tensor) else logits
    total = sum((part.float().sum() for part in several), inputs.new_zeros(()))
    (gradient,) = torch.autograd.grad(total, inputs, create_graph=True)
    return gradient.float().square().flatten(1).sum(1)


def zero_centred(logits: Logits, inputs: Tensor) -> Tensor:
    """R1 on real samples, R2 on generated ones: half the mean squared gradient norm. Its weight is
    gamma. Mescheder et al. 2018, arXiv:1801.04406, eq. 9 and 10.
    """
    return squared_gradient(logits, inputs).mean() / 2


def one_centred(D: Critic, inputs: Tensor, pack: int = 1) -> Tensor:
    """Mean squared distance of the gradient's norm from 1 at `inputs`, of packs of them where D judges packs. Its
    weight is lambda.
    """
    inputs = inputs.detach().requires_grad_()
    squared = squared_gradient(D(inputs), inputs).view(-1, pack).sum(1)
    # The small constant keeps the square root's gradient finite where the penalty starts at 0.
    norm = (squared + 1e-12).sqrt()
    return (norm - 1).square().mean()


def gradient_penalty(D: Critic, real: Tensor, fake: Tensor, pack: int = 1) -> Tensor:
    """WGAN-GP: the gradient's norm is driven to 1 between real and generated samples, at one
    uniform point for each pair. Gulrajani et al. 2017, arXiv:1704.00028, eq. 3.

    Args:
        D: gives the logits of a batch.
        real, fake: (n, ...), of one shape.
        pack: samples that D judges together, which share their point.

    Raises:
        ValueError: where their shapes differ.
    """
    if real.shape != fake.shape:
        raise ValueError(f"real {tuple(real.shape)} and fake {tuple(fake.shape)} differ in shape")
    share = _per_sample(real[::pack]).repeat_interleave(pack, 0)
    return one_centred(D, torch.lerp(fake.to(real.dtype), real, share), pack)


def dragan(D: Critic, real: Tensor) -> Tensor:
    """DRAGAN: the gradient's norm is driven to 1 around real samples, each number raised by at most half the data's
    standard deviation. Kodali et al. 2017, arXiv:1705.07215, as it is implemented; the paper's noise is normal.
    """
    around = real + 0.5 * real.std() * torch.rand_like(real)
    return one_centred(D, torch.lerp(real, around, _per_sample(real)))


def _per_sample(like: Tensor) -> Tensor:
    """One uniform number for each sample, shaped to spread over it."""
    return torch.rand(len(like), *[1] * (like.ndim - 1), device=like.device, dtype=like.dtype)
