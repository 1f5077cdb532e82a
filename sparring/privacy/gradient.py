"""The differentially private gradient of a player: the gradient of each sample is clipped, and noise is added to the
sum. Abadi et al. 2016, arXiv:1607.00133, algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch._functorch.eager_transforms import enable_inplace_requires_grad
from torch.func import functional_call, grad_and_value, vmap

from sparring.loop import Losses, Player, Round, Turn
from sparring.privacy.noise import SecretNoise

if TYPE_CHECKING:
    from lightning_fabric import Fabric

MAX_NUMBERS = 2**24  # of gradients that are in memory at a time: 64 MiB

# What the losses of a round are computed from besides its real tensors, (n, ...) each, by the names that `Round.once`
# knows them by. Sample i must depend on record i alone.
Drawn = Callable[[Round], Mapping[str, Tensor]]


class PrivateGradient:
    """Estimates the gradient of a player's losses, as `Player.gradient`.

    The losses of each sample are those of a round that consists of it alone, with all terms and penalties. Batches are
    Poisson samples, so that their size reveals whether a record is in it; therefore the sum is divided by the expected
    size, no losses are reported, and a batch may be empty.

    Args:
        drawn: what is generated for the round, such as latents and fakes.
        clip: largest norm of the gradient of a sample; infinity for none.
        noise: standard deviation of the noise, relative to `clip`; 0 for none.
        expected: samples in a batch, on average.
        source: of the noise.
        spend: called before each move.
    """

    def __init__(
        self,
        drawn: Drawn,
        clip: float,
        noise: float,
        expected: float,
        source: SecretNoise,
        spend: Callable[[], None] = lambda: None,
    ) -> None:
        self.drawn, self.clip, self.noise, self.expected = drawn, clip, noise, expected
        self.source, self.spend = source, spend

    def __call__(self, turn: Turn, round: Round, share: float, fabric: Fabric) -> tuple[Losses, Losses]:  # noqa: ARG002
        player, first = turn.player, round is turn.rounds[0]
        if first:
            self.spend()
        round.begin(player, turn.later)
        sums = self.clipped_sum(player, round)
        for weight, total in zip(player.weights, sums, strict=True):
            if self.noise and first and fabric.global_rank == 0:  # once for all shards
                total += self.source.normal(total, self.noise * self.clip)
            weight.grad = total * (player.every / self.expected)  # shards are summed
        round.end()
        return {}, {}

    def clipped_sum(self, player: Player, round: Round) -> list[Tensor]:
        """The sum of the clipped gradients of all samples of a round, for each weight of a player."""
        sums = [torch.zeros_like(weight) for weight in player.weights]
        if not round.size:
            return sums
        losses = _Losses(player)
        weights = losses.weights()
        drawn = {name: value.detach() for name, value in self.drawn(round).items()}
        tensors = dict(round.tensors)

        def loss(
            weights: dict[str, Tensor], tensors: Mapping[str, Tensor], drawn: Mapping[str, Tensor], index: int
        ) -> Tensor:
            alone = round.part({n: t[None] for n, t in tensors.items()}, {n: t[None] for n, t in drawn.items()}, index)
            with enable_inplace_requires_grad(True):  # penalties differentiate with respect to D's input
                total: Tensor = functional_call(losses, weights, (alone,))
            return total

        per_sample = vmap(grad_and_value(loss), in_dims=(None, 0, 0, None), randomness="different")
        many = max(1, MAX_NUMBERS // max(1, sum(weight.numel() for weight in player.weights)))
        for index, part in enumerate(_parts(round.size, many)):
            few = {n: t[part] for n, t in tensors.items()}, {n: t[part] for n, t in drawn.items()}
            gradients, _ = per_sample(weights, *few, index)
            for total, added in zip(sums, self._clipped([gradients[name] for name in weights]), strict=True):
                total += added
        return sums

    def _clipped(self, gradients: list[Tensor]) -> list[Tensor]:
        """The sum of clipped gradients, (n, ...) each. A gradient that is not finite counts as 0: it has no norm that
        could be bounded.
        """
        norms = torch.stack([g.reshape(len(g), -1).float().norm(dim=1) for g in gradients]).norm(dim=0)  # (n,)
        finite = norms.isfinite()
        factors = torch.where(finite, (self.clip / norms.clamp(min=1e-12)).clamp(max=1.0), 0.0)
        if not finite.all():
            gradients = [torch.where(finite.view(-1, *[1] * (g.ndim - 1)), g, 0.0) for g in gradients]
        return [torch.einsum("n,n...->...", factors.to(g.dtype), g) for g in gradients]


class _Losses(nn.Module):
    """The sum of a player's losses as a function of its weights."""

    def __init__(self, player: Player) -> None:
        super().__init__()
        self.nets, self._player = nn.ModuleList(player.nets), (player,)

    def weights(self) -> dict[str, Tensor]:
        """The player's weights by name, in its order."""
        names = {id(weight): name for name, weight in self.named_parameters()}
        return {names[id(weight)]: weight.detach() for weight in self._player[0].weights}

    def forward(self, round: Round) -> Tensor:
        terms = self._player[0].losses(round)
        return torch.stack([term.float() for term in terms.values()]).sum()


def _parts(n: int, most: int) -> Iterator[slice]:
    for begin in range(0, n, most):
        yield slice(begin, begin + most)
