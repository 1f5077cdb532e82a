"""Checkpoints are written while training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self

from torch import Tensor

from sparring.training import checkpoint


class CheckpointWriter:
    """Writes checkpoints in a thread, one at a time.

    The tensors are copied to main memory when a checkpoint is asked for, so that a step waits for the copy alone. Until
    it is written, this takes twice the size of the checkpoint there: the copy, and the content of its file.

    An error of the thread is raised by the next call of any method. The context ends when all is written.
    """

    def __init__(self) -> None:
        self._thread: Thread | None = None
        self._error: BaseException | None = None

    def save(self, folder: Path, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> bool:
        """Begin to write a checkpoint, as `checkpoint.save` does, after the previous one has been written. One with a
        number that is not finite is left out; then, this returns False.

        Raises:
            InputError: if the previous one could not be written.
        """
        self.wait()
        copies = {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}
        if not all(map(_finite, copies.values())):
            return False
        # Not waited for when Python ends: a part of a checkpoint is no checkpoint.
        self._thread = Thread(target=self._write, args=(folder, step, copies, state), name="checkpoint", daemon=True)
        self._thread.start()
        return True

    def _write(self, folder: Path, step: int, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
        try:
            checkpoint.save(folder, step, tensors, state)
        except BaseException as error:
            self._error = error

    def check(self) -> None:
        """Raise the error of a checkpoint that could not be written, without waiting for one that is being written."""
        if self._thread is not None and not self._thread.is_alive():
            self.wait()

    def wait(self) -> None:
        """Wait until the checkpoint has been written.

        Raises:
            InputError: if it could not be written; older ones are kept.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.wait()
        elif self._thread is not None:
            self._thread.join()  # the first error is the one that is told


def _finite(tensor: Tensor) -> bool:
    """True if all numbers are finite. Their sum, which is fast, nearly always says so."""
    return bool(tensor.sum().isfinite()) or bool(tensor.isfinite().all())
