"""Extra terms of what D, G or both minimise, beside the adversarial loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.games.discriminator_pass import DiscriminatorPass, Side
from sparring.games.prior import OneHot, Prior
from sparring.losses import penalties

Weighting = float | Callable[[Tensor], Tensor]


class Term(nn.Module, ABC):
    """A named, weighted extra term. Weights that it has are D's to move; its buffers last.

    Args:
        name: its name in the logs.
        weight: a number, or a function of the run's progress (0-d, in [0, 1]) for a schedule.
        of: who minimises it.
        every: steps between those in which it is minimised, by a move of its own that counts so many times
            (Karras et al. 2019, arXiv:1912.04958, appendix B).
        inputs: whether it differentiates the logits with respect to what D saw.
    """

    def __init__(
        self, name: str, weight: Weighting, of: tuple[Side, ...] = ("D",), every: int = 1, inputs: bool = False
    ) -> None:
        super().__init__()
        self.name, self.weight, self.of, self.every, self.inputs = name, weight, of, every, inputs

    @abstractmethod
    def forward(self, judged: DiscriminatorPass) -> Tensor:
        """The term without its weight, 0-d."""

    def weighted(self, judged: DiscriminatorPass, progress: Tensor) -> Tensor:
        weight = self.weight(progress) if callable(self.weight) else self.weight
        value: Tensor = self(judged)
        return weight * value

    def after(self, observed: Mapping[str, Tensor]) -> None:
        """Take note of what a move of those who minimise it has shown."""


class Formula(Term):
    """A term that is a function of what D was shown and said.

    Args:
        value: the function; the others are as for `Term`.
    """

    def __init__(
        self,
        name: str,
        weight: Weighting,
        value: Callable[[DiscriminatorPass], Tensor],
        of: tuple[Side, ...] = ("D",),
        every: int = 1,
        inputs: bool = False,
    ) -> None:
        super().__init__(name, weight, of, every, inputs)
        self.value = value

    def forward(self, judged: DiscriminatorPass) -> Tensor:
        return self.value(judged)


def R1(gamma: Weighting, every: int = 1) -> Term:
    """`penalties.zero_centred` on real samples, weight gamma."""
    return Formula("R1", gamma, lambda j: penalties.zero_centred(j.on_real.logits, j.real), every=every, inputs=True)


def R2(gamma: Weighting, every: int = 1) -> Term:
    """`penalties.zero_centred` on generated samples, weight gamma."""
    return Formula("R2", gamma, lambda j: penalties.zero_centred(j.on_fake.logits, j.fake), every=every, inputs=True)


def GP(weight: float, pack: int = 1) -> Term:
    """`penalties.gradient_penalty` with weight lambda."""
    return Formula("GP", weight, lambda j: penalties.gradient_penalty(j.D, j.real, j.fake, pack))


def Dragan(weight: float) -> Term:
    """`penalties.dragan` with weight lambda."""
    return Formula("dragan", weight, lambda j: penalties.dragan(j.D, j.real))


def Matching(weight: float) -> Term:
    """Feature matching: G brings the mean of D's features on its samples to that on real ones. Salimans et
    al. 2016, arXiv:1606.03498, section 3.1.
    """

    def distance(judged: DiscriminatorPass) -> Tensor:
        real, fake = judged.on_real.features.detach(), judged.on_fake.features
        return (real.float().mean(0) - fake.float().mean(0)).square().sum()

    return Formula("matching", weight, distance, of=("G",))


class History(Term):
    """Historical averaging: squared distance of a side's weights from the mean of all that they have been.
    Salimans et al. 2016, arXiv:1606.03498, section 3.3.

    Args:
        side: whose weights.
        net: that they are of.
        weight: of the term.
    """

    count: Tensor

    def __init__(self, side: Side, net: nn.Module, weight: float) -> None:
        super().__init__(f"history_{side}", weight, of=(side,))
        self._weights = tuple(net.parameters())  # in a tuple, so that they stay the net's own
        self.register_buffer("count", torch.ones(()))
        for i, weight_now in enumerate(self._weights):
            self.register_buffer(f"mean{i}", weight_now.detach().clone())

    def _means(self) -> list[Tensor]:
        return [self.get_buffer(f"mean{i}") for i in range(len(self._weights))]

    def forward(self, judged: DiscriminatorPass) -> Tensor:  # noqa: ARG002
        apart = [(w - mean).square().sum() for w, mean in zip(self._weights, self._means(), strict=True)]
        return torch.stack(apart).sum()

    def after(self, observed: Mapping[str, Tensor]) -> None:  # noqa: ARG002
        self.count.add_(1)
        for weight, mean in zip(self._weights, self._means(), strict=True):
            mean.lerp_(weight, 1 / self.count)


class Classified(Term):
    """D's features are read for the condition, on real samples by D, on generated ones by D and by G: an auxiliary
    classifier. Odena et al. 2016, arXiv:1610.09585.

    Args:
        reader: (n, d) -> logits of the classes.
        weight: of the term.
    """

    def __init__(self, reader: nn.Module, weight: float) -> None:
        super().__init__("class", weight, of=("D", "G"))
        self.reader = reader

    def forward(self, judged: DiscriminatorPass) -> Tensor:
        assert judged.condition is not None
        fake = F.cross_entropy(self.reader(judged.on_fake.features).float(), judged.condition)
        if judged.turn == "G":
            return fake
        return fake + F.cross_entropy(self.reader(judged.on_real.features).float(), judged.condition)


class Read(Term):
    """D's features on generated samples are read for a part of what they were made from, so that the part leaves
    a trace: a bound of their mutual information, but for a constant. Chen et al. 2016, arXiv:1606.03657,
    eq. 5; for the number of a generator Hoang et al. 2017, arXiv:1708.02556, eq. 5.

    A one-hot part is read by its logits, numbers by their mean, with a deviation of 1.

    Args:
        reader: (n, d) -> (n, width of the part).
        prior, part: what the samples are made from, and the name of its part.
        weight: of the term.
        view: changes to the samples that the part is not to stand for: it is read from what is left of them.
    """

    def __init__(
        self,
        reader: nn.Module,
        prior: Prior,
        part: str,
        weight: float,
        view: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        super().__init__(part, weight, of=("D", "G"))
        self.view = view
        self.reader = reader
        self.place = prior.place(part)
        self.one_hot = isinstance(next(p for p in prior.parts if p.name == part), OneHot)

    def forward(self, judged: DiscriminatorPass) -> Tensor:
        features = judged.on_fake.features
        if self.view is not None:
            features = judged.net.features(self.view(judged.fake), judged.condition)
        read, code = self.reader(features).float(), judged.z[:, self.place]
        if self.one_hot:
            return F.cross_entropy(read, code.argmax(1))
        distance: Tensor = (read - code).square().sum(1).mean() / 2
        return distance


class Invariant(Term):
    """The information that a reader's categories of real samples and of changed copies of them have in common, but for
    its sign: real samples are read with certainty, as different categories, and alike when they are changed. Ji
    et al. 2018, arXiv:1807.06653, eq. 3.

    Args:
        reader: (n, d) -> logits of the categories; another term's.
        weight: of the term.
        view: the changes.
    """

    def __init__(self, reader: nn.Module, weight: float, view: Callable[[Tensor], Tensor]) -> None:
        super().__init__("invariant", weight)
        self._reader = (reader,)  # in a tuple, so that its weights stay the other term's own
        self.view = view

    def forward(self, judged: DiscriminatorPass) -> Tensor:
        (reader,) = self._reader
        changed = judged.net.features(self.view(judged.real), judged.condition)
        before, after = (reader(h).float().softmax(1) for h in (judged.on_real.features, changed))
        return -information(before, after)


def information(p: Tensor, q: Tensor) -> Tensor:
    """Of two readings of the same samples, (n, k) each, what they have in common, in nats: from 0 to log k."""
    joint = (p[:, :, None] * q[:, None]).mean(0)  # no matrix product, which autocast would round
    joint = ((joint + joint.T) / 2).clamp(min=1e-9)
    alone = joint.sum(0)
    return (joint * (joint.log() - alone.log() - alone.log()[:, None])).sum()
