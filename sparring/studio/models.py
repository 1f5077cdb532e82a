"""Loaded models, shared by all users of the page."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from sparring.model import Model, load

MAX_MODELS = 6  # models kept in memory

T = TypeVar("T")


class Models:
    """Loads each model once, and lets one caller at a time compute with it: exploring freezes the weights of a model
    and hooks its layers. Callers of different models do not wait for each other.

    Args:
        device: that models run on.
        trust: as for `sparring.load`.
    """

    def __init__(self, device: str, trust: bool = False) -> None:
        self.device, self.trust = device, trust
        self._entries: OrderedDict[Path, _Entry] = OrderedDict()
        self._lock = threading.Lock()  # protects the entries; never held for long

    @contextmanager
    def use(self, run: Path) -> Iterator[Model]:
        """The model of a run, for this caller alone; loaded again if it has been written since.

        Raises:
            InputError: if there is none.
        """
        entry = self._entry(run)
        with entry.lock:
            yield entry.current(self.device, self.trust)

    def peek(self, run: Path) -> Model:
        """The model of a run, only to read what it declares. Does not wait for callers that compute with it once it is
        loaded.

        Raises:
            InputError: if there is none.
        """
        entry = self._entry(run)
        model = entry.loaded()
        if model is not None:
            return model
        with entry.lock:
            return entry.current(self.device, self.trust)

    def computed(self, run: Path, key: Any, compute: Callable[[Model], T]) -> T:
        """A result that depends on the model of a run alone, computed once for each version of the model.

        Args:
            key: identifies the result; hashable.
        """
        entry = self._entry(run)
        with entry.lock:
            model = entry.current(self.device, self.trust)
            if key not in entry.results:
                entry.results[key] = compute(model)
            result: T = entry.results[key]
            return result

    def _entry(self, run: Path) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(run, _Entry(run))
            self._entries.move_to_end(run)
            while len(self._entries) > MAX_MODELS:
                self._entries.popitem(last=False)
            return entry


class _Entry:
    """The model of a run with its lock, and results computed from it."""

    def __init__(self, run: Path) -> None:
        self.run, self.lock, self.results = run, threading.RLock(), dict[Any, Any]()
        self._model: Model | None = None
        self._stamp = -1

    def loaded(self) -> Model | None:
        """The model if its latest version is in memory."""
        return self._model if self._stamp == self._written() else None

    def current(self, device: str, trust: bool) -> Model:
        """The latest version of the model."""
        model, stamp = self.loaded(), self._written()
        if model is None:
            model = load(self.run, device, trust)
            self._model, self._stamp, self.results = model, stamp, {}
        return model

    def _written(self) -> int:
        file = self.run / "model" / "model.json"
        return file.stat().st_mtime_ns if file.is_file() else 0
