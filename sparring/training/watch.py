"""Everything that looks on while a run is trained: log, screen, sheets, judge, health, the end by `until`."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import torch
from PIL import Image
from torch import Tensor

from sparring.console import line
from sparring.data.tensors import CONDITION, move
from sparring.errors import InputError
from sparring.files import append_line, beside, write_bytes
from sparring.loop import Player
from sparring.metrics.results import Finding
from sparring.runs.curves import curves
from sparring.runs.logbook import Logbook
from sparring.seeds import Seeds, reseed
from sparring.sheets import animation
from sparring.training import checkpoint
from sparring.training.bounds import ENDLESS
from sparring.training.clock import Clock, Orders
from sparring.training.health import Health, not_finite
from sparring.training.score import Judge
from sparring.training.until import Until

if TYPE_CHECKING:
    from sparring.training.run import Run

SHEETS = 16  # sheets of a run, spread over its steps
PAUSE = 3.0  # seconds between sheets, at least
APART = 100  # steps between looks at the diversity, at least
PRICE = 0.04  # share of the time that looking at the diversity may take
CLEARLY = 1.1  # times the best score, and so many floors more: what the last one must exceed for the model to get
BEYOND = 3.0  # the best weights. Scores of a few hundred samples waver by a floor, and below it they say nothing.
CALM = 3.0  # seconds before the first look


@dataclass(frozen=True)
class Verdict:
    """What is to be done after a look.

    Attributes:
        action: go on; stop, all being well; or go back to the last checkpoint.
        why: in words.
    """

    action: Literal["on", "stop", "back"]
    why: str = ""


class Watch:
    """Watches a run on its first rank. What it draws and computes does not touch the run.

    Args:
        run: that is watched.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.seeds = Seeds(run.settings.seed)  # unsalted: sheets show the same latents all along
        self.logbook = Logbook(run.folder.path, run.step)
        self.troubles: list[dict[str, object]] = _lines(run.folder.health)  # of a run that goes on
        self._spent, self._began = 0.0, run.seconds
        self._afresh()

    def _afresh(self) -> None:
        """Count from the run's present step."""
        run, total = self.run, self.run.bound.total or ENDLESS
        checkpoint.forget(run.folder.best, run.step)
        self._line, self._sheets, self._shown_at = "", run.step * SHEETS // total, 0.0
        self._looked_at = run.step
        self.health = Health(self.named)
        self.until = Until(run.settings.until)
        for entry in _lines(run.folder.log):
            self.until.met({"fid": float(str(entry[self._fid]))} if self._fid in entry else {})

    @cached_property
    def judge(self) -> Judge:
        run = self.run
        return Judge(run.modality, run.data, self.seeds, run.fabric.device)

    @property
    def named(self) -> list[str]:
        """The troubles that have been told of."""
        return [str(entry["trouble"]) for entry in self.troubles if "trouble" in entry]

    def report(self, clock: Clock, orders: Orders) -> Verdict:
        """Write and show how the run stands, and say what is to be done."""
        run, total = self.run, self.run.bound.total
        verdict = Verdict("on")
        if orders.log:
            samples, speed = run.step * run.recipe.batch, run.recipe.batch / clock.pace
            means = self.logbook.means()
            left = None if total is None else (total - run.step) * clock.pace
            self._line = line(samples, speed, left, means)
            numbers = {"kimg": samples / 1000, "seconds": round(run.seconds, 2), "speed": round(speed, 1)}
            seen = means | self._state()
            broken = [name for name, value in seen.items() if not math.isfinite(value)]
            if not broken:
                seen |= self._looks(orders.score)
            named = {self._fid if k == "fid" else k: v for k, v in seen.items()}
            self.logbook.write(run.step, numbers | named)
            if broken:
                return self._broken(broken[0], seen[broken[0]])
            verdict = self._judged(seen)
        run.screen.show(run.step, total, self._line)
        if total is not None and run.step * SHEETS // total > self._sheets and run.seconds - self._shown_at > PAUSE:
            self._sheets, self._shown_at = run.step * SHEETS // total, run.seconds
            self.sheet()
        return verdict

    def _judged(self, seen: Mapping[str, float]) -> Verdict:
        # Of scores below a few floors, none is worse than another.
        told = {**seen, "fid": max(seen["fid"], BEYOND * self.judge.floor)} if "fid" in seen else seen
        for trouble in self.health.note(self.run.step, told):
            self._tell(trouble)
        why = self.until.met(seen)
        return Verdict("stop", why) if why else Verdict("on")

    def _broken(self, name: str, value: float) -> Verdict:
        trouble = not_finite(name, value)
        self._tell(trouble)
        return Verdict("back", str(trouble))

    def _tell(self, trouble: Finding) -> None:
        step = self.run.step
        self.run.screen.say(f"step {step}: {trouble}")
        entry = {"step": step, "trouble": trouble.name, "seen": trouble.seen, "advice": trouble.advice}
        self.troubles.append(entry)
        append_line(self.run.folder.health, json.dumps(entry))

    def _state(self) -> dict[str, float]:
        """Gradients by their weights, and what adapts itself."""
        found = {name: float(value) for name, value in self.run.game.state_metrics().items()}
        optimizers: dict[int, Player] = {}
        for player in self.run.players():
            optimizers.setdefault(id(player.optimizer), player)
        for player in optimizers.values():
            gradients = [w.grad for w in player.weights if w.grad is not None]
            if gradients:
                found[f"gradient_{player.name}"] = float(_norm(gradients) / _norm(list(player.weights)))
        return found

    def _looks(self, due: bool) -> dict[str, float]:
        """The score of the samples where it is due, their diversity where there is time for it."""
        run, found = self.run, dict[str, float]()
        watched = run.seconds - self._began
        calm = watched >= CALM and self._spent <= PRICE * watched and run.step >= self._looked_at + APART
        if not (due or calm) or not self.judge.possible:
            return found
        began = time.monotonic()
        if due:
            found["fid"] = self._scored()
        if calm:
            self._looked_at = run.step
            found["diversity"] = self.judge.diversity(run.average.game)
        self._spent += time.monotonic() - began
        return found

    def _scored(self) -> float:
        """The score of the averaged weights, which are kept where there are none better yet in the last phase: what is
        learnt before is another game's.
        """
        run = self.run
        score = self.judge.score(run.average.game)
        if run.last_phase and score < self._best()[0]:
            checkpoint.save(run.folder.best, run.step, run.average.tensors(), {"score": score})
        return score

    def _best(self) -> tuple[float, int, dict[str, Tensor]]:
        """The best score so far, its step and its weights; infinite where there are none, or they are damaged."""
        found = None
        with suppress(InputError):
            found = checkpoint.latest(self.run.folder.best)
        return (math.inf, 0, {}) if found is None else (found[1]["score"], found[1]["step"], found[0])

    def sheet(self) -> None:
        """Samples from the same latents each time, by the averaged weights."""
        picture = self._shown()
        with beside(self.run.folder.samples / f"{self.run.step:09}.png") as part:
            picture.save(part, "PNG")
        self.logbook.picture(self.run.step, picture)

    @torch.no_grad()
    def _shown(self) -> Image.Image:
        run = self.run
        given = self._given()
        reseed(self.seeds.key("sheet"), run.fabric.device)
        condition = given.get(CONDITION)
        z = run.game.draw(run.modality.preview_items if condition is None else len(condition), run.fabric.device)
        return run.modality.draw_batch(run.average.game.generate(z, condition), given)

    def _given(self) -> dict[str, Tensor]:
        """What a sheet's samples are made for: always the same labels, or items, held-out ones first."""
        run = self.run
        device, many = run.fabric.device, run.modality.preview_items
        reseed(self.seeds.key("shown"), device)
        if run.modality.source is not None:
            known = torch.cat([run.data.held.cpu(), run.data.train.cpu()])
            first = len(run.data.held) or len(known)
            rows = known[:first][torch.linspace(0, first - 1, min(many, first)).long()]
            return run.modality.batch(move(run.data.items(rows), device))
        condition = run.modality.preview_conditions(many, run.game.classes, device)
        return {} if condition is None else {CONDITION: condition}

    def back_from(self, step: int) -> None:
        """Write down that the run has gone back, and forget what it has gone back from."""
        run = self.run
        self.logbook.close()
        self.logbook = Logbook(run.folder.path, run.step)
        for path in run.folder.samples.glob("*.png"):
            if int(path.stem) > run.step:
                path.unlink()
        entry: dict[str, object] = {"step": step, "back_to": run.step, "salt": run.salt}
        self.troubles.append(entry)
        append_line(run.folder.health, json.dumps(entry))
        self._afresh()
        run.screen.say(f"went back from step {step} to {run.step}, with other draws and a lower learning rate")

    def finish(self) -> dict[str, float]:
        """Take the best weights for the last where they are clearly better; the last sheet, the curves and the
        film of all sheets; and the last score with its floor, where the run was long enough for any.
        """
        folder, average = self.run.folder, self.run.average
        scores: dict[str, float] = {}
        best, step, weights = self._best()
        if (self.run.seconds >= CALM or weights) and self.judge.possible:
            scores = {"fid": self.judge.score(average.game), "floor": self.judge.floor}
            if scores["fid"] > CLEARLY * best + BEYOND * scores["floor"]:
                last, scores["fid"], scores["step"] = scores["fid"], best, step
                average.restore(weights)
                self.run.screen.say(
                    f"the model has the weights of step {step}: {self._fid} {best:.3g}, at last {last:.3g}"
                )
            scores["diversity"] = self.judge.diversity(average.game)
        self.sheet()
        if folder.log.exists():
            write_bytes(folder.curves, curves(folder.log, scores.get("floor")))
        write_bytes(folder.progress, animation(sorted(folder.samples.glob("*.png"))))
        return scores

    @property
    def _fid(self) -> str:
        return f"fid[{self.run.modality.features_name}]"


def _lines(path: Path) -> list[dict[str, object]]:
    """The entries of a file of JSON lines, none where there is no such file."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _norm(tensors: list[Tensor]) -> Tensor:
    norms: Tensor = torch.stack(torch._foreach_norm(tensors)).norm()
    return norms
