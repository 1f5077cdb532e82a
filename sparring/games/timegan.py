"""TimeGAN: a GAN in the code space of an autoencoder, with a supervisor that predicts the next code."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer

from sparring.games.autoencoder import Autoencoder
from sparring.games.graph import DataKind, Graph, sampling_graph
from sparring.games.prior import Prior
from sparring.loop import Losses, Player, Round

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]


@dataclass(frozen=True)
class Weights:
    """Weights of the loss terms, in the paper's symbols; those without a symbol are from the authors' code.

    Attributes:
        reconstruction: of E and R.
        foreseen: of the supervised loss in E's turn; eta: in G's turn.
        gamma: of codes that have not passed the supervisor, for G and D.
        moments: of the first two moments, in G's loss.
        even: loss of D below which D is not trained.
    """

    reconstruction: float = 10.0
    foreseen: float = 0.1
    eta: float = 100.0
    gamma: float = 1.0
    moments: float = 100.0
    even: float = 0.15


class TimeGAN(Autoencoder):
    """Yoon et al. 2019, "Time-series generative adversarial networks", NeurIPS, section 4.

    Args:
        E: series (n, channels, steps) -> codes (n, width, steps) in (0, 1).
        R: codes -> series.
        G: latents (n, z, steps) -> codes.
        S: codes -> the next code of each, (n, width, steps).
        D: codes -> logits (n, 1, steps).
        prior: distribution of the latents.
        z: latents per step.
        weights: of the loss terms.
    """

    averaged = ("G", "S", "R")

    def __init__(
        self,
        E: nn.Module,
        R: nn.Module,
        G: nn.Module,
        S: nn.Module,
        D: nn.Module,
        prior: Prior,
        z: int,
        weights: Weights,
    ) -> None:
        super().__init__()
        self.E, self.R, self.G, self.S, self.D = E, R, G, S, D
        self.prior, self.z, self.weights = prior, z, weights

    def embedding(self, optimizer: OptimizerFactory) -> list[Player]:
        """Players of the first stage: E and R learn to reconstruct."""
        return [self._player("E", self._reconstructed, (self.E, self.R), optimizer)]

    def supervised(self, optimizer: OptimizerFactory) -> list[Player]:
        """Players of the second stage: S learns to predict real codes."""
        return [self._player("S", lambda round: {"foreseen": self._foreseen(round)}, (self.S,), optimizer)]

    def joint(self, optimizer: OptimizerFactory, turns: int) -> list[Player]:
        """Players of the third stage: G with S `turns` times, E with R `turns` times, then D."""
        return [
            self._player("G", self.G_losses, (self.G, self.S), optimizer, turns),
            self._player("E", self.E_losses, (self.E, self.R), optimizer, turns),
            self._player("D", self.D_losses, (self.D,), optimizer),
        ]

    def _player(
        self,
        name: str,
        losses: Callable[[Round], Losses],
        nets: tuple[nn.Module, ...],
        optimizer: OptimizerFactory,
        turns: int = 1,
    ) -> Player:
        return Player(name, losses, optimizer([p for net in nets for p in net.parameters()]), nets, turns=turns)

    def E_losses(self, round: Round) -> Losses:
        """Losses that E and R minimize in the third stage."""
        return {**self._reconstructed(round), "foreseen": self.weights.foreseen * self._foreseen(round)}

    def G_losses(self, round: Round) -> Losses:
        """Losses that G and S minimize."""
        codes, foreseen = self._made(round)
        made, real = self.R(foreseen).float(), round["values"].float()
        spread = (_deviation(made) - _deviation(real)).abs().mean()
        means = (made.mean(0) - real.mean(0)).abs().mean()
        return {
            "adversarial": _against(self.D(foreseen), 1.0),
            "codes": self.weights.gamma * _against(self.D(codes), 1.0),
            "foreseen": self.weights.eta * (self._foreseen(round) + 1e-12).sqrt(),
            "moments": self.weights.moments * (spread + means),
        }

    def D_losses(self, round: Round) -> Losses:
        """Losses that D minimizes; zero while D is good enough."""
        codes, foreseen = (made.detach() for made in self._made(round))
        real, fake = self.D(self.E(round["values"]).detach()), self.D(foreseen)
        round.observe(D_real=real.mean(), D_fake=fake.mean(), D_accuracy=(real > fake).float().mean())
        losses = {
            "real": _against(real, 1.0),
            "fake": _against(fake, 0.0),
            "codes": self.weights.gamma * _against(self.D(codes), 0.0),
        }
        awake = torch.stack(list(losses.values())).sum().detach() > self.weights.even
        return {name: loss * awake for name, loss in losses.items()}

    def _reconstructed(self, round: Round) -> Losses:
        again = self.reconstruct(round["values"], None).float()
        error = (again - round["values"].float()).square().mean()
        round.observe(squared_error=error)
        return {"reconstruction": self.weights.reconstruction * (error + 1e-12).sqrt()}

    def _foreseen(self, round: Round) -> Tensor:
        """Mean squared error of the predictions of S on real codes."""
        codes = self.E(round["values"])
        error: Tensor = (self.S(codes)[:, :, :-1] - codes[:, :, 1:]).float().square().mean()
        return error

    def _made(self, round: Round) -> tuple[Tensor, ...]:
        """Codes, and the outputs of S on them."""

        def compute() -> tuple[Tensor, ...]:
            codes = self.G(self._steps(self.draw(round.size, round.device)))
            return codes, self.S(codes)

        return round.once("codes", compute, self.G, self.S)

    def _steps(self, z: Tensor) -> Tensor:
        """Latents (n, steps x z) as sequences (n, z, steps)."""
        return z.view(z.shape[0], -1, self.z).transpose(1, 2)

    def encode(self, x: Tensor, condition: Tensor | None) -> Tensor:  # noqa: ARG002
        code: Tensor = self.E(x)
        return code

    def decode(self, code: Tensor, condition: Tensor | None) -> Tensor:  # noqa: ARG002
        made: Tensor = self.R(code)
        return made

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return self.decode(self.S(self.G(self._steps(z))), condition)

    def graph(self, kind: DataKind, reverse: bool = False) -> Graph:
        """Series of the window's length: exporting unrolls recurrent nets."""
        if reverse:
            raise ValueError("it generates from noise and has one direction only")
        return sampling_graph(self, kind, any_length=False)


def _against(logits: Tensor, target: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits.float(), torch.full_like(logits, target, dtype=torch.float32))


def _deviation(x: Tensor) -> Tensor:
    """Standard deviation of each channel at each step, over the batch."""
    deviation: Tensor = (x.var(0, unbiased=False) + 1e-6).sqrt()
    return deviation
