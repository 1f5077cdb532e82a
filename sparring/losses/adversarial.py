"""Adversarial losses: pairs of formulas on raw logits of any shape.

D's logits are large for samples that it takes for real. Every formula is a mean over all logits. If a discriminator
returns several tensors of logits (multi-scale, patches), the loss is the mean over them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import softplus

Logits = Tensor | Sequence[Tensor]
Formula = Callable[[Tensor, Tensor], Tensor]
StandardLoss = Literal["non_saturating", "minimax", "least_squares"]  # those with targets, which can be smoothed


@dataclass(frozen=True)
class AdversarialLoss:
    """The losses of D and G, given D's logits on real and on generated samples.

    Attributes:
        D: (real, fake) -> D's loss.
        G: (real, fake) -> G's loss; `real` is only meaningful if `needs_real`.
        needs_real: True if G's loss depends on D's logits on real samples.
    """

    D: Formula
    G: Formula
    needs_real: bool = False

    def discriminator(self, real: Logits, fake: Logits) -> Tensor:
        return self._mean(self.D, real, fake)

    def generator(self, real: Logits | None, fake: Logits) -> Tensor:
        if real is None and self.needs_real:
            raise ValueError("this loss trains G on D's logits on real samples too")
        return self._mean(self.G, fake if real is None else real, fake)

    def _mean(self, formula: Formula, real: Logits, fake: Logits) -> Tensor:
        reals, fakes = _as_sequence(real), _as_sequence(fake)
        compared = 0 if self.needs_real else 1  # batch sizes must be equal only if logits are compared in pairs
        if [r.shape[compared:] for r in reals] != [f.shape[compared:] for f in fakes]:
            shapes = [tuple(r.shape) for r in reals], [tuple(f.shape) for f in fakes]
            raise ValueError(f"logits on real {shapes[0]} and on fake {shapes[1]} differ in shape")
        terms = [formula(r.float(), f.float()) for r, f in zip(reals, fakes, strict=True)]
        return sum(terms[1:], terms[0]) / len(terms)


def _as_sequence(logits: Logits) -> Sequence[Tensor]:
    return [logits] if isinstance(logits, Tensor) else logits


def minimax(smoothing: float = 0.0) -> AdversarialLoss:
    """The game of the 2014 paper, in which G minimizes log(1 - D(G(z))). Its gradient vanishes where D is confident.
    Goodfellow et al. 2014, arXiv:1406.2661, eq. 1.

    Args:
        smoothing: the target of real samples is 1 - smoothing (one-sided label smoothing, Salimans et al. 2016,
            arXiv:1606.03498).
    """
    return AdversarialLoss(D=_cross_entropy(smoothing), G=lambda _, fake: -softplus(fake).mean())


def non_saturating(smoothing: float = 0.0) -> AdversarialLoss:
    """The same loss of D; G minimizes -log D(G(z)). Goodfellow et al. 2014, arXiv:1406.2661, sec. 3.

    Args:
        smoothing: as for `minimax`.
    """
    return AdversarialLoss(D=_cross_entropy(smoothing), G=lambda _, fake: softplus(-fake).mean())


def _cross_entropy(smoothing: float) -> Formula:
    # With target t: t softplus(-x) + (1 - t) softplus(x) = softplus(-x) + (1 - t) x.
    return lambda real, fake: (softplus(-real) + smoothing * real).mean() + softplus(fake).mean()


def least_squares(smoothing: float = 0.0) -> AdversarialLoss:
    """Squared distances to the targets a = 0, b = 1 - smoothing, c = 1.
    Mao et al. 2016, arXiv:1611.04076, eq. 9.
    """
    return AdversarialLoss(
        D=lambda real, fake: ((real - (1 - smoothing)).square().mean() + fake.square().mean()) / 2,
        G=lambda _, fake: (fake - 1).square().mean() / 2,
    )


def cyclegan_least_squares() -> AdversarialLoss:
    """CycleGAN's version of least squares: D's loss is halved and G's is not, so the relative weight of G's further
    terms is half of that with `least_squares`. Zhu et al. 2017, arXiv:1703.10593, section 4.
    """
    return AdversarialLoss(D=least_squares().D, G=lambda _, fake: (fake - 1).square().mean())


def wasserstein() -> AdversarialLoss:
    """Difference of the critic's means, for a critic that is kept Lipschitz by clipping or by a penalty.
    Arjovsky et al. 2017, arXiv:1701.07875, eq. 2.
    """
    return AdversarialLoss(
        D=lambda real, fake: fake.mean() - real.mean(),
        G=lambda _, fake: -fake.mean(),
    )


def hinge() -> AdversarialLoss:
    """D does not learn from samples beyond a margin of 1. Lim and Ye 2017, arXiv:1705.02894, in the form of Miyato et
    al. 2018, arXiv:1802.05957, eq. 16 and 17.
    """
    return AdversarialLoss(
        D=lambda real, fake: (1 - real).relu().mean() + (1 + fake).relu().mean(),
        G=lambda _, fake: -fake.mean(),
    )


def relativistic() -> AdversarialLoss:
    """D estimates how much more realistic a real sample is than the fake sample it is paired with.
    Jolicoeur-Martineau 2018, arXiv:1807.00734; with R1 and R2 the loss of R3GAN, arXiv:2501.05441.
    """
    return AdversarialLoss(
        D=lambda real, fake: softplus(fake - real).mean(),
        G=lambda real, fake: softplus(real - fake).mean(),
        needs_real=True,
    )
