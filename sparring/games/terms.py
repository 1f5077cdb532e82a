"""Extra loss terms of D, G or both, besides the adversarial loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sparring.games.discriminator_pass import DiscriminatorPass, Side
from sparring.games.prior import OneHot, Prior
from sparring.layers.condition import Condition, cross_entropy
from sparring.losses import penalties

Weighting = float | Callable[[Tensor], Tensor]


class Term(nn.Module, ABC):
    """A named, weighted loss term. D's player trains its weights; its buffers are part of the game's state.

    Args:
        name: its name in the logs.
        weight: a number, or a function of the run's progress (0-d, in [0, 1]) for a schedule.
        of: the players that minimize it.
        every: it is minimized every this many steps, by a move of its own whose loss is multiplied by the interval
            (Karras et al. 2019, arXiv:1912.04958, appendix B).
        inputs: True if it differentiates the logits with respect to D's input.

    Attributes:
        private: True if, in G's turn, it needs no real samples: nothing of the data but what is private already.
        per_sample: True if it is a mean over samples. Others need the whole batch.
    """

    private: bool = False
    per_sample: bool = True

    def __init__(
        self, name: str, weight: Weighting, of: tuple[Side, ...] = ("D",), every: int = 1, inputs: bool = False
    ) -> None:
        super().__init__()
        self.name, self.weight, self.of, self.every, self.inputs = name, weight, of, every, inputs

    @abstractmethod
    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        """The term without its weight, 0-d."""

    def weighted(self, outputs: DiscriminatorPass, progress: Tensor) -> Tensor:
        weight = self.weight(progress) if callable(self.weight) else self.weight
        value: Tensor = self(outputs)
        return weight * value

    def after(self, observed: Mapping[str, Tensor]) -> None:
        """Update the state with the observations of a move of a player that minimizes it."""


class Formula(Term):
    """A term that is a function of D's inputs and outputs.

    Args:
        value: the function; the other arguments are those of `Term`.
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

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        return self.value(outputs)


def R1(gamma: Weighting, every: int = 1) -> Term:
    """`penalties.zero_centered` on real samples, weight gamma."""
    return Formula("R1", gamma, lambda j: penalties.zero_centered(j.on_real.logits, j.real), every=every, inputs=True)


def R2(gamma: Weighting, every: int = 1) -> Term:
    """`penalties.zero_centered` on generated samples, weight gamma."""
    return Formula("R2", gamma, lambda j: penalties.zero_centered(j.on_fake.logits, j.fake), every=every, inputs=True)


def GP(weight: float, pack: int = 1) -> Term:
    """`penalties.gradient_penalty` with weight lambda."""
    return Formula("GP", weight, lambda j: penalties.gradient_penalty(j.D, j.real, j.fake, pack))


def Dragan(weight: float) -> Term:
    """`penalties.dragan` with weight lambda."""
    term = Formula("dragan", weight, lambda j: penalties.dragan(j.D, j.real))
    term.per_sample = False  # it needs the standard deviation of the batch
    return term


def Matching(weight: float) -> Term:
    """Feature matching: G matches the mean of D's features on its samples to that on real ones. Salimans et
    al. 2016, arXiv:1606.03498, section 3.1.
    """

    def distance(outputs: DiscriminatorPass) -> Tensor:
        real, fake = outputs.on_real.features.detach(), outputs.on_fake.features
        return (real.float().mean(0) - fake.float().mean(0)).square().sum()

    return Formula("matching", weight, distance, of=("G",))


class History(Term):
    """Historical averaging: squared distance of a net's weights from the mean of all their previous values.
    Salimans et al. 2016, arXiv:1606.03498, section 3.3.

    Args:
        side: the player of the net.
        net: whose weights are averaged.
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

    def forward(self, outputs: DiscriminatorPass) -> Tensor:  # noqa: ARG002
        apart = [(w - mean).square().sum() for w, mean in zip(self._weights, self._means(), strict=True)]
        return torch.stack(apart).sum()

    def after(self, observed: Mapping[str, Tensor]) -> None:  # noqa: ARG002
        self.count.add_(1)
        for weight, mean in zip(self._weights, self._means(), strict=True):
            mean.lerp_(weight, 1 / self.count)


class Classified(Term):
    """An auxiliary classifier predicts the class, or the codes of columns, from D's features: D minimizes its error on
    real and generated samples, G on generated ones. Odena et al. 2016, arXiv:1610.09585.

    Args:
        reader: (n, d) -> logits of the classes, or of the codes of all columns.
        condition: number of classes, or columns.
        weight: of the term.
    """

    def __init__(self, reader: nn.Module, condition: Condition, weight: float) -> None:
        super().__init__("class", weight, of=("D", "G"))
        self.reader, self.condition = reader, condition

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        assert outputs.condition is not None
        fake = cross_entropy(self.reader(outputs.on_fake.features).float(), outputs.condition, self.condition)
        if outputs.turn == "G":
            return fake
        real = self.reader(outputs.on_real.features).float()
        return fake + cross_entropy(real, outputs.condition, self.condition)


class Read(Term):
    """A part of the latents is predicted from D's features of generated samples, so that it has a visible effect: a
    bound of their mutual information, up to a constant. Chen et al. 2016, arXiv:1606.03657, eq. 5; for the index of a
    generator Hoang et al. 2017, arXiv:1708.02556, eq. 5.

    One-hot parts are predicted by logits, numbers by their mean with a standard deviation of 1.

    Args:
        reader: (n, d) -> (n, width of the part).
        prior, part: distribution of the latents, and the name of the part.
        weight: of the term.
        view: transformation that the part must not encode: it is predicted from transformed samples.
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

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        features = outputs.on_fake.features
        if self.view is not None:
            features = outputs.net.features(self.view(outputs.fake), outputs.condition)
        read, code = self.reader(features).float(), outputs.z[:, self.place]
        if self.one_hot:
            return F.cross_entropy(read, code.argmax(1))
        distance: Tensor = (read - code).square().sum(1).mean() / 2
        return distance


class Invariant(Term):
    """The negative mutual information of a reader's categories on real samples and on transformed copies: real samples
    are assigned to categories with certainty, evenly, and independently of the transformation. Ji et al. 2018,
    arXiv:1807.06653, eq. 3.

    Args:
        reader: (n, d) -> logits of the categories; it belongs to another term.
        weight: of the term.
        view: the transformation.
    """

    per_sample = False

    def __init__(self, reader: nn.Module, weight: float, view: Callable[[Tensor], Tensor]) -> None:
        super().__init__("invariant", weight)
        self._reader = (reader,)  # in a tuple, so that its weights stay the other term's own
        self.view = view

    def forward(self, outputs: DiscriminatorPass) -> Tensor:
        (reader,) = self._reader
        changed = outputs.net.features(self.view(outputs.real), outputs.condition)
        before, after = (reader(h).float().softmax(1) for h in (outputs.on_real.features, changed))
        return -information(before, after)


def information(p: Tensor, q: Tensor) -> Tensor:
    """Mutual information of two categorical predictions of the same samples, (n, k) each, in nats: from 0 to log k."""
    joint = (p[:, :, None] * q[:, None]).mean(0)  # no matrix product, which autocast would round
    joint = ((joint + joint.T) / 2).clamp(min=1e-9)
    alone = joint.sum(0)
    return (joint * (joint.log() - alone.log() - alone.log()[:, None])).sum()
