"""Toy games for the loop's tests, and the plainest way to play them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim import SGD, Adam, Optimizer

from sparring import loop
from sparring.games.gan import GAN
from sparring.games.prior import normal
from sparring.loop import Losses, Player, Round, Step
from sparring.losses.adversarial import non_saturating
from sparring.nets import mlp
from sparring.nets.discriminator import Discriminator


def deal(number: int, shard: int, n: int = 6) -> dict[str, Tensor]:
    place = torch.Generator().manual_seed(1000 * number + shard)
    return {"values": torch.randn(n, 2, generator=place), "number": torch.full((n,), number)}


def played(game: nn.Module, players: Sequence[Player], steps: int, deal=deal, **settings) -> Iterator[Step]:
    fabric = Fabric(accelerator="cpu", devices=1, precision=settings.pop("precision", None))
    return loop.play(game, players, deal, fabric, steps, **settings)


def state(game: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in game.state_dict().items()}


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


class Layers(Discriminator):
    """Layers one after the other; all but the last make the features."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def features(self, x: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        for layer in self.layers[:-1]:
            x = layer(x)
        return x

    def judge(self, h: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return self.layers[-1](h).squeeze(1)


class Noisy(GAN):
    """G has batch norm, dropout and noise, D has spectral norm and dropout; G's runs are counted."""

    def __init__(self, **settings) -> None:
        torch.manual_seed(0)
        G = mlp.Generator(3, (2,), (8, 8))
        G.layers.insert(2, nn.Dropout(0.3))
        D = Layers(spectral_norm(nn.Linear(2, 8)), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(8, 1))
        super().__init__(G, D, non_saturating(), normal(3), **settings)
        self.runs: list[bool] = []  # whether each run of G built a graph

    def values(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        x = super().values(z, label)
        self.runs.append(x.requires_grad)
        return x + 0.1 * torch.randn_like(x)

    def players(self, optimizer: Callable[..., Optimizer] = partial(Adam, lr=0.01), **D) -> list[Player]:
        return [
            Player("D", self.D_losses, optimizer(self.D.parameters()), (self.D,), **D),
            Player("G", self.G_losses, optimizer(self.G.parameters()), (self.G,)),
        ]


class Spies(nn.Module):
    """Players that note when they move and on which round; a unit of gradient moves each weight."""

    def __init__(self, **cadences: dict) -> None:
        super().__init__()
        self.log = ""
        self.players = [self._player(name, **cadence) for name, cadence in cadences.items()]

    def _player(self, name: str, lr: float | Tensor = 1.0, **settings) -> Player:
        net = nn.Linear(4, 1, bias=False)
        nn.init.zeros_(net.weight)
        self.add_module(name, net)

        def losses(round: Round) -> Losses:
            self.log += f"{name}{round['number'][0]} "
            round.observe(mean=round["values"].mean())
            return {"sum": net.weight.sum()}

        return Player(name, losses, SGD(net.parameters(), lr), (net,), **settings)

    def at(self, name: str) -> list[float]:
        return self.get_submodule(name).weight.flatten().tolist()
