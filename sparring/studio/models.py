"""Loaded models, shared by all who look at the page."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sparring.modalities import Modality
from sparring.model import Model, load

KEPT = 6  # models in memory, at most

T = TypeVar("T")


class Models:
    """Loads models once, and lets one caller at a time compute with each: who searches for a picture freezes a model's
    weights and hooks its layers, and those who use another do not wait.

    Args:
        device: that they run on.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self._entries: OrderedDict[Path, _Entry] = OrderedDict()
        self._lock = threading.Lock()  # of the entries, never held for long

    @contextmanager
    def of(self, run: Path) -> Iterator[Model]:
        """The model of a run, for this caller alone; loaded anew where it has been written anew.

        Raises:
            InputError: where there is none.
        """
        entry = self._entry(run)
        with entry.lock:
            yield entry.fresh(self.device)

    def modality(self, run: Path) -> Modality:
        """What the model of a run makes. Nobody who computes with it is waited for once it is loaded.

        Raises:
            InputError: where there is none.
        """
        entry = self._entry(run)
        known = entry.loaded()
        if known is not None:
            return known.modality
        with entry.lock:
            return entry.fresh(self.device).modality

    def once(self, run: Path, what: Any, compute: Callable[[Model], T]) -> T:
        """What follows from a run's model, computed once for as long as that is the same.

        Args:
            what: that it is told apart by; hashable.
        """
        entry = self._entry(run)
        with entry.lock:
            model = entry.fresh(self.device)
            if what not in entry.known:
                entry.known[what] = compute(model)
            found: T = entry.known[what]
            return found

    def _entry(self, run: Path) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(run, _Entry(run))
            self._entries.move_to_end(run)
            while len(self._entries) > KEPT:
                self._entries.popitem(last=False)
            return entry


class _Entry:
    """A run's model, who may compute with it, and what has been computed."""

    def __init__(self, run: Path) -> None:
        self.run, self.lock, self.known = run, threading.RLock(), dict[Any, Any]()
        self._model: Model | None = None
        self._stamp = -1

    def loaded(self) -> Model | None:
        """The model where it is in memory as it was written last."""
        return self._model if self._stamp == self._written() else None

    def fresh(self, device: str) -> Model:
        """The model as it was written last."""
        model, stamp = self.loaded(), self._written()
        if model is None:
            model = load(self.run, device)
            self._model, self._stamp, self.known = model, stamp, {}
        return model

    def _written(self) -> int:
        written = self.run / "model" / "model.json"
        return written.stat().st_mtime_ns if written.is_file() else 0
