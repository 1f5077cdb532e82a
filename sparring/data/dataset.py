"""An encoded data set: named tensors, and which of their rows are trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from sparring.data.records.reading import RecordSet
from sparring.data.store import Stored
from sparring.data.tensors import CONDITION, VALUES, Tensors


@dataclass(frozen=True)
class Dataset:
    """An encoded data set.

    Attributes:
        tensors: parts of the encoded samples by name ("values", ...) and, where classes are used, the class of each
            ("condition").
        train: rows that are trained on, int64.
        held: rows that are held out, int64.
        fingerprint: identifies the data, whatever their name.
        beside: a second, unpaired set. Its samples are the conditions that samples of this one are generated from.
        fits: whether the tensors that are in memory also fit on the device.
        weights: relative sampling frequency of each training row; None if they are uniform.
        records: the whole set in shards, which training batches are drawn from; the tensors hold a draw of it. None if
            they hold all.
    """

    tensors: Mapping[str, Tensor | Stored]
    train: Tensor
    held: Tensor
    fingerprint: str
    beside: Dataset | None = None
    fits: bool = True
    weights: Tensor | None = None
    records: RecordSet | None = None

    @property
    def trained(self) -> int:
        """Number of samples that are trained on."""
        return len(self.train) if self.records is None else self.records.index.train.records

    @property
    def labeled(self) -> bool:
        """True if the class of every sample is known."""
        return CONDITION in self.tensors

    def part(self, name: str, rows: Tensor) -> Tensor:
        """Rows of one tensor, in memory, on the CPU."""
        stored = self.tensors[name]
        tensor = stored.map()[1] if isinstance(stored, Stored) else stored
        return tensor[rows.to(tensor.device)].cpu()

    def samples(self, rows: Tensor) -> Tensors:
        """Encoded samples of some rows, without their classes."""
        return {name: self.part(name, rows) for name in self.tensors if name != CONDITION}

    def labels(self, rows: Tensor) -> Tensor | None:
        """Classes of some rows, if they are known."""
        return self.part(CONDITION, rows) if self.labeled else None

    def items(self, rows: Tensor) -> Tensors:
        """All tensors of some rows. Conditions from the set beside are held-out ones for held-out rows."""
        found = {name: self.part(name, rows) for name in self.tensors}
        if self.beside is not None:
            other, held = self.beside, len(rows) > 0 and bool((rows[0].cpu() == self.held.cpu()).any())
            pool = other.held if held and len(other.held) else other.train
            found[CONDITION] = other.part(VALUES, pool[rows.to(pool.device) % len(pool)])
        return found
