"""How a kind of data becomes tensors, and how tensors become such data again."""

from sparring.modalities.degraded import Degraded
from sparring.modalities.images import Images
from sparring.modalities.mapped import Mapped
from sparring.modalities.modality import Encoded, Modality, Request, Samples
from sparring.modalities.pairs import Pairs
from sparring.modalities.points import Points
from sparring.modalities.series import Series
from sparring.modalities.tables import Table
from sparring.modalities.unpaired import Unpaired

__all__ = [
    "Degraded", "Encoded", "Images", "Mapped", "Modality", "Pairs", "Points", "Request", "Samples", "Series", "Table",
    "Unpaired",
]  # fmt: skip
