"""The models of a server, and what they say of themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from sparring.data.store import Progress
from sparring.deploy.serve.answers import OFFERS
from sparring.deploy.serve.limits import NUMBERS, Limits
from sparring.deploy.serve.metrics import Metrics
from sparring.deploy.serve.worker import Draw, Job, Worker
from sparring.errors import InputError
from sparring.explore.space import Space
from sparring.modalities import Samples, Series, Table, Translation
from sparring.modalities.tables.columns import Category, Column, Mixture, Number, frequencies, shown
from sparring.model import Model, load

ABOUT = ("step", "sparring", "torch")  # what is told of a training; paths and names of data are nobody's concern
SOONER = 0.9  # of the time that a request may take, after which conditions that no row has are given up
WARM = 16  # pixels of a side of the picture that a net is warmed up with


class Served:
    """A model with a name, a queue for samples, and one for what takes longer.

    Args:
        name: in addresses.
        model: that is served.
        limits: of its requests.
        metrics: that it counts in.
        active: how many requests the server has not answered yet.
    """

    def __init__(self, name: str, model: Model, limits: Limits, metrics: Metrics, active: Callable[[], int]) -> None:
        self.name, self.model, self.limits, self.metrics = name, model, limits, metrics
        self.samples = Worker(f"samples of {name}", model, limits, self._noted, active)
        self.pictures = Worker(f"pictures for {name}", model, limits, self._noted, active)
        metrics.queue.labels(name).set_function(lambda: len(self.samples) + len(self.pictures))
        self._warm = Job(lambda _: self._warmed())

    def start(self) -> None:
        """Begin to work, with a warm-up unless there has been one."""
        self.samples.start()
        self.pictures.start()
        if not self.ready:
            self._warm = Job(lambda _: self._warmed())
            self.samples.put(self._warm)

    def _noted(self, n: int) -> None:
        self.metrics.batch.labels(self.name).observe(n)
        self.metrics.samples.labels(self.name).inc(n)

    def _warmed(self) -> None:
        """Whatever the first request would have had to wait for."""
        if self.does["apply"]:
            mapper = self.model.mapper()
            picture = np.full((WARM, WARM, mapper.channels), 255, np.uint8)
            self.model.apply(picture)
        else:
            self.model.sample(1, seed=0)

    @property
    def ready(self) -> bool:
        """Whether it has been warmed up, and well."""
        future = self._warm.future
        return future.done() and not future.cancelled() and future.exception() is None

    @cached_property
    def does(self) -> dict[str, bool]:
        """What can be asked of it."""
        mapped = isinstance(self.model.modality, Translation)
        pictures = self.model.modality.kind == "images"
        return {"samples": not mapped, "apply": mapped, "invert": pictures, "conditions": not mapped}

    @cached_property
    def space(self) -> str:
        """Where pictures are inverted to."""
        return Space(self.model).name

    @property
    def offers(self) -> tuple[str, ...]:
        """The kinds of content that its samples can be given as."""
        return OFFERS[self.model.modality.kind]

    def draws(self, draw: Draw) -> Job:
        """The job that makes samples.

        Raises:
            InputError: for more samples than it makes at once.
        """
        numbers = self.numbers(draw)
        if numbers > NUMBERS:
            raise InputError(f"n={draw.n} samples consist of {numbers:,} numbers; ask for fewer, {NUMBERS:,} in all")
        alone = draw.request.rules or self.model.game.batch_dependent or draw.n >= self.limits.batch
        until = time.monotonic() + SOONER * self.limits.seconds

        def work(progress: Progress) -> Samples:
            def patient(done: int, of: int) -> None:
                progress(done, of)
                if draw.request.rules and done and time.monotonic() > until:
                    raise InputError(_futile(draw, done))

            made = self.model.sample_request(draw.n, draw.request, draw.seed, draw.truncation, patient)
            self._noted(draw.n)
            return made

        return Job(work, None if alone else draw)

    def numbers(self, draw: Draw) -> int:
        """That the samples consist of."""
        shape, length = self.model.modality.shape, draw.request.length
        return draw.n * int(np.prod(shape if length is None else (shape[0], length)))

    def close(self, seconds: float) -> None:
        """Do no more work."""
        self.samples.close(seconds)
        self.pictures.close(seconds)

    def described(self) -> dict[str, Any]:
        """What it is and takes."""
        model, modality = self.model, self.model.modality
        return {
            "name": self.name,
            "kind": "pictures of pictures" if modality.source is not None else modality.kind,
            "recipe": model.recipe.name,
            "shape": self._shape(),
            "classes": list(modality.classes),
            "does": [name for name, can in self.does.items() if can],
            "gives": [] if modality.source is not None else list(self.offers),
            "takes": self._takes(),
            "parameters": sum(weight.numel() for weight in model.game.parameters()),
            "about": {name: model.about[name] for name in ABOUT if name in model.about},
        }

    def _shape(self) -> list[int]:
        """Of a sample, as it is handed out."""
        modality = self.model.modality
        if isinstance(modality, Table):
            return [len(modality.columns)]
        if isinstance(modality, Series):
            return [modality.window, len(modality.channels)]
        return [*modality.shape[1:], modality.shape[0]]

    def _takes(self) -> dict[str, Any] | None:
        """The pictures that something is made of."""
        if not isinstance(self.model.modality, Translation):
            return None
        mapper = self.model.mapper()
        return {"channels": mapper.channels - mapper.masked, "times": mapper.times, "mask": mapper.masked}

    def conditions(self) -> dict[str, Any]:
        """What samples can be asked for by."""
        modality = self.model.modality
        columns = modality.columns if isinstance(modality, Table) else ()
        total = sum(modality.counts)
        return {
            "kind": modality.kind,
            "classes": [
                {"label": name, "share": count / total}
                for name, count in zip(modality.classes, modality.counts, strict=True)
            ],
            "length": isinstance(modality, Series),
            "columns": [_column(column) for column in columns],
        }


def _futile(draw: Draw, made: int) -> str:
    asked = " and ".join(rule.text for rule in draw.request.rules)
    return f"of {made:,} rows fewer than {draw.n:,} have {asked}; ask for less, or for what is likelier"


def _column(column: Column) -> dict[str, Any]:
    """A column of a table: the levels that it may have, or the range of its numbers."""
    known: dict[str, Any] = {"name": column.name, "kind": "identifier" if not column.width else column.kind}
    known |= {"dtype": column.dtype}
    if isinstance(column, Category):
        shares, levels = frequencies(column), [shown(level) for level in column.levels]
        return known | {"levels": levels, "shares": [share / sum(shares) for share in shares[: len(levels)]]}
    if isinstance(column, Number):
        return known | _range(column, [*column.knots, *(spike for spike in column.spikes if spike is not None)])
    return known | (_range(column, [column.low, column.high]) if isinstance(column, Mixture) else {})


def _range(column: Number | Mixture, values: Sequence[float]) -> dict[str, Any]:
    """The smallest and the largest of some values: numbers, or dates as ISO 8601 has them."""
    low, high = min(values), max(values)
    if not column.unit:
        return {"low": low, "high": high}
    first, last = (str(np.datetime64(int(value) * column.unit, "us")) for value in (low, high))
    return {"low": first, "high": last}


def opened(runs: Sequence[str], device: str) -> dict[str, Model]:
    """The models of runs, by the names of their folders or those they are given: RUN or NAME=RUN.

    Raises:
        InputError: where a run has no model, or two have one name.
    """
    found: dict[str, Model] = {}
    for text in runs:
        name, run = _named(text)
        if name in found:
            raise InputError(f"{text}: there is a model {name!r} already; give it another name as NAME={run}")
        found[name] = load(run, device)
    return found


def _named(text: str) -> tuple[str, str]:
    """Name and run."""
    name, equals, run = text.partition("=")
    if equals and name and "/" not in name and not Path(text).exists():  # a folder's own name may have a =
        return name, run
    path = Path(text).resolve()
    return path.stem if path.is_file() else path.name, text
