"""The models of a server, and their descriptions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from sparring.data.store import Progress
from sparring.deploy.serve.limits import MAX_NUMBERS, Limits
from sparring.deploy.serve.metrics import Metrics
from sparring.deploy.serve.negotiation import offers
from sparring.deploy.serve.worker import Draw, Job, Worker
from sparring.errors import InputError
from sparring.explore.space import Space
from sparring.files import resolved
from sparring.modalities import Samples
from sparring.model import Model, load
from sparring.provenance import Mark

PUBLIC_RECORD = ("step", "sparring", "torch")  # part of the training record: no paths or names of data
PATIENCE = 0.9  # of a request's time, after which the search for samples that satisfy conditions is given up,
EARLY = 0.1  # or after this part of it if it would take far longer, or other searches wait
FAR_LONGER = 2.0  # times its time


class Served:
    """A model with a name, a queue for samples, one for samples that are searched for because they must satisfy
    conditions, and one for uploads. Those of the last two take longer, and no other request waits for them.

    Args:
        name: in addresses.
        model: that is served.
        limits: of requests.
        metrics: that are updated.
        active: returns the number of requests that the server has not answered yet.
        mark: of all that the model generates; None for none.
    """

    def __init__(
        self,
        name: str,
        model: Model,
        limits: Limits,
        metrics: Metrics,
        active: Callable[[], int],
        mark: Mark | None = None,
    ) -> None:
        self.name, self.model, self.limits, self.metrics, self.mark = name, model, limits, metrics, mark
        self.samples = Worker(f"samples of {name}", model, limits, self._observe, active)
        self.searches = Worker(f"searches of {name}", model, limits, self._observe, active)
        self.uploads = Worker(f"uploads for {name}", model, limits, self._observe, active)
        metrics.queue.labels(name).set_function(lambda: sum(map(len, self._workers)))
        self._warm_up = Job(lambda _: self._run_once())

    @property
    def _workers(self) -> tuple[Worker, ...]:
        return self.samples, self.searches, self.uploads

    def worker(self, draw: Draw) -> Worker:
        """The worker for samples that a client requests."""
        return self.searches if draw.request.rules else self.samples

    def start(self) -> None:
        """Start the workers, and warm up unless that was done before."""
        for worker in self._workers:
            worker.start()
        if not self.ready:
            self._warm_up = Job(lambda _: self._run_once())
            self.samples.put(self._warm_up)

    def _observe(self, n: int) -> None:
        self.metrics.batch.labels(self.name).observe(n)
        self.metrics.samples.labels(self.name).inc(n)

    def _run_once(self) -> None:
        """Do the one-time work that the first request would have to wait for."""
        if self.does["apply"]:
            self.model.apply(self.model.modality.smallest_item(self.model.mapper()))
        else:
            self.model.sample(1, seed=0)

    @property
    def ready(self) -> bool:
        """True if it has been warmed up without an error."""
        future = self._warm_up.future
        return future.done() and not future.cancelled() and future.exception() is None

    @cached_property
    def does(self) -> dict[str, bool]:
        """For each route whether this model has it."""
        modality = self.model.modality
        from_noise = modality.source is None
        images = modality.classifier_input is not None
        invert = from_noise and images and self.model.game.space() is not None
        return {"samples": from_noise, "apply": not from_noise, "invert": invert, "conditions": from_noise}

    @cached_property
    def space(self) -> str:
        """The space that images are inverted to."""
        return Space(self.model).name

    @cached_property
    def offers(self) -> tuple[str, ...]:
        """The media types that samples are sent as, the default first."""
        return offers(self.model.modality)

    def job(self, draw: Draw) -> Job:
        """The job that generates samples.

        Raises:
            InputError: if they are too large together.
        """
        numbers = self.numbers(draw)
        if numbers > MAX_NUMBERS:
            raise InputError(
                f"n={draw.n} samples consist of {numbers:,} numbers; ask for fewer, at most {MAX_NUMBERS:,} numbers"
            )
        alone = draw.request.rules or self.model.game.batch_dependent or draw.n >= self.limits.batch
        requested = time.monotonic()

        def work(progress: Progress) -> Samples:
            began = time.monotonic()

            def searched(drawn: int, satisfying: int) -> None:
                now, allowed = time.monotonic(), PATIENCE * self.limits.seconds
                slow = (now - began) * draw.n > FAR_LONGER * allowed * satisfying or len(self.searches) > 0
                if now - requested > allowed or (slow and now - began > EARLY * self.limits.seconds):
                    raise InputError(_too_rare(draw, satisfying, drawn, self.model.modality.words.items))

            samples = self.model.sample_request(draw.n, draw.request, draw.seed, draw.truncation, progress, searched)
            self._observe(draw.n)
            return samples

        return Job(work, None if alone else draw)

    def numbers(self, draw: Draw) -> int:
        """How many numbers the samples consist of."""
        return draw.n * self.model.modality.numbers_of(draw.request.length)

    def close(self, seconds: float) -> None:
        """Stop the workers."""
        for worker in self._workers:
            worker.close(seconds)

    def described(self) -> dict[str, Any]:
        """What the model generates and takes."""
        model, modality = self.model, self.model.modality
        return {
            "name": self.name,
            "kind": modality.kind,
            "recipe": model.recipe.name,
            "shape": list(modality.sample_shape),
            "classes": list(modality.classes),
            "asks": self._asks(),
            "does": [name for name, available in self.does.items() if available],
            "gives": list(self.offers) if self.does["samples"] else [],
            "takes": self._takes(),
            "parameters": sum(weight.numel() for weight in model.game.parameters()),
            "about": {name: model.about[name] for name in PUBLIC_RECORD if name in model.about},
        }

    def _asks(self) -> dict[str, Any]:
        """JSON schemas of what samples, or transformed files, can be asked for."""
        modality = self.model.modality
        return {ask.name: ask.schema() for ask in (modality.asks if self.does["samples"] else modality.apply_asks)}

    def _takes(self) -> dict[str, Any] | None:
        """The images that the model transforms."""
        if not self.does["apply"]:
            return None
        mapper = self.model.mapper()
        return {"channels": mapper.channels - mapper.masked, "times": mapper.times, "mask": mapper.masked}

    def conditions(self) -> dict[str, Any]:
        """What samples can be asked for, with the values in the training data."""
        modality = self.model.modality
        return {"kind": modality.kind, "asks": self._asks(), **modality.describe_conditions()}


def _too_rare(draw: Draw, satisfying: int, drawn: int, items: str) -> str:
    rules = " and ".join(rule.text for rule in draw.request.rules)
    few = f"only {satisfying:,} of {drawn:,} generated {items} satisfy {rules} and {draw.n:,} were asked for"
    return f"{few}; ask for fewer or for a more common condition"


def load_all(runs: Sequence[str], device: str, trust: bool = False) -> dict[str, Model]:
    """The models of runs by name: RUN has the name of its folder, NAME=RUN has another one.

    Args:
        trust: as for `sparring.load`.

    Raises:
        InputError: if a run has no model, or two have the same name.
    """
    models: dict[str, Model] = {}
    for text in runs:
        name, run = _name_and_run(text)
        if name in models:
            raise InputError(f"{text}: there is already a model {name!r}; give another name as NAME={run}")
        models[name] = load(run, device, trust)
    return models


def _name_and_run(text: str) -> tuple[str, str]:
    name, equals, run = text.partition("=")
    if equals and name and "/" not in name and not Path(text).exists():  # a folder's own name may contain =
        return name, run
    path = resolved(Path(text))
    return path.stem if path.is_file() else path.name, text
