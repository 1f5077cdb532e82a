"""The steps of a run with differential privacy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from sparring.data.dataset import Dataset
from sparring.data.poisson import PoissonBatches
from sparring.errors import InputError
from sparring.games.game import Game
from sparring.games.private import PrivateGAN
from sparring.loop import Deal, Player
from sparring.modalities import Modality
from sparring.privacy import Guarantee, Ledger, SecretNoise
from sparring.privacy.gradient import PrivateGradient
from sparring.training.bounds import Bound
from sparring.training.settings import Settings

BUDGET = "the privacy budget is made for as many steps"
UNTIL = "--until {} compares samples with real data during training, which is not private; leave it out"


def private(settings: Settings, promise: Guarantee) -> Settings:
    """Settings of a private run. The fingerprint of the data would reveal whether a guess of them is right.

    Raises:
        InputError: if the run would end by what it finds in the data.
    """
    if settings.until:
        raise InputError(UNTIL.format(settings.until))
    return replace(settings, fingerprint="", privacy=promise)


def within_budget(bound: Bound, steps: int) -> Bound:
    """A new bound of a run that is resumed.

    Raises:
        InputError: if it has more steps than the noise was chosen for.
    """
    if bound.steps is not None and bound.steps > steps:
        raise InputError(
            f"--steps {bound.steps:,} was given, but the privacy budget is made for {steps:,}; train another run"
        )
    return replace(bound, steps=bound.steps or steps, reason=BUDGET)


def describe(promise: Guarantee) -> str:
    """A line for the user about the noise of a run."""
    return (
        f"private: epsilon {promise.epsilon:g}, delta {promise.delta:g} per {promise.unit}; {promise.moves:,} moves "
        f"of D with noise {promise.noise:.3g} on {promise.expected:,.0f} samples"
    )


class PrivateSteps:
    """What the steps of a private run share: secret random numbers and the ledger.

    Args:
        promise: of the run.
        path: of the ledger.
        writes: whether this rank writes it.
    """

    def __init__(self, promise: Guarantee, path: Path, writes: bool) -> None:
        self.promise, self.source = promise, SecretNoise()
        self.ledger = Ledger(path, promise, writes)

    def protect(self, game: Game, players: Sequence[Player]) -> None:
        """Give the players that see real records a private gradient.

        Raises:
            InputError: if the game is not built for that, or a player might see records without one.
        """
        if not isinstance(game, PrivateGAN):
            raise InputError(f"{type(game).__name__} cannot be trained privately; derive the recipe from PrivateRecipe")
        promise, of_G = self.promise, {id(weight) for weight in game.G.parameters()}
        for player in players:
            if player.moves(game.D):
                player.gradient = PrivateGradient(
                    game.drawn, promise.clip, promise.noise, promise.expected, self.source, self.ledger.spend
                )
            elif player.losses != game.G_losses or not {id(weight) for weight in player.weights} <= of_G:
                raise InputError(
                    f"player {player.name} of a private run moves other weights than those of D and G, or by other "
                    "losses than G's, which may see records; let `phases` return `game.players`"
                )

    def allows(self, players: Sequence[Player]) -> bool:
        """True if the budget allows a further step."""
        return self.ledger.left >= sum(player.turns for player in players if player.gradient is not None)

    def dealer(self, modality: Modality, data: Dataset, shards: int, device: torch.device) -> Deal:
        """Deals Poisson samples, and no held-out ones."""
        batches = PoissonBatches(data, self.promise.rate, shards, self.source.chosen, device)

        def deal(number: int, shard: int) -> Mapping[str, Tensor]:
            return modality.batch(batches(number, shard))

        return deal
