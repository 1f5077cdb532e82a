"""Four small games that pull at the loop from four sides, and how they are played in tests."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Adam

from sparring.devices import leave
from sparring.games.game import Game
from sparring.games.gan import GAN
from sparring.games.prior import normal
from sparring.games.terms import GP
from sparring.loop import Deal, Losses, Player, Round, Step, play
from sparring.losses import penalties
from sparring.losses.adversarial import least_squares, non_saturating, wasserstein
from sparring.nets import mlp
from sparring.shards import ShardBuffers

N = 8  # samples in a round


@dataclass
class Strain:
    """A game, its players, and the data it is played on."""

    game: Game
    players: list[Player]
    deal: Deal

    def steps(self, steps: int, fabric: Fabric | None = None, **settings: int) -> Iterator[Step]:
        fabric = fabric or Fabric(accelerator="cpu", devices=1)
        return play(self.game, self.players, self.deal, fabric, steps, **settings)

    def play(self, steps: int, fabric: Fabric | None = None, **settings: int) -> list[Step]:
        return list(self.steps(steps, fabric, **settings))

    def weights(self) -> Tensor:
        return torch.cat([p.detach().flatten() for p in self.game.parameters()])

    def buffers(self) -> Tensor:
        """All that is one for all ranks: a pool is each rank's own."""
        named = self.game.named_buffers()
        return torch.cat([torch.zeros(0), *[b.flatten() for n, b in named if not n.startswith("pool")]])

    def save(self) -> dict[str, object]:
        """What a checkpoint holds; players that share an optimizer hold the same state twice."""
        optimizers = [player.optimizer.state_dict() for player in self.players]
        return copy.deepcopy({"game": self.game.state_dict(), "optimizers": optimizers})

    def load(self, saved: Mapping) -> None:
        self.game.load_state_dict(saved["game"])
        for player, state in zip(self.players, copy.deepcopy(saved["optimizers"]), strict=True):
            player.optimizer.load_state_dict(state)


def adam(*nets: nn.Module) -> Adam:
    # A large eps keeps gradients that are zero but for rounding from becoming whole steps.
    return Adam([p for net in nets for p in net.parameters()], lr=2e-3, betas=(0.5, 0.9), eps=1e-4)


def generator_at(number: int, shard: int) -> torch.Generator:
    return torch.Generator().manual_seed(1000 * number + shard)


def ring(number: int, shard: int) -> dict[str, Tensor]:
    """Points on a circle."""
    angle = 6.283 * torch.rand(N, generator=generator_at(number, shard))
    return {"values": torch.stack([angle.cos(), angle.sin()], dim=1)}


def wgan_gp() -> Strain:
    """Gulrajani et al. 2017, arXiv:1704.00028."""
    G, D = mlp.Generator(4, (2,), (8, 8)), mlp.Discriminator((2,), (8, 8))
    game = GAN(G, D, wasserstein(), normal(4), terms=[GP(10)])
    players = [Player("D", game.D_losses, adam(D), (D,), turns=5), Player("G", game.G_losses, adam(G), (G,))]
    return Strain(game, players, ring)


class Style(Game):
    """Regularised lazily; the strength of the augmentation and the path length are its buffers."""

    def __init__(self) -> None:
        super().__init__()
        self.prior, self.loss = normal(4), non_saturating()
        self.mapping = nn.Sequential(nn.Linear(4, 8), nn.Softplus())
        self.synthesis = mlp.Generator(8, (2,), (8,), norm=False, output="linear")
        self.synthesis.layers[1] = nn.Softplus()  # with a second derivative
        self.D = mlp.Discriminator((2,), (8, 8))
        self.register_buffer("p", torch.tensor(0.5))
        self.register_buffer("length", torch.zeros(()))

    def values(self, z: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return self.synthesis(self.mapping(z))

    def judge(self, x: Tensor) -> Tensor:
        """D's logits on points that are turned around and shifted, each with probability p."""
        turned = torch.where(torch.rand(len(x), 1) < self.p, -x, x)
        return self.D(turned + 0.1 * torch.randn_like(x) * (torch.rand(len(x), 1) < self.p))

    def fake(self, round: Round) -> Tensor:
        z = round.once("z", lambda: self.draw(round.size, round.device))
        return round.once("fake", lambda: self.values(z), self.mapping, self.synthesis)

    def D_losses(self, round: Round) -> Losses:
        real, fake = self.judge(round["values"]), self.judge(self.fake(round))
        round.observe(sign=real.sign().mean())
        return {"adversarial": self.loss.discriminator(real, fake)}

    def D_after(self, observed: Mapping[str, Tensor]) -> None:
        self.p.add_(0.05 * (observed["sign"] - 0.6).sign()).clamp_(0, 1)

    def D_reg_losses(self, round: Round) -> Losses:
        real = round["values"].detach().requires_grad_()
        return {"R1": penalties.zero_centered(self.judge(real), real)}

    def G_losses(self, round: Round) -> Losses:
        return {"adversarial": self.loss.generator(None, self.judge(self.fake(round)))}

    def G_reg_losses(self, round: Round) -> Losses:
        w = self.mapping(self.draw(round.size, round.device))
        x = self.synthesis(w)
        (slope,) = torch.autograd.grad((x * torch.randn_like(x)).sum(), w, create_graph=True)
        lengths = slope.square().sum(1).sqrt()  # (n,)
        round.observe(length=lengths.mean())
        return {"path": 2 * (lengths - self.length.lerp(lengths.detach().mean(), 0.01)).square().mean()}

    def G_reg_after(self, observed: Mapping[str, Tensor]) -> None:
        self.length.lerp_(observed["length"], 0.01)


def stylegan2() -> Strain:
    """Karras et al. 2020, arXiv:1912.04958 and arXiv:2006.06676."""
    game = Style()
    D, G = (game.D,), (game.mapping, game.synthesis)
    D_adam, G_adam = adam(*D), adam(*G)
    players = [
        Player("D", game.D_losses, D_adam, D, after=game.D_after),
        Player("D_reg", game.D_reg_losses, D_adam, D, every=16),
        Player("G", game.G_losses, G_adam, G),
        Player("G_reg", game.G_reg_losses, G_adam, G, every=4, after=game.G_reg_after),
    ]
    return Strain(game, players, ring)


class Pool(ShardBuffers):
    """Fakes of the past: once full, a fake is exchanged for a past one with probability 1/2."""

    def __init__(self, capacity: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("past", torch.zeros(capacity, *shape))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))

    def forward(self, fake: Tensor) -> Tensor:
        capacity, n = len(self.past), len(fake)
        filling = self.filled < capacity
        slots = torch.where(filling, (self.filled + torch.arange(n)) % capacity, torch.randperm(capacity)[:n])
        exchange = ~filling & (torch.rand(n) < 0.5)
        past = self.past[slots]
        self.past[slots] = torch.where((filling | exchange).view(n, 1, 1, 1), fake, past)
        self.filled.add_(n).clamp_(max=capacity)
        return torch.where(exchange.view(n, 1, 1, 1), past, fake)


def translator() -> nn.Module:
    first = nn.Conv2d(1, 4, 3, padding=1)
    return nn.Sequential(first, nn.InstanceNorm2d(4), nn.ReLU(), nn.Conv2d(4, 1, 1), nn.Tanh())


def patches() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(4, 1, 3, padding=1))


class Cycle(Game):
    """Two generators that undo each other; G moves first, and D judges through a pool."""

    averaged = ("AB", "BA")

    def __init__(self) -> None:
        super().__init__()
        self.AB, self.BA = translator(), translator()
        self.D_A, self.D_B = patches(), patches()
        self.pool_A, self.pool_B = Pool(2 * N, (1, 8, 8)), Pool(2 * N, (1, 8, 8))
        self.loss = least_squares()

    def values(self, z: Tensor, label: Tensor | None = None) -> Tensor:  # noqa: ARG002
        return self.AB(z)

    def fakes(self, round: Round) -> tuple[Tensor, Tensor]:  # of A, of B
        return round.once("fakes", lambda: (self.BA(round["B"]), self.AB(round["A"])), self.AB, self.BA)

    def G_losses(self, round: Round) -> Losses:
        A, B = round["A"], round["B"]
        fake_A, fake_B = self.fakes(round)
        return {
            "adversarial": 2 * self.loss.generator(None, [self.D_A(fake_A), self.D_B(fake_B)]),
            "cycle": 10 * (F.l1_loss(self.BA(fake_B), A) + F.l1_loss(self.AB(fake_A), B)),
            "identity": 5 * (F.l1_loss(self.BA(A), A) + F.l1_loss(self.AB(B), B)),
        }

    def D_losses(self, round: Round) -> Losses:
        fake_A, fake_B = self.fakes(round)
        past_A, past_B = round.once("past", lambda: (self.pool_A(fake_A), self.pool_B(fake_B)))
        return {
            "A": self.loss.discriminator(self.D_A(round["A"]), self.D_A(past_A)),
            "B": self.loss.discriminator(self.D_B(round["B"]), self.D_B(past_B)),
        }


def cyclegan() -> Strain:
    """Zhu et al. 2017, arXiv:1703.10593."""

    def deal(number: int, shard: int) -> dict[str, Tensor]:
        A, B = torch.rand(2, N, 1, 8, 8, generator=generator_at(number, shard))
        return {"A": A.cumsum(2) / 4 - 1, "B": 1 - B.cumsum(3) / 4}

    game = Cycle()
    G, D = (game.AB, game.BA), (game.D_A, game.D_B)
    return Strain(game, [Player("G", game.G_losses, adam(*G), G), Player("D", game.D_losses, adam(*D), D)], deal)


class Rows(Game):
    """A row is a number in [-1, 1] and one of three kinds; the kind is the condition too."""

    def __init__(self) -> None:
        super().__init__()
        self.prior, self.loss = normal(4), wasserstein()
        self.G = mlp.Generator(4 + 3, (1 + 3,), (8, 8), output="linear")
        self.D = nn.Sequential(nn.Linear(2 * (4 + 3), 8), nn.LeakyReLU(0.2), nn.Dropout(0.5), nn.Linear(8, 1))

    def values(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.head(self.G(torch.cat([z, F.one_hot(label, 3).float()], dim=1)))

    def head(self, raw: Tensor) -> Tensor:
        return torch.cat([raw[:, :1].tanh(), F.gumbel_softmax(raw[:, 1:], tau=0.2)], dim=1)

    def fake(self, round: Round) -> tuple[Tensor, Tensor]:  # (n, 4) and the logits of the kind (n, 3)
        def compute() -> tuple[Tensor, Tensor]:
            raw = self.G(torch.cat([self.draw(round.size, round.device), round["condition"]], dim=1))
            return self.head(raw), raw[:, 1:]

        return round.once("fake", compute, self.G)

    def packed(self, rows: Tensor, round: Round) -> Tensor:  # (n / 2, 14)
        return torch.cat([rows, round["condition"]], dim=1).view(round.size // 2, -1)

    def D_losses(self, round: Round) -> Losses:
        real, fake = self.packed(round["values"], round), self.packed(self.fake(round)[0], round)
        return {
            "adversarial": self.loss.discriminator(self.D(real), self.D(fake)),
            "GP": 10 * penalties.gradient_penalty(self.D, real, fake),
        }

    def G_losses(self, round: Round) -> Losses:
        fake, kind = self.fake(round)
        adversarial = self.loss.generator(None, self.D(self.packed(fake, round)))
        return {"adversarial": adversarial, "condition": F.cross_entropy(kind, round["condition"])}


def ctgan() -> Strain:
    """Xu et al. 2019, arXiv:1907.00503."""
    kinds = torch.tensor([0] * 20 + [1] * 8 + [2] * 4)  # sorted, so that a kind's rows lie together
    counts = kinds.bincount()
    table = torch.cat([torch.linspace(-1, 1, 32)[:, None], F.one_hot(kinds).float()], dim=1)

    def deal(number: int, shard: int) -> dict[str, Tensor]:
        place = generator_at(number, shard)
        kind = torch.multinomial(counts.log1p(), N, replacement=True, generator=place)
        row = (counts.cumsum(0) - counts)[kind] + (torch.rand(N, generator=place) * counts[kind]).long()
        return {"values": table[row], "condition": F.one_hot(kind, 3).float()}

    game = Rows()
    G, D = (game.G,), (game.D,)
    players = [Player("D", game.D_losses, adam(*D), D), Player("G", game.G_losses, adam(*G), G)]
    return Strain(game, players, deal)


STRAINS: dict[str, Callable[[], Strain]] = {f.__name__: f for f in (wgan_gp, stylegan2, cyclegan, ctgan)}


def build(name: str) -> Strain:
    torch.manual_seed(0)
    return STRAINS[name]()


def play_on_ranks(fabric: Fabric, steps: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Every game's weights and buffers on every rank at the end, (ranks, numbers)."""
    torch.set_num_threads(1)
    ends = {}
    for name in STRAINS:
        strain = build(name)
        strain.play(steps, fabric)
        # A tensor would not outlive the process that made it.
        ends[name] = tuple(fabric.all_gather(part).numpy() for part in (strain.weights(), strain.buffers()))
    leave(fabric)
    return ends
