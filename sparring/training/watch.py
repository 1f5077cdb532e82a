"""Everything that observes a run during training: log, console, sheets, score, health, early stopping."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypedDict

import torch
from PIL import Image
from torch import Tensor

from sparring.console import line
from sparring.data.tensors import CONDITION, Tensors, move
from sparring.errors import InputError
from sparring.files import append_line, atomic_path, write_bytes
from sparring.loop import Player
from sparring.metrics.results import Finding
from sparring.runs.curves import curves
from sparring.runs.logbook import Logbook, read_log
from sparring.runs.problems import problem_entry, read_problems, rollback_entry
from sparring.seeds import Seeds, reseed
from sparring.sheets import animation
from sparring.training import checkpoint
from sparring.training.bounds import MAX_SCORE
from sparring.training.clock import Clock, Orders
from sparring.training.health import Health, not_finite
from sparring.training.score import Scorer
from sparring.training.scored_samples import MAX_PAIRS, MAX_SCORED
from sparring.training.until import Until
from sparring.training.view import RunView

SHEETS = 16  # sheets of a run, evenly spread over its steps
MIN_SECONDS_BETWEEN_SHEETS = 3.0
MAX_SHEET_TIME = 0.05  # fraction of the training time that sheets may take
MIN_STEPS_BETWEEN_DIVERSITY = 100
MAX_DIVERSITY_TIME = 0.04  # fraction of the training time that measuring diversity may take
# The best weights replace the last ones if the last score exceeds 1.1 times the best one plus 3 floors. Scores of a few
# hundred samples vary by about a floor, and mean nothing below it.
RESTORE_FACTOR = 1.1
RESTORE_FLOORS = 3.0
SCORED = MAX_SCORED + 2 * MAX_PAIRS  # samples of a score and of the diversity
MIN_SECONDS = 3.0  # before the first score and the first diversity


@dataclass(frozen=True)
class Verdict:
    """What to do after the state of the run has been reported.

    Attributes:
        action: continue ("on"), stop successfully ("stop"), or restore the last checkpoint ("back").
        why: the reason, for the user.
    """

    action: Literal["on", "stop", "back"]
    why: str = ""


class BestState(TypedDict):
    """What the checkpoint of the best weights holds besides them."""

    step: int
    score: float


class Watch:
    """Watches a run on its first rank. Its random numbers and computations do not affect the run.

    Args:
        run: the run that is watched.
    """

    def __init__(self, run: RunView) -> None:
        self.run = run
        self.seeds = Seeds(run.settings.seed)  # unsalted: all sheets show the same latents
        self.logbook = Logbook(run.folder.path, run.step)
        self.problems = read_problems(run.folder.health)  # of a resumed run
        self._spent, self._began = 0.0, run.seconds
        self._generation = 0.0  # seconds to generate a sample, when a sheet was drawn
        self._restart()

    def _restart(self) -> None:
        """Start counting at the run's current step."""
        run = self.run
        checkpoint.forget(run.folder.best, run.step)
        self._lowest: float | None = None  # the best score so far; None before it is read
        self._line, self._sheets, self._sheet_time = "", self._sheet_number, 0.0
        self._diversity_step = run.step
        self.health = Health(self.named, vars(run.recipe))
        self.until = Until(run.settings.until)
        for entry in read_log(run.folder.log):
            self.until.met({"fid": entry[self._fid]} if self._fid in entry else {})

    @cached_property
    def scorer(self) -> Scorer:
        return Scorer(self.run.scored_samples)

    @property
    def named(self) -> list[str]:
        """Names of the problems that have been reported."""
        return [str(entry["problem"]) for entry in self.problems if "problem" in entry]

    def report(self, clock: Clock, orders: Orders) -> Verdict:
        """Log and show the state of the run, and decide how to continue."""
        run, total = self.run, self.run.bound.total
        verdict = Verdict("on")
        if orders.log:
            samples, speed = run.step * run.recipe.batch, run.recipe.batch / clock.pace
            means = self.logbook.means()
            left = None if total is None else (total - run.step) * clock.pace
            self._line = line(samples, speed, left, means)
            numbers = {"kimg": samples / 1000, "seconds": round(run.seconds, 2), "speed": round(speed, 1)}
            metrics = means | self._state()
            broken = [name for name, value in metrics.items() if not math.isfinite(value)]
            if not broken:
                metrics |= self._measure_samples(orders.score, orders.rehearse)
            named = {self._fid if k == "fid" else k: v for k, v in metrics.items()}
            self.logbook.write(run.step, numbers | named)
            if broken:
                return self._broken(broken[0], metrics[broken[0]])
            verdict = self._check(metrics)
        run.screen.show(run.step, total, self._line)
        if self._sheet_number > self._sheets and self._sheet_due():
            self._sheets, self._sheet_time = self._sheet_number, run.seconds
            self.sheet()
        if orders.rehearse:
            self._draw_log()
        return verdict

    @property
    def _sheet_number(self) -> int:
        return int(self.run.progress * SHEETS)

    def _sheet_due(self) -> bool:
        apart = max(MIN_SECONDS_BETWEEN_SHEETS, self.run.reserve.of("sheet") / MAX_SHEET_TIME)
        return self.run.seconds - self._sheet_time > apart

    def _check(self, metrics: Mapping[str, float]) -> Verdict:
        """Report new problems, and stop if that was asked for."""
        clipped = dict(metrics)
        if "fid" in metrics:  # scores below a few floors do not differ
            clipped["fid"] = max(metrics["fid"], RESTORE_FLOORS * self.scorer.floor)
        for problem in self.health.note(self.run.step, clipped):
            self._report_problem(problem)
        why = self.until.met(metrics)
        return Verdict("stop", why) if why else Verdict("on")

    def _broken(self, name: str, value: float) -> Verdict:
        problem = not_finite(name, value)
        self._report_problem(problem)
        return Verdict("back", str(problem))

    def _report_problem(self, problem: Finding) -> None:
        self.run.screen.say(f"step {self.run.step}: {problem}")
        self._record(problem_entry(self.run.step, problem))

    def _record(self, entry: dict[str, object]) -> None:
        self.problems.append(entry)
        append_line(self.run.folder.health, json.dumps(entry))

    def _state(self) -> dict[str, float]:
        """Gradient norm / weight norm of every optimizer, and the state of adaptive parts."""
        found = {name: float(value) for name, value in self.run.game.state_metrics().items()}
        optimizers: dict[int, Player] = {}
        for player in self.run.players():
            optimizers.setdefault(id(player.optimizer), player)
        for player in optimizers.values():
            gradients = [w.grad for w in player.weights if w.grad is not None]
            if gradients:
                found[f"gradient_{player.name}"] = float(_norm(gradients) / _norm(list(player.weights)))
        return found

    def _measure_samples(self, score_due: bool, rehearse: bool) -> dict[str, float]:
        """The score of the samples when it is due, and their diversity when there is time. Both are measured at least
        once, to know how long they will take in the end.
        """
        run, metrics = self.run, dict[str, float]()
        watched = run.seconds - self._began
        affordable = watched >= MIN_SECONDS and self._spent <= MAX_DIVERSITY_TIME * watched
        diversity_due = affordable and run.step >= self._diversity_step + MIN_STEPS_BETWEEN_DIVERSITY
        score_due = score_due or (rehearse and "score" not in run.reserve)
        diversity_due = diversity_due or (rehearse and "diversity" not in run.reserve)
        if not (score_due or diversity_due) or not self._scores_samples:
            return metrics
        began = time.monotonic()
        if score_due:
            metrics["fid"] = self._score()
        if diversity_due:
            self._diversity_step = run.step
            metrics["diversity"] = self._diversity()
        self._spent += time.monotonic() - began
        return metrics

    @property
    def _scores_samples(self) -> bool:
        """True if there are enough items to compare with, and a score does not take too much of the run's time. A
        private run publishes nothing that is computed from real items.
        """
        time = self.run.bound.time
        return (
            self.run.settings.privacy is None
            and self.scorer.possible
            and (time is None or SCORED * self._generation <= MAX_SCORE * time)
        )

    def _diversity(self) -> float:
        with self.run.reserve.measured("diversity"):
            return self.scorer.diversity(self.run.average.game)

    def _score(self) -> float:
        """The score of the averaged weights. In the last phase, the best ones so far are saved; earlier phases play a
        different game.
        """
        run = self.run
        with run.reserve.measured("score"):
            score = self.scorer.score(run.average.game)
        if run.last_phase:
            if self._lowest is None:
                self._lowest = self._best()[0]
            better = score < self._lowest
            if better and run.writer.save(run.folder.best, run.step, run.average.tensors(), {"score": score}):
                self._lowest = score
        return score

    def _best(self) -> tuple[float, int, dict[str, Tensor]]:
        """The best score so far, its step and its weights; infinity if there are none, or they are damaged."""
        found = None
        self.run.writer.wait()
        with suppress(InputError):
            found = checkpoint.latest(self.run.folder.best, BestState)
        return (math.inf, 0, {}) if found is None else (found[1]["score"], found[1]["step"], found[0])

    def sheet(self) -> None:
        """Draw samples of the averaged weights, from the same latents each time."""
        with self.run.reserve.measured("sheet"):
            picture = self._draw_sheet()
            with atomic_path(self.run.folder.samples / f"{self.run.step:09}.png") as part:
                picture.save(part, "PNG")
            self.logbook.picture(self.run.step, picture)

    def _draw_sheet(self) -> Image.Image:
        return self.run.modality.draw_batch(*self.generate())

    @torch.no_grad()
    def generate(self) -> tuple[Tensors, Tensors]:
        """The samples of a sheet, and what they are generated for."""
        run = self.run
        given = self._sheet_batch()
        reseed(self.seeds.key("sheet"), run.device)
        condition = given.get(CONDITION)
        z = run.game.draw(run.modality.preview_items if condition is None else len(condition), run.device)
        began = time.monotonic()
        samples = run.average.game.generate(z, condition)
        self._generation = (time.monotonic() - began) / len(z)
        return samples, given

    def _sheet_batch(self) -> dict[str, Tensor]:
        """What a sheet's samples are generated for: always the same conditions, or held-out items if there are any."""
        run = self.run
        device, many = run.device, run.modality.preview_items
        reseed(self.seeds.key("shown"), device)
        if run.modality.source is not None:
            known = torch.cat([run.data.held.cpu(), run.data.train.cpu()])
            first = len(run.data.held) or len(known)
            rows = known[:first][torch.linspace(0, first - 1, min(many, first)).long()]
            return run.modality.batch(move(run.data.items(rows), device))
        condition = run.modality.preview_conditions(many, run.game.classes, device)
        return {} if condition is None else {CONDITION: condition}

    def back_from(self, step: int) -> None:
        """Record a rollback, and discard what came after the checkpoint."""
        run = self.run
        self.logbook.close()
        self.logbook = Logbook(run.folder.path, run.step)
        for path in run.folder.sheets():
            if int(path.stem) > run.step:
                path.unlink()
        self._record(rollback_entry(step, run.step, run.salt))
        self._restart()
        run.screen.say(
            f"rolled back from step {step} to {run.step}, with other random numbers and a lower learning rate"
        )

    def finish(self) -> dict[str, float]:
        """Restore the best weights if they are clearly better than the last ones; write the last sheet, the curves and
        a film of all sheets.

        Returns:
            The last score, its floor and the diversity; nothing if the run was too short.
        """
        average = self.run.average
        scores: dict[str, float] = {}
        best, step, weights = self._best()
        if (self.run.seconds >= MIN_SECONDS or weights) and self._scores_samples:
            scores = {"fid": self.scorer.score(average.game), "floor": self.scorer.floor}
            if scores["fid"] > RESTORE_FACTOR * best + RESTORE_FLOORS * scores["floor"]:
                last, scores["fid"], scores["step"] = scores["fid"], best, step
                average.restore(weights)
                self.run.screen.say(
                    f"the model has the weights of step {step}: {self._fid} {best:.3g}, at last {last:.3g}"
                )
            scores["diversity"] = self.scorer.diversity(average.game, together="step" not in scores)
        self.sheet()
        self._draw_log(scores.get("floor"))
        return scores

    def _draw_log(self, floor: float | None = None) -> None:
        """Draw the curves of the log, and a film of all sheets."""
        folder, reserve = self.run.folder, self.run.reserve
        sheets = folder.sheets()
        in_the_end = min(SHEETS + 1, 1 + len(sheets) / max(self.run.progress, 1 / SHEETS))
        try:
            if folder.log.exists():
                with reserve.measured("curves"):
                    write_bytes(folder.curves, curves(read_log(folder.log), floor))
            with reserve.measured("film", times=in_the_end / max(1, len(sheets))):
                write_bytes(folder.progress, animation(sheets))
        except (InputError, OSError) as error:  # somebody has changed the files; the model is still written
            self.run.screen.say(f"the curves or the animation are left out: {error}")

    @property
    def _fid(self) -> str:
        return f"fid[{self.run.modality.features_name}]"


def _norm(tensors: list[Tensor]) -> Tensor:
    norms: Tensor = torch.stack(torch._foreach_norm(tensors)).norm()
    return norms
