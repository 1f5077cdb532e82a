"""One run on one rank: plays the game, and averages, logs, shows and saves on the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor

import sparring
from sparring.data.batches import Batches
from sparring.data.split import HELD_EVERY
from sparring.errors import InputError
from sparring.loop import Deal, Step, play
from sparring.modalities import Modality, Samples
from sparring.model import Model
from sparring.recipe import Phase, Recipe
from sparring.seeds import Seeds, reseed
from sparring.training import checkpoint
from sparring.training.average import Average
from sparring.training.bounds import ENDLESS, Bound
from sparring.training.card import card
from sparring.training.clock import Clock, Orders
from sparring.training.folder import RunFolder
from sparring.training.interrupts import interrupts
from sparring.training.logbook import Logbook
from sparring.training.prepare import Prepared
from sparring.training.screen import Screen, line
from sparring.writing import beside, write_bytes

SHEETS = 16  # sheets of a run, spread over its steps
PAUSE = 3.0  # seconds between sheets, at least
SHOWN = 64  # samples on a sheet
WATCHED = 32  # held-out samples that D is watched by, at most


@dataclass(frozen=True)
class Settings:
    """What was asked of a run, beside its recipe; all of it can be written down.

    Attributes:
        data: the name or the path of the data, as given.
        name: short for it.
        items: how many there are.
        fingerprint: tells whether they are still the same.
        seed: the root of all randomness.
        precision, ranks, device: where it runs.
        save_every: seconds of training between checkpoints.
    """

    data: str
    name: str
    items: int
    fingerprint: str
    seed: int
    precision: str
    ranks: int
    device: str
    save_every: float


def shard_size(recipe: Recipe, ranks: int) -> int:
    """How many samples of a batch each rank takes at a time.

    Raises:
        InputError: where the batch does not split so.
    """
    size, rest = divmod(recipe.batch, ranks * recipe.accumulate)
    if rest or size < 2:  # statistics of a batch need two samples
        parts = f"ranks={ranks} times accumulate={recipe.accumulate}"
        raise InputError(f"batch={recipe.batch} does not split into {parts} equal parts of at least 2")
    return size


class Run:
    """A run on one rank."""

    def __init__(
        self,
        recipe: Recipe,
        modality: Modality,
        data: Prepared,
        folder: RunFolder,
        settings: Settings,
        bound: Bound,
        fabric: Fabric,
        screen: Screen,
    ) -> None:
        self.recipe, self.modality, self.folder, self.settings = recipe, modality, folder, settings
        self.bound, self.fabric, self.screen = bound, fabric, screen
        self.main = fabric.global_rank == 0
        self.seeds = Seeds(settings.seed)
        self.step, self.seconds = 0, 0.0
        with torch.random.fork_rng([]):
            reseed(self.seeds.key("initial weights"), torch.device("cpu"))
            self.game = recipe.game(modality)
        self.game.to(fabric.device)
        self.phases: list[Phase] = recipe.phases(self.game)
        self.average = Average(self.game, recipe.ema_kimg * 1000, recipe.ema_ramp)
        self.deal = self._dealer(data)
        self._line, self._sheets, self._shown_at = "", 0, 0.0

    def _dealer(self, data: Prepared) -> Deal:
        """Batches of what is trained on and, now and then, some of what is held out beside them."""
        size = shard_size(self.recipe, self.fabric.world_size)
        shards, device = self.recipe.batch // size, self.fabric.device
        batches = Batches(data.tensors, data.rows, size, shards, self.seeds, device)
        if not len(data.held):
            return lambda number, shard: self.modality.batch(batches(number, shard))
        watched = Batches(data.tensors, data.held, min(size, WATCHED), shards, self.seeds, device)

        def deal(number: int, shard: int) -> dict[str, Tensor]:
            batch = self.modality.batch(batches(number, shard))
            if number % HELD_EVERY == 0:
                held = self.modality.batch(watched(number // HELD_EVERY, shard))
                batch |= {"held" if name == "real" else f"held {name}": t for name, t in held.items()}
            return batch

        return deal

    # What is saved, and given back.

    def tensors(self) -> dict[str, Tensor]:
        """Everything that lasts from step to step; buffers of every rank, weights of the first."""
        tensors = {f"game.{name}": tensor for name, tensor in self.game.state_dict().items()}
        for name, tensor in self.average.game.state_dict().items():
            if name.split(".")[0] in self.game.averaged:
                tensors[f"average.{name}"] = tensor
        for name, optimizer in self._optimizers().items():
            tensors |= checkpoint.optimizer_tensors(f"optimizer.{name}", optimizer)
        if self.fabric.world_size > 1:
            for name, buffer in self.game.named_buffers():
                everyone = self.fabric.all_gather(buffer)
                assert isinstance(everyone, Tensor)
                tensors |= {f"rank{r}.{name}": own for r, own in enumerate(everyone)}
        return tensors

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Each optimizer under the name of the first player that uses it."""
        names: dict[int, tuple[str, torch.optim.Optimizer]] = {}
        for i, phase in enumerate(self.phases):
            for player in phase.players:
                names.setdefault(id(player.optimizer), (f"{i}.{player.name}", player.optimizer))
        return dict(names.values())

    def restore(self) -> bool:
        """Go back to the newest whole checkpoint; False where there is none yet."""
        found = checkpoint.latest(self.folder.checkpoints)
        if found is None:
            return False
        tensors, state, problems = found
        for problem in problems:
            self.screen.say(problem)
        own = f"rank{self.fabric.global_rank}."
        game = _under("game.", tensors) | _under(own, tensors)
        self.game.load_state_dict(game)
        self.average.game.load_state_dict(game | _under("average.", tensors))
        for name, optimizer in self._optimizers().items():
            checkpoint.restore_optimizer(f"optimizer.{name}", optimizer, tensors)
        self.step, self.seconds = state["step"], state["seconds"]
        if self.bound.kept:
            self.bound.total = state["total"]
        return True

    def save(self) -> None:
        tensors = self.tensors()
        if self.main:
            state = {"seconds": self.seconds, "total": self.bound.total}
            checkpoint.save(self.folder.checkpoints, self.step, tensors, state)

    # The run itself.

    def train(self) -> bool:
        """Play to the bound, and write the model. False where the user stopped it before that."""
        self.logbook = Logbook(self.folder.path, self.step) if self.main else None
        self._sheet()
        self.screen.start()
        try:
            with interrupts() as interrupted:
                stopped = self._play(interrupted)
        finally:
            self.screen.stop()
            if self.logbook is not None:
                self.logbook.close()
        self.save()
        self._sheet()
        if self.main:
            self._write_model()
        self.fabric.barrier()
        return not stopped

    def _play(self, interrupted: Callable[[], bool]) -> bool:
        """Play on until the bound, with a look at the clock now and then. True where interrupted."""
        clock = Clock(self.fabric, self.settings.save_every, self.step, self.seconds)
        while not self.bound.over(self.step, self.seconds):
            total = self.bound.total
            for record in self._steps():
                self.step = record.number
                self.average.update(self.step, self.recipe.batch)
                if self.logbook is not None:
                    self.logbook.add(record)
                if self.step >= clock.next:
                    orders = clock.look(self.step, self.bound, interrupted())
                    self.seconds = orders.seconds
                    self._report(clock, orders)
                    if orders.save:
                        self.save()
                    if orders.stop:
                        return True
                    if total != self.bound.total or self.bound.over(self.step, self.seconds):
                        break
        return False

    def _steps(self) -> Iterator[Step]:
        """The steps from here to the end of the present phase, with phases stretched to the bound."""
        total = self.bound.total or ENDLESS
        whole = sum(phase.share for phase in self.phases)
        end = 0.0
        for i, phase in enumerate(self.phases):
            begin, end = end, end + phase.share / whole
            last = total if i == len(self.phases) - 1 else round(end * total)
            if self.step < last:
                first = round(begin * total)
                yield from play(
                    self.game, phase.players, self.deal, self.fabric, last, start=self.step,
                    first=first, seeds=self.seeds, accumulate=self.recipe.accumulate,
                )  # fmt: skip
                return

    # What people see.

    def _report(self, clock: Clock, orders: Orders) -> None:
        """Write and show how the run stands.

        Raises:
            InputError: where a loss is no longer finite.
        """
        if self.logbook is None:
            return
        total = self.bound.total
        if orders.log:
            samples, speed = self.step * self.recipe.batch, self.recipe.batch / clock.pace
            means = self.logbook.means()
            numbers = {"kimg": samples / 1000, "seconds": round(self.seconds, 2), "speed": round(speed, 1)}
            self.logbook.write(self.step, numbers | means)
            left = None if total is None else (total - self.step) * clock.pace
            self._line = line(samples, speed, left, means)
            broken = [name for name, value in means.items() if not math.isfinite(value)]
            if broken:
                raise InputError(
                    f"{broken[0]} is no longer finite at step {self.step}; the last checkpoint is from before: "
                    "start anew with a lower lr or another recipe"
                )
        self.screen.show(self.step, total, self._line)
        if total is not None and self.step * SHEETS // total > self._sheets and self.seconds - self._shown_at > PAUSE:
            self._sheets, self._shown_at = self.step * SHEETS // total, self.seconds
            self._sheet()

    def _sheet(self) -> None:
        """Samples from the same latents each time, by the averaged weights."""
        if not self.main:
            return
        path = self.folder.samples / f"{self.step:09}.png"
        with beside(path) as part:
            self._shown().preview().save(part, "PNG")

    @torch.no_grad()
    def _shown(self) -> Samples:
        many = 2500 if self.modality.kind == "points" else SHOWN
        label = None
        if self.game.classes:
            many = self.game.classes * max(1, SHOWN // self.game.classes)
            label = torch.arange(many, device=self.fabric.device) % self.game.classes
        reseed(self.seeds.key("sheet"), self.fabric.device)
        z = self.game.draw(many, self.fabric.device)
        items = self.modality.decode(self.average.game.generate(z, label))
        return Samples(items, None if label is None else label.cpu().numpy(), self.modality)

    def _write_model(self) -> None:
        device = self.settings.device
        about = {
            "data": self.settings.data,
            "name": self.settings.name,
            "items": self.settings.items,
            "fingerprint": self.settings.fingerprint,
            "step": self.step,
            "seconds": round(self.seconds, 1),
            "device": device,
            "precision": self.settings.precision,
            "seed": self.settings.seed,
            "parameters": {name: sum(p.numel() for p in net.parameters()) for name, net in self.game.named_children()},
            "sparring": sparring.__version__,
            "torch": torch.__version__,
        }
        game = self.recipe.game(self.modality)
        game.load_state_dict(self.game.state_dict())
        for name in self.game.averaged:
            getattr(game, name).load_state_dict(getattr(self.average.game, name).state_dict())
        Model(self.recipe, self.modality, game, about).save(self.folder.model, force=True)
        newest = Path("samples") / f"{self.step:09}.png"
        text = card(self.recipe, self.modality, about, str(self.folder.path), str(newest))
        write_bytes(self.folder.card, text.encode())


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
