"""From given pictures to others: paired, where the truth is known, and unpaired one way."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from sparring.games.game import Game
from sparring.games.gan import GAN, OptimizerFactory
from sparring.games.graph import BATCH, DataKind, GeneratorNet, Graph, Spec
from sparring.games.prior import Prior
from sparring.games.terms import Formula, Term, Weighting
from sparring.loop import Losses, Player, Round
from sparring.losses.adversarial import AdversarialLoss
from sparring.nets.discriminator import Discriminator
from sparring.nets.image_to_image import ImageToImage

# The plain net is the mean of G over the last of its steps without D: about this share of them, so many at most.
RECENT = 0.05
MOST = 1000
MIN_SIDE = 16  # pixels of a side of the images that an exported net is verified with


class TranslationGame(Game):
    """A game whose samples are made of given pictures, which take the place of labels."""

    @abstractmethod
    def mapping(self, reverse: bool, sharpness: float) -> ImageToImage:
        """The net that makes pictures of given ones, (n, given, h, w) -> (n, channels, times h, times w).

        Args:
            reverse: the other way.
            sharpness: 1 for the adversarial net, 0 for the one that errs least, between them a mixture.

        Raises:
            ValueError: where there is no such net.
        """

    def graph(self, kind: DataKind, reverse: bool = False) -> Graph:
        """The adversarially trained net, for images of any size."""
        source = kind.source
        assert source is not None
        net = self.mapping(reverse, 1.0)
        (given, given_words), (channels, words) = (source.shape[0], source.words), (kind.shape[0], kind.words)
        if reverse:
            (given, given_words), (channels, words) = (channels, words), (given, given_words)
        stride = net.stride
        # Sides of a single stride would be specialized to it, since a dimension of length 1 broadcasts.
        height, width = (stride * Dim(name, min=2) if stride > 1 else Dim(name, min=4) for name in ("height", "width"))
        masked = ", the last channel is a mask," if source.masked else ""
        image = Spec(
            "image", ("n", given, *_multiples(stride)), f"{given_words.items}{masked}", "in [-1, 1]",
            {0: BATCH, 2: height, 3: width},
        )  # fmt: skip
        output = Spec("sample", ("n", channels, *_multiples(stride * net.times)), words.items, kind.describe_values())

        def draw(n: int, variation: int = 0) -> tuple[Tensor, ...]:
            side = stride * -(-MIN_SIDE // stride)
            x = 2 * torch.rand(n, given, side + stride * variation, side + stride * (variation + 1)) - 1
            if source.masked:
                x[:, -1] = x[:, -1].sign()
            return (x,)

        return Graph(net, (image,), output, draw, stride)


def _multiples(n: int) -> tuple[str, str]:
    """Names of sides that are multiples of a number."""
    return ("height", "width") if n == 1 else (f"{n} height", f"{n} width")


class PairedTranslation(GAN, TranslationGame):
    """A conditional GAN whose labels are pictures: G makes a picture of the given one, D sees it alone or beside what
    it is made of. Isola et al. 2016, arXiv:1611.07004.

    Args:
        G: given pictures (n, given, h, w) -> pictures (n, channels, times h, times w).
        D: pictures (n, channels, size, size), given pictures -> logits.
        loss: the pair of formulas.
        terms: extra terms of either side's loss.
        alone: what G minimises in a phase without D; where there is any, the net of that phase is kept as `plain`.
    """

    G: ImageToImage
    followed: Tensor

    def __init__(
        self,
        G: ImageToImage,
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
            self.register_buffer("followed", torch.zeros(()))  # steps that the plain net has followed G

    def restoring(self, G: OptimizerFactory, **settings: Any) -> list[Player]:
        """G without D, as in the first phase of SRGAN; the plain net follows it."""
        return [Player("G", self.plain_losses, G(self.G.parameters()), (self.G,), after=self._follow, **settings)]

    def plain_losses(self, round: Round) -> Losses:
        """What G minimises without D."""
        outputs = self._outputs("G", round, ())
        return self._extra([term for term in self.alone if isinstance(term, Term)], outputs, round)

    def _follow(self, observed: Mapping[str, Tensor]) -> None:  # noqa: ARG002
        assert self.plain is not None
        self.followed.add_(1)
        share = (1 / (RECENT * self.followed)).clamp(1 / MOST, 1.0)
        for weight, followed in zip(self.plain.parameters(), self.G.parameters(), strict=True):
            weight.lerp_(followed, share)
        for mine, theirs in zip(self.plain.buffers(), self.G.buffers(), strict=True):
            mine.copy_(theirs)

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:  # noqa: ARG002
        assert condition is not None
        return self.G.padded(condition)

    def mapping(self, reverse: bool, sharpness: float) -> ImageToImage:
        if reverse:
            raise ValueError("it has learnt one way only")
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
    """The mean absolute difference from the truth; pictures go from -1 to 1."""
    return Formula("L1", weight, lambda j: (j.fake - j.real).abs().mean(), of=("G",))


def Content(weight: Weighting) -> Term:
    """The mean absolute difference of D's features from those of the truth, by their size: what VGG's are to SRGAN,
    from D itself. Wang et al. 2017, arXiv:1711.11585, eq. 4.
    """
    return Formula("content[D]", weight, lambda j: _apart(j.on_fake.features, j.on_real.features), of=("G",))


def Perceived(weight: Weighting, features: Callable[[Tensor], Tensor]) -> Term:
    """The same of the features of a net that was trained elsewhere. Ledig et al. 2016, arXiv:1609.04802, eq. 5.

    Args:
        features: pictures (n, channels, h, w) in [-1, 1] -> features (n, ...), differentiable.
    """
    return Formula("content[VGG]", weight, lambda j: _apart(features(j.fake), features(j.real)), of=("G",))


def _apart(fake: Tensor, real: Tensor) -> Tensor:
    real = real.detach().float()
    return (fake.float() - real).abs().mean() / real.abs().mean().clamp(min=1e-6)
