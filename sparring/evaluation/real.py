"""Real data as samples are held against them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from sparring.data import Items
from sparring.data.fingerprint import fingerprint
from sparring.data.split import Parted, held_out, unlabelled
from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.modalities import Modality
from sparring.modalities.base import unseen
from sparring.seeds import Seeds, reseed

AT_ONCE = 100
FEWEST = 18  # items of a set, of which a third is judged in the samples' place


@dataclass(frozen=True)
class Real:
    """A data set and how nets see it.

    Attributes:
        name: short.
        modality: fitted to it; with its classes where there are labels to be used.
        data: encoded and parted.
    """

    name: str
    modality: Modality
    data: Parted

    def batches(self, rows: Tensor) -> Iterator[tuple[Tensor, Tensor | None]]:
        """Items as nets see them, and their labels where there are any. Chance that the modality has is
        always the same for the same item of the same rows.
        """
        for part in torch.split(rows, AT_ONCE):
            reseed(Seeds().key("real", int(part[0])), torch.device("cpu"))
            x = self.modality.batch({"real": self.data.of("real", part)})["real"]
            yield x, self.labels(part)

    def labels(self, rows: Tensor) -> Tensor | None:
        """Of some items, where there are any."""
        return self.data.of("label", rows) if "label" in self.data.tensors else None

    def parts(self, n: int, most: int) -> tuple[Tensor, Tensor]:
        """Rows to hold samples against, and about n others that are held against them in the samples'
        place: held-out items first and, where these are too few, some that are trained on.

        Args:
            n: at most a third of all items.
            most: rows of the first, at most.
        """
        n = min(n, (len(self.data.rows) + len(self.data.held)) // 3)
        held, rows = (x[torch.randperm(len(x), generator=_fixed())] for x in (self.data.held, self.data.rows))
        more = max(0, n - len(held))
        return rows[more:][:most], torch.cat([held[:n], rows[:more]])


def _fixed() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def read(modality: Modality, items: Items, progress: Progress = unseen, fewest: int = FEWEST) -> tuple[Real, list[str]]:
    """A data set, parted as for training, and what the user should know of it.

    Args:
        modality: of a model, as it was fitted. Where it has classes, labels are used if the data have the
            same ones; otherwise where they have any.
        fewest: items that are needed; to be looked at, not judged, one is enough.

    Raises:
        InputError: where the data are of another kind or shape, are too few, or cannot be read.
    """
    if items.kind != modality.kind:
        raise InputError(f"{items.name!r} holds {items.kind}, but the model makes {modality.kind}; give such data")
    plain = replace(modality.plain(), classes=(), counts=())
    encoded = plain.encode(items, progress)
    if len(encoded.kept) < fewest:
        raise InputError(f"{items.name!r} has {len(encoded.kept)} {items.kind}; judging needs at least {fewest}")
    labels = None if items.labels is None else items.labels[encoded.kept]
    held = held_out(len(encoded.kept), labels) if items.held is None else items.held[encoded.kept]
    tensors = {"real": encoded.samples}
    notes = list(items.notes)
    why_not = unlabelled(items, labels)
    if modality.classes and not why_not and items.classes != modality.classes:
        why_not = f"the model was trained with other classes ({', '.join(modality.classes[:3])}, ...)"
    if labels is not None and not why_not:
        plain = plain.labelled(items.classes, labels[~held])
        tensors["label"] = torch.from_numpy(labels)
    elif labels is not None:
        notes.append(f"labels are not used: {why_not}")
    rows, apart = (torch.from_numpy(np.flatnonzero(which)) for which in (~held, held))
    return Real(items.name, plain, Parted(tensors, rows, apart, fingerprint(items, tensors))), notes
