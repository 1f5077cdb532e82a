"""One run on one rank: plays the game, averages weights and saves checkpoints."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import torch
from torch import Tensor

from sparring.console import Screen
from sparring.data.dataset import Dataset
from sparring.errors import InputError
from sparring.evaluation.ranks import Ranks
from sparring.layers.recompute import recompute_blocks
from sparring.loop import Deal, Player, Step, play, take_turns
from sparring.memory import memory
from sparring.modalities import Modality
from sparring.model.stored import reading
from sparring.recipes.base import Phase, Recipe
from sparring.runs.folder import RunFolder
from sparring.seeds import Seeds, reseed
from sparring.shards import ShardBuffers
from sparring.training import checkpoint
from sparring.training.average import Average
from sparring.training.bounds import MAX_FINISH, Bound
from sparring.training.clock import Clock, Orders
from sparring.training.dealer import dealer
from sparring.training.graphs import taker
from sparring.training.interrupts import interrupts
from sparring.training.plan import ENDLESS, Plan, PlanFile, PlanRecord
from sparring.training.private import PrivateSteps
from sparring.training.publish import publish
from sparring.training.reserve import Reserve
from sparring.training.scored_samples import ScoredSamples
from sparring.training.settings import Settings, shard_size
from sparring.training.sizes import WEIGHT_COPIES
from sparring.training.threads import Threads
from sparring.training.watch import Verdict, Watch
from sparring.training.writer import CheckpointWriter

if TYPE_CHECKING:
    from lightning_fabric import Fabric


ROLLBACK_FACTOR = 0.3  # of the learning rate after a rollback
OLD_RANK = re.compile(r"rank\d+\.")  # of tensors of a rank, which version 0.1 stored
MAX_ROLLBACKS = 100  # that a checkpoint may count: the learning rate is 0 long before


class State(TypedDict):
    """What a checkpoint holds besides tensors."""

    step: int
    seconds: float
    salt: int
    plan: NotRequired[PlanRecord]
    scored: NotRequired[int]  # the step of the last score
    total: NotRequired[int | None]  # of version 0.1, which stored the number of steps alone


class Run:
    """A run on one rank."""

    def __init__(
        self,
        recipe: Recipe[Any],
        modality: Modality,
        data: Dataset,
        folder: RunFolder,
        settings: Settings,
        bound: Bound,
        fabric: Fabric,
        screen: Screen,
    ) -> None:
        self.recipe, self.modality, self.folder, self.settings = recipe, modality, folder, settings
        self.bound, self.fabric, self.screen = bound, fabric, screen
        here = fabric.device if data.fits else torch.device("cpu")
        moved = {name: t.to(here) if isinstance(t, Tensor) else t for name, t in data.tensors.items()}
        self.data = replace(data, tensors=moved)
        self.main = fabric.global_rank == 0
        self.step, self.seconds, self.salt, self.scored = 0, 0.0, 0, 0
        self.watch: Watch | None = None
        self.threads: Threads | None = None
        self.reserve, self.plans, self.writer = Reserve(), PlanFile(folder.plan), CheckpointWriter()
        with torch.random.fork_rng([]):
            reseed(Seeds(settings.seed).key("initial weights"), torch.device("cpu"))
            self.game = recipe.build(modality, WEIGHT_COPIES, memory(fabric.device))
        self.game.to(fabric.device)
        self.own = {name: module for name, module in self.game.named_modules() if isinstance(module, ShardBuffers)}
        for module in self.own.values():
            module.split(recipe.shards // fabric.world_size)
        self.phases: list[Phase] = recipe.played(self.game)
        self.average = Average(self.game, recipe.ema_kimg * 1000, recipe.ema_ramp)
        ranks = Ranks(fabric if fabric.world_size > 1 else None)
        # Unsalted: scores are always those of the same latents.
        self.scored_samples = ScoredSamples(modality, self.data, Seeds(settings.seed), fabric.device, ranks)
        self.private = None if settings.privacy is None else PrivateSteps(settings.privacy, folder.privacy, self.main)
        self.seeds = self._seeds()
        self.deal = self._dealer()
        self.take = taker(recipe, fabric, screen.say) if self.private is None else take_turns
        if self.private is not None:
            self.private.protect(self.game, self.players())
        if recipe.recompute:  # after the average, which keeps no activations, has been copied
            recompute_blocks(self.game)

    def _seeds(self) -> Seeds:
        """The root of the random numbers of all steps. A private run's are secret: with known ones, the latents that a
        record is compared with would depend on which others are in its batch.
        """
        return Seeds(self.settings.seed if self.private is None else self.private.source.key(), self.salt)

    def _dealer(self) -> Deal:
        size, shards = shard_size(self.recipe), self.recipe.shards
        if self.private is not None:
            return self.private.dealer(self.modality, self.data, shards, self.fabric.device)
        return dealer(self.modality, self.data, size, shards, self.seeds, self.fabric.device)

    # Saving and restoring.

    def tensors(self) -> dict[str, Tensor]:
        """Everything that lasts from step to step, whatever the number of ranks."""
        for module in self.own.values():
            module.use(0)
        tensors = {f"game.{name}": tensor for name, tensor in self.game.state_dict().items()}
        tensors |= {f"average.{name}": tensor for name, tensor in self.average.tensors().items()}
        for name, optimizer in self._optimizers().items():
            tensors |= checkpoint.optimizer_tensors(f"optimizer.{name}", optimizer)
        if self.recipe.shards > 1:
            for name, module in self.own.items():
                for shard, buffers in enumerate(module.of_all(self.fabric)):
                    tensors |= {f"shard{shard}.{name}.{key}": buffer for key, buffer in buffers.items()}
        return tensors

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """Each optimizer under the name of the first player that uses it."""
        names: dict[int, tuple[str, torch.optim.Optimizer]] = {}
        for i, phase in enumerate(self.phases):
            for player in phase.players:
                names.setdefault(id(player.optimizer), (f"{i}.{player.name}", player.optimizer))
        return dict(names.values())

    def restore(self) -> bool:
        """Restore the newest intact checkpoint. False if there is none yet."""
        self.writer.wait()
        found = checkpoint.latest_for_all(self.folder.checkpoints, State, self.fabric)
        if self.private is not None:
            self.private.ledger.share(self.fabric, 0 if found is None else found[1]["step"])
        if found is None:
            return False
        tensors, state, problems = found
        for problem in problems:
            self.screen.say(problem)
        with reading(self.folder.checkpoints):
            self._load(tensors)
        self.step, self.seconds = state["step"], state["seconds"]
        self._restore_plan(state)
        for name, value, most in (
            ("step", self.step, ENDLESS),
            ("salt", state["salt"], MAX_ROLLBACKS),
            ("seconds", self.seconds, sys.float_info.max),
        ):
            if not 0 <= value <= most:
                raise InputError(f"{self.folder.checkpoints} is damaged: its {name} is {value}; --force starts anew")
        self._salted(state["salt"])
        return True

    def _load(self, tensors: Mapping[str, Tensor]) -> None:
        game = _under("game.", tensors)
        self.average.game.load_state_dict(game | _under("average.", tensors))  # it shares what is not averaged
        mine = self.recipe.shards // self.fabric.world_size
        for i in reversed(range(mine if self.own else 1)):
            shard = self.fabric.global_rank * mine + i
            for module in self.own.values():
                module.use(i)
            own = _under(f"shard{shard}.", tensors) or before_shards(shard, self.recipe.shards, tensors)
            self.game.load_state_dict(game | own)
        for name, optimizer in self._optimizers().items():
            checkpoint.restore_optimizer(f"optimizer.{name}", optimizer, tensors)

    def _restore_plan(self, state: State) -> None:
        """Continue the plan of a checkpoint, with those that were made after it, or begin that of a new bound."""
        self.scored = state.get("scored", self.step)
        if not self.bound.kept:
            self.bound.resume(self.step, self.seconds)
            if self.main:
                self.plans.forget(self.step)
            return
        if "plan" in state:
            self.bound.plan = Plan(**state["plan"])
        elif (total := state.get("total")) is not None:
            self.bound.plan = Plan(total=total)
        self.bound.recorded = self.plans.after(self.step)

    def save(self) -> None:
        """Begin to write a checkpoint, unless some weight is not finite."""
        if self.private is not None:
            self.private.ledger.settle()
        tensors = self.tensors()
        if self.main:
            plan = {"plan": asdict(self.bound.plan), "scored": self.scored}
            state = {"seconds": self.seconds, "salt": self.salt, **plan}
            self.writer.save(self.folder.checkpoints, self.step, tensors, state)

    def save_and_wait(self) -> None:
        """Write a checkpoint while nothing else is done, as after the last step."""
        self.writer.wait()
        with self.reserve.measured("checkpoint"):
            self.save()
            self.writer.wait()

    def _salted(self, salt: int) -> None:
        """Continue with other random numbers, and a lower learning rate for each rollback."""
        for _ in range(salt - self.salt):
            for optimizer in self._optimizers().values():
                for group in optimizer.param_groups:
                    group["lr"] *= ROLLBACK_FACTOR
            for player in self.players():
                if player.schedule is not None:
                    player.schedule = partial(_slower, player.schedule)
        if salt != self.salt:
            self.salt = salt
            self.seeds = self._seeds()
            self.deal = self._dealer()

    def players(self) -> list[Player]:
        """The players of all phases."""
        return [player for phase in self.phases for player in phase.players]

    @property
    def device(self) -> torch.device:
        return self.fabric.device

    @property
    def spent(self) -> int:
        """Moves of D that the privacy budget has paid for; 0 if the run is not private."""
        return 0 if self.private is None else self.private.ledger.moves

    @property
    def progress(self) -> float:
        """The part of the plan that has been played, in [0, 1]."""
        return self.bound.plan.at(self.step)

    @property
    def last_phase(self) -> bool:
        """True while the last phase is played."""
        return self.step >= self.bound.plan.step_at(self._ends()[-2])

    def _ends(self) -> list[float]:
        """Progress of the run at the end of each phase, after 0."""
        whole = sum(phase.share for phase in self.phases)
        return [sum(phase.share for phase in self.phases[:i]) / whole for i in range(len(self.phases) + 1)]

    # The run itself.

    def train(self, ending: Callable[[], bool] = lambda: False) -> bool:
        """Train to the bound and write the model. False if the run was stopped before.

        Args:
            ending: whether to stop it; Ctrl-C and SIGTERM do, too.
        """
        clock = Clock(self.fabric, self.recipe.batch, self.settings.save_every, self.step, self.seconds, self.scored)
        if self.main:
            self.watch = Watch(self)
            self.watch.sheet()
            self._reserve_finish()
            self._choose_threads(self.watch)
        with self.writer:
            with interrupts() as interrupted:
                if self.step == 0:
                    self.save_and_wait()  # so that the run can be rolled back from the first step on
                self.screen.start()
                try:
                    stopped = self._play(clock, lambda: bool(interrupted()) or ending())
                finally:
                    self.screen.stop()
                    if self.watch is not None:
                        self.watch.logbook.close()
                    if self.data.records is not None:
                        self.data.records.close()
            self.save_and_wait()
        if self.watch is not None:
            scores = self.watch.finish()
            self.scored_samples.end(None)
            publish(self, scores, self.watch.problems, stopped, clock)
        else:
            self.scored_samples.help(self.average.game)
        self.seconds = clock.seconds
        self.fabric.barrier()
        return not stopped

    def _choose_threads(self, watch: Watch) -> None:
        """Let the number of threads be chosen, unless the weights are not to depend on the number of ranks."""
        alone = self.fabric.world_size == 1 and self.device.type == "cpu"
        if alone and not self.settings.threads and Threads.chosen():
            self.threads = Threads(self.folder.threads, watch.generate)
            (self.threads.restore if self.bound.kept else self.threads.back_to)(self.step)

    @property
    def threads_used(self) -> list[tuple[int, int]]:
        """Each number of threads of this rank on a CPU, after the step from which on it was used."""
        if self.device.type != "cpu":
            return []
        if self.threads is None:
            return [(0, torch.get_num_threads())]
        return [(0, self.threads.all), *((each["step"], each["threads"]) for each in self.threads.changes)]

    def _reserve_finish(self) -> None:
        """Estimate how long preparing the trained game will take."""
        if self.bound.time is not None:
            with self.reserve.measured("game"):
                game = self.recipe.game(self.modality).eval()
            least, usual = self.recipe.finish_seconds(game, self.modality)
            self.reserve.set("finish", max(least, min(usual, MAX_FINISH * self.bound.time)))

    def _play(self, clock: Clock, interrupted: Callable[[], bool]) -> bool:
        """Play until the bound, checking the clock from time to time. True if interrupted."""
        clock.go_on()
        while not self.bound.over(self.step):
            if self._spent():
                self.screen.say(f"stopped at step {self.step}: the privacy budget is spent")
                return False
            plan = self.bound.plan
            for record in self._steps():
                self.step = record.number
                self.average.update(self.step, self.recipe.batch)
                self.writer.check()
                if self.watch is not None:
                    self.watch.logbook.add(record)
                if self.threads is not None:
                    self.threads.follow(self.step)
                if self.step >= clock.next:
                    self.bound.reserve = self.reserve.seconds
                    orders = clock.look(self.step, self.bound, interrupted())
                    self.seconds, self.scored = orders.seconds, clock.scored
                    if orders.replanned and self.main:
                        self.plans.add(orders.plan, orders.seconds)
                    verdict = self._look(clock, orders)
                    if verdict.action == "back":
                        self._roll_back(verdict.why)
                        clock.back_to(self.step)
                        break
                    if orders.save:
                        (self.save_and_wait if orders.rehearse else self.save)()
                    if orders.stop:
                        return True
                    if verdict.action == "stop":
                        self.screen.say(f"stopped at step {self.step}: {verdict.why}")
                        return False
                    if self.threads is not None and (changed := self.threads.look(self.step, clock.pace)):
                        self.screen.say(changed)
                    clock.go_on()
                    if self.bound.plan is not plan or self.bound.over(self.step):
                        break
                if self._spent():
                    break
        return False

    def _spent(self) -> bool:
        """True if the privacy budget allows no further step."""
        return self.private is not None and not self.private.allows(self.players())

    def _look(self, clock: Clock, orders: Orders) -> Verdict:
        """The verdict of the first rank's watch, on all ranks. The others help it to score samples meanwhile."""
        if self.watch is None:
            given: Verdict = self.scored_samples.help(self.average.game)
            return given
        verdict = self.watch.report(clock, orders)
        self.scored_samples.end(verdict)
        return verdict

    def _roll_back(self, why: str) -> None:
        """Restore the last checkpoint, once, and continue with other random numbers and a lower learning rate.

        Raises:
            InputError: if the run was rolled back before.
        """
        seconds, step = self.seconds, self.step
        if self.salt:
            raise InputError(f"stopped at step {step}: {why}; the last checkpoint is from before that")
        self.restore()
        self._salted(self.salt + 1)
        self.seconds = seconds
        if self.bound.time is not None:
            self.bound.recorded.clear()  # they led to the numbers that are not finite
            if self.main:
                self.plans.forget(self.step)
        self.save_and_wait()
        if self.threads is not None:
            self.threads.back_to(self.step)
        if self.watch is not None:
            self.watch.back_from(step)

    def _steps(self) -> Iterator[Step]:
        """The steps from here to the end of the current phase; phases stretch to the bound."""
        plan, ends = self.bound.plan, self._ends()
        for phase, begin, end in zip(self.phases, ends, ends[1:], strict=True):
            last = plan.total if phase is self.phases[-1] else plan.step_at(end)
            if self.step < last:
                yield from play(
                    self.game, phase.players, self.deal, self.fabric, last, start=self.step,
                    progress=partial(_phase_progress, plan, begin, end), seeds=self.seeds,
                    shards=self.recipe.shards, exact=self.settings.exact, take=self.take,
                )  # fmt: skip
                return


def before_shards(shard: int, shards: int, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What version 0.1 stored for the rank that played a shard, each of which played equally many."""
    ranks = len({name.partition(".")[0] for name in tensors if OLD_RANK.match(name)})
    return _under(f"rank{shard * ranks // shards}.", tensors)


def _phase_progress(plan: Plan, begin: float, end: float, step: int) -> float:
    """Progress, in [0, 1], of the phase between two values of the run's progress."""
    return min(1.0, max(0.0, (plan.at(step) - begin) / (end - begin)))


def _slower(schedule: Callable[[float], Mapping[str, object]], progress: float) -> Mapping[str, object]:
    settings = dict(schedule(progress))
    if isinstance(lr := settings.get("lr"), float):
        settings["lr"] = lr * ROLLBACK_FACTOR
    return settings


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}
