"""Adversarial losses: pairs of formulas on raw logits of any one shape.

D's logits are large where it takes a sample for real. Every formula is a mean over all logits. A
discriminator that returns several logits (multi-scale, patches) is judged by the mean over them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import softplus

Logits = Tensor | Sequence[Tensor]
Formula = Callable[[Tensor, Tensor], Tensor]
Plain = Literal["non_saturating", "minimax", "least_squares"]  # those with targets to smooth


@dataclass(frozen=True)
class AdversarialLoss:
    """What D and G minimise, given D's logits on real and on generated samples.

    Attributes:
        D: (real, fake) -> D's loss.
        G: (real, fake) -> G's loss; `real` is only meaningful where `needs_real`.
        needs_real: whether G's loss looks at D's logits on real samples.
    """

    D: Formula
    G: Formula
    needs_real: bool = False

    def discriminator(self, real: Logits, fake: Logits) -> Tensor:
        return self._mean(self.D, real, fake)

    def generator(self, real: Logits | None, fake: Logits) -> Tensor:
        if real is None and self.needs_real:
            raise ValueError("this loss teaches G by D's logits on real samples too")
        return self._mean(self.G, fake if real is None else real, fake)

    def _mean(self, formula: Formula, real: Logits, fake: Logits) -> Tensor:
        reals, fakes = _several(real), _several(fake)
        paired = 0 if self.needs_real else 1  # where logits meet one to one, so must the batches
        if [r.shape[paired:] for r in reals] != [f.shape[paired:] for f in fakes]:
            shapes = [tuple(r.shape) for r in reals], [tuple(f.shape) for f in fakes]
            raise ValueError(f"logits on real {shapes[0]} and on fake {shapes[1]} differ in shape")
        terms = [formula(r.float(), f.float()) for r, f in zip(reals, fakes, strict=True)]
        return sum(terms[1:], terms[0]) / len(terms)


def _several(logits: Logits) -> Sequence[Tensor]:
    return [logits] if isinstance(logits, Tensor) else logits


def minimax(smoothing: float = 0.0) -> AdversarialLoss:
    """The game of the 2014 paper, in which G minimises log(1 - D(G(z))): its gradient vanishes
    where D is sure. Goodfellow et al. 2014, arXiv:1406.2661, eq. 1.

    Args:
        smoothing: how much less than 1 the target of real samples is (one-sided label smoothing,
            Salimans et al. 2016, arXiv:1606.03498).
    """
    return AdversarialLoss(D=_cross_entropy(smoothing), G=lambda _, fake: -softplus(fake).mean())


def non_saturating(smoothing: float = 0.0) -> AdversarialLoss:
    """The same D, while G minimises -log D(G(z)). Goodfellow et al. 2014, arXiv:1406.2661, sec. 3.

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


def squares() -> AdversarialLoss:
    """Least squares as CycleGAN has them: D's are halved, G's are not, so that its further terms weigh half as much
    beside them as beside `least_squares`. Zhu et al. 2017, arXiv:1703.10593, section 4.
    """
    return AdversarialLoss(D=least_squares().D, G=lambda _, fake: (fake - 1).square().mean())


def wasserstein() -> AdversarialLoss:
    """The critic's difference of means, for a critic that is kept Lipschitz by clipping or by a
    penalty. Arjovsky et al. 2017, arXiv:1701.07875, eq. 2.
    """
    return AdversarialLoss(
        D=lambda real, fake: fake.mean() - real.mean(),
        G=lambda _, fake: -fake.mean(),
    )


def hinge() -> AdversarialLoss:
    """D stops learning from samples beyond a margin of 1. Lim and Ye 2017, arXiv:1705.02894; in
    the form of Miyato et al. 2018, arXiv:1802.05957, eq. 16 and 17.
    """
    return AdversarialLoss(
        D=lambda real, fake: (1 - real).relu().mean() + (1 + fake).relu().mean(),
        G=lambda _, fake: -fake.mean(),
    )


def relativistic() -> AdversarialLoss:
    """D tells by how much a real sample is more real than the fake beside it.
    Jolicoeur-Martineau 2018, arXiv:1807.00734; with R1 and R2 the loss of R3GAN, arXiv:2501.05441.
    """
    return AdversarialLoss(
        D=lambda real, fake: softplus(fake - real).mean(),
        G=lambda real, fake: softplus(real - fake).mean(),
        needs_real=True,
    )
