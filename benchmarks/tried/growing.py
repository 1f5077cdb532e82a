"""The default for images, trained at a quarter and at half of its resolution first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn
from torch.nn import functional as F

from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.gan import GAN
from sparring.games.terms import Term
from sparring.layers.condition import Condition
from sparring.layers.initial import init_he
from sparring.layers.layout import channels_last
from sparring.loop import Losses, Round
from sparring.modalities import Images
from sparring.nets import dcgan
from sparring.recipes.base import Phase
from sparring.recipes.r3gan_strided import R3ganStrided

SHARES = {2: 0.2, 1: 0.3, 0: 0.5}  # of the run, by the number of halvings of the resolution


class Generator(dcgan.Generator):
    """DCGAN's G with an output layer of its own at each resolution. After `level` halvings, the last stages are left
    out.
    """

    level = 0

    def __init__(self, latents: int, size: int, channels: int, width: int, condition: Condition = 0) -> None:
        super().__init__(latents, size, channels, width, condition)
        self.heads = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(width * 2**level, channels, 4, stride=2, padding=1), nn.Tanh())
            for level in sorted(SHARES) if level
        )  # fmt: skip
        self.heads.apply(dcgan._init_normal)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        if not self.level:
            return super().forward(z, label)
        first = self.layers[0](self.condition(z, label)[:, :, None, None])
        x = self.layers[1 : -2 - 3 * self.level](channels_last(first))
        image: Tensor = self.heads[self.level - 1](x)
        return image


class Discriminator(dcgan.Discriminator):
    """DCGAN's D with an input layer of its own for each resolution."""

    def __init__(self, size: int, channels: int, width: int, norm: dcgan.Norm, condition: Condition = 0) -> None:
        super().__init__(size, channels, width, norm, condition)
        self.size = size
        self.entries = nn.ModuleList(
            nn.Sequential(nn.Conv2d(channels, width * 2**level, 4, stride=2, padding=1), nn.LeakyReLU(0.2))
            for level in sorted(SHARES) if level
        )  # fmt: skip
        self.entries.apply(init_he)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:
        level = (self.size // x.shape[-1]).bit_length() - 1
        if not level:
            return super().features(x, label)
        h: Tensor = self.layers[2 * (level + 1) :](self.entries[level - 1](channels_last(x)))
        return h


class Growing(GAN):
    """A game at one resolution after the other. Gamma is that of the resolution, and follows the whole run."""

    start, share = 0.0, 1.0

    def at(self, level: int, start: float, losses: Callable[[Round], Losses], round: Round) -> Losses:
        self.G.level, self.start, self.share = level, start, SHARES[level]
        return losses(round)

    def _view(self, x: Tensor, round: Round) -> Tensor:
        return super()._view(F.avg_pool2d(x, x.shape[-1] // (self.G.size // 2**self.G.level)), round)

    def _extra(self, terms: Sequence[Term], outputs: DiscriminatorPass, round: Round) -> Losses:
        progress = self.start + self.share * round.progress
        return {term.name: term.weighted(outputs, progress) / 4**self.G.level for term in terms}


@dataclass(frozen=True)
class GrowingGan(R3ganStrided):
    """`r3gan_strided` at a quarter of the resolution, then at half, then at all of it."""

    def build_generator(self, shape: tuple[int, ...], latents: int, condition: Condition) -> nn.Module:
        channels, size, _ = shape
        return Generator(latents, size, channels, self.width, condition)

    def build_discriminator(self, shape: tuple[int, ...], condition: Condition = 0) -> Discriminator:
        channels, size, _ = shape
        return Discriminator(size, channels, self.width, self.norm, condition)

    def game_class(self, modality: Images) -> Callable[..., GAN]:  # noqa: ARG002
        return Growing

    def phases(self, game: Growing) -> list[Phase]:
        phases, start = [], 0.0
        for level, share in SHARES.items():
            players = game.players(self.adam(), self.adam(), schedule=partial(self._within, start, share))
            for player in players:
                player.losses = partial(game.at, level, start, player.losses)
            phases.append(Phase(players, share))
            start += share
        return phases

    def _within(self, start: float, share: float, progress: float) -> Mapping[str, object]:
        return self.schedule(start + share * progress)
