"""The processes that a launcher has started for one run: the first one leads, the others wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from sparring import devices
from sparring.errors import InputError
from sparring.modalities import Modality
from sparring.model import Model
from sparring.recipes.base import Recipe
from sparring.training.launcher import Launcher

if TYPE_CHECKING:
    from lightning_fabric import Fabric

R = TypeVar("R")


class Team:
    """One of the processes, and what it exchanges with the others before the run.

    Args:
        fabric: connected to the others.
        launcher: which has started them.
    """

    def __init__(self, fabric: Fabric, launcher: Launcher) -> None:
        self.fabric, self.launcher = fabric, launcher
        self._told = False

    @property
    def leads(self) -> bool:
        """True on the first rank, which owns the run's folder."""
        return self.launcher.rank == 0

    def tell(self, plan: Any) -> None:
        """On the first rank: give the plan of the run to the others; None if there is none."""
        if not self._told:
            self._told = True
            self.fabric.broadcast(plan)

    def wait(self) -> Any:
        """On the others: wait for the plan. If there is none, this process ends; the first rank says why."""
        plan: Any = None
        plan = self.fabric.broadcast(plan)
        if plan is None:
            raise SystemExit(2)
        return plan

    def after_leader(self, read: Callable[[], R]) -> R:
        """Read data, on each machine first in one process, whose cache the others can use then."""
        return devices.after_first(self.fabric, self.launcher.local_rank, read)

    def give(self, model: Model) -> None:
        """On the first rank: give the trained model to the others."""
        weights = {name: tensor.cpu() for name, tensor in model.game.state_dict().items()}
        self.fabric.broadcast((weights, dict(model.about)))

    def given(self, recipe: Recipe[Any], modality: Modality, device: torch.device) -> Model:
        """On the others: the trained model."""
        nothing: Any = None
        weights, about = self.fabric.broadcast(nothing)
        game = recipe.game(modality)
        game.load_state_dict(weights)
        return Model(recipe, modality, game.to(device), about)

    def agree(self, problem: str) -> None:
        """End all processes if one of them has a problem; the first rank says which.

        Raises:
            InputError: on the first rank.
        """
        problems = [""] * self.launcher.ranks
        torch.distributed.all_gather_object(problems, problem)
        found = [f"rank {rank}: {each}" for rank, each in enumerate(problems) if each]
        if found and self.leads:
            raise InputError(found[0])
        if found:
            raise SystemExit(2)


@contextmanager
def joined(launcher: Launcher, device: torch.device) -> Iterator[Team | None]:
    """Within this context, this process is connected to the others; None if it is alone. If the first rank ends before
    there is a plan, the others end, too.
    """
    if launcher.ranks == 1:
        yield None
        return
    fabric = devices.fabric(device, ranks=launcher.ranks, nodes=launcher.nodes)
    fabric.launch()
    team = Team(fabric, launcher)
    try:
        yield team
    finally:
        if team.leads:
            team.tell(None)
    devices.leave(fabric)
