"""Games that transform given items, such as images: with pairs, or without pairs in one direction."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sparring.games.game import Game
from sparring.games.gan import GAN, OptimizerFactory
from sparring.games.graph import DataKind, GeneratorNet, Graph, Spec, batch, dimension
from sparring.games.prior import Prior
from sparring.games.terms import Formula, Term, Weighting
from sparring.loop import Losses, Player, Round
from sparring.losses.adversarial import AdversarialLoss
from sparring.nets import perceptual
from sparring.nets.discriminator import Discriminator
from sparring.nets.item_to_item import ItemToItem

# The plain net is an average of G over this fraction of its steps without D, at most over the last 1000.
AVERAGED_SHARE = 0.05
MAX_AVERAGED = 1000
MIN_SIDE = 16  # of a side of the items that an exported net is verified with
SIDES = {1: ("length",), 2: ("height", "width")}  # names of the sides of an item in exported files


class TranslationGame(Game):
    """A game that generates samples from given items, its conditions."""

    @abstractmethod
    def mapping(self, reverse: bool, sharpness: float) -> ItemToItem:
        """The net that transforms items: images (n, given, h, w) -> (n, channels, times h, times w), or signals
        (n, given, length) -> (n, channels, times length).

        Args:
            reverse: the opposite direction.
            sharpness: 1 for the adversarially trained net, 0 for the one with the smallest error; in between, their
                weights are interpolated.

        Raises:
            ValueError: if there is no such net.
        """

    def graph(self, kind: DataKind, reverse: bool = False) -> Graph:
        """The adversarially trained net, for items of any size."""
        source = kind.source
        assert source is not None
        net = self.mapping(reverse, 1.0)
        (given, given_words), (channels, words) = (source.shape[0], source.words), (kind.shape[0], kind.words)
        if reverse:
            (given, given_words), (channels, words) = (channels, words), (given, given_words)
        stride, sides = net.stride, SIDES[len(source.shape) - 1]
        # Sides of a single stride would be specialized to it, since a dimension of length 1 broadcasts.
        lengths = [stride * dimension(name, 2) if stride > 1 else dimension(name, 4) for name in sides]
        masked = ", the last channel is a mask," if source.masked else ""
        given_shape: tuple[int | str, ...] = ("n", given, *_multiples(stride, sides))
        item = Spec(
            given_words.item, given_shape, f"{given_words.items}{masked}",
            source.values, {0: batch()} | dict(enumerate(lengths, 2)),
        )  # fmt: skip
        shape: tuple[int | str, ...] = ("n", channels, *_multiples(stride * net.times, sides))
        output = Spec("sample", shape, words.items, kind.describe_values())

        def draw(n: int, variation: int = 0) -> tuple[Tensor, ...]:
            side = stride * -(-MIN_SIDE // stride)
            x = 2 * torch.rand(n, given, *(side + stride * (variation + i) for i in range(len(sides)))) - 1
            if source.masked:
                x[:, -1] = x[:, -1].sign()
            return (x,)

        return Graph(net, (item,), output, draw, stride)


def _multiples(n: int, sides: Sequence[str]) -> tuple[str, ...]:
    """Names of sides that are multiples of a number."""
    return tuple(side if n == 1 else f"{n} {side}" for side in sides)


class PairedTranslation(GAN, TranslationGame):
    """A conditional GAN whose conditions are items such as images: G transforms the given item, and D sees the result
    alone or together with the given item. Isola et al. 2016, arXiv:1611.07004.

    Args:
        G: given items (n, given, *sides) -> items (n, channels, *(times * side)).
        D: items (n, channels, *sides), given items -> logits.
        loss: the adversarial loss of D and of G.
        terms: extra loss terms of either player.
        alone: terms that G minimizes in a phase without D. If there are any, the net of that phase is kept as `plain`.
    """

    G: ItemToItem
    followed: Tensor

    def __init__(
        self,
        G: ItemToItem,
        D: Discriminator,
        loss: AdversarialLoss,
        terms: Sequence[Term] = (),
        alone: Sequence[Term] = (),
        **settings: Any,
    ) -> None:
        super().__init__(G, D, loss, Prior(), terms=terms, conditional=True, **settings)
        self.alone = nn.ModuleList(alone)
        self.plain = copy.deepcopy(G) if alone else None
        if alone:
            self.register_buffer("followed", torch.zeros(()))  # steps over which the plain net was averaged

    def restoring(self, G: OptimizerFactory, **settings: Any) -> list[Player]:
        """G without D, as in the first phase of SRGAN; the plain net is its average."""
        return [Player("G", self.plain_losses, G(self.G.parameters()), (self.G,), after=self._follow, **settings)]

    def plain_losses(self, round: Round) -> Losses:
        """Losses that G minimizes without D."""
        outputs = self._outputs("G", round, ())
        return self._extra([term for term in self.alone if isinstance(term, Term)], outputs, round)

    def _follow(self, observed: Mapping[str, Tensor]) -> None:  # noqa: ARG002
        assert self.plain is not None
        self.followed.add_(1)
        share = (1 / (AVERAGED_SHARE * self.followed)).clamp(1 / MAX_AVERAGED, 1.0)
        for weight, followed in zip(self.plain.parameters(), self.G.parameters(), strict=True):
            weight.lerp_(followed, share)
        for mine, theirs in zip(self.plain.buffers(), self.G.buffers(), strict=True):
            mine.copy_(theirs)

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:  # noqa: ARG002
        assert condition is not None
        return self.G.padded(condition)

    def mapping(self, reverse: bool, sharpness: float) -> ItemToItem:
        if reverse:
            raise ValueError("it has learned one direction only")
        if sharpness == 1:
            return self.G
        if self.plain is None:
            raise ValueError("it had no phase without D")
        mixed = copy.deepcopy(self.G)
        plain = self.plain.state_dict()
        with torch.no_grad():
            for name, tensor in mixed.state_dict().items():
                if tensor.is_floating_point():
                    tensor.lerp_(plain[name], 1 - sharpness)
        return mixed

    def generators(self) -> tuple[GeneratorNet, ...]:
        return (GeneratorNet("G", self.values, copies=() if self.plain is None else ("plain",)),)


def L1(weight: Weighting) -> Term:
    """Mean absolute difference from the true image; images are in [-1, 1]."""
    return Formula("L1", weight, lambda j: (j.fake - j.real).abs().mean(), of=("G",))


def Content(weight: Weighting) -> Term:
    """Mean absolute difference of D's features from those of the true image, relative to their size: SRGAN's content
    loss with D's features in place of VGG's. Wang et al. 2017, arXiv:1711.11585, eq. 4.
    """
    return Formula("content[D]", weight, lambda j: _apart(j.on_fake.features, j.on_real.features), of=("G",))


def Perceived(weight: Weighting, features: Callable[[Tensor], Tensor]) -> Term:
    """The same for the features of a pretrained net. Ledig et al. 2016, arXiv:1609.04802, eq. 5.

    Args:
        features: images (n, channels, h, w) in [-1, 1] -> features (n, ...), differentiable.
    """
    return Formula("content[VGG]", weight, lambda j: _apart(features(j.fake), features(j.real)), of=("G",))


def Perceptual(weight: Weighting) -> Term:
    """The perceptual distance to the true image, `perceptual.distance`. Of large images, a crop is compared."""
    return Formula("perceptual", weight, lambda j: perceptual_loss(j.fake, j.real), of=("G",))


def perceptual_loss(fake: Tensor, real: Tensor) -> Tensor:
    """Mean perceptual distance of pairs of images (n, channels, h, w), or of one random crop of them, 0-d."""
    return perceptual.distance(*perceptual.crop(fake, real)).mean()


def _apart(fake: Tensor, real: Tensor) -> Tensor:
    real = real.detach().float()
    return (fake.float() - real).abs().mean() / real.abs().mean().clamp(min=1e-6)
