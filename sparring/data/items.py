"""What a data set holds before a modality makes tensors of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Items:
    """A data set as it was found.

    Attributes:
        name: short, for the names of runs.
        kind: "points" or "images".
        items: points as floats (n, d); pictures as uint8 (n, h, w) or (n, h, w, c), or as the
            paths of their files.
        labels: the class of each item, (n,), or None.
        classes: the names of the classes.
        columns: the names of a point's coordinates, where the file has them.
    """

    name: str
    kind: str
    items: NDArray[np.generic] | Sequence[Path]
    labels: NDArray[np.int64] | None = None
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.items)
