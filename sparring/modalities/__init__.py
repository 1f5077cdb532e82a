"""How a kind of data becomes tensors, and how tensors become such data again."""

from sparring.modalities.base import Encoded, Modality, Request, Samples
from sparring.modalities.images.images import Images
from sparring.modalities.points.points import Points
from sparring.modalities.series.series import Series
from sparring.modalities.sets import find
from sparring.modalities.tables.table import Table
from sparring.modalities.translation.degraded import Degraded
from sparring.modalities.translation.paired import Pairs
from sparring.modalities.translation.translation import Mapped
from sparring.modalities.translation.unpaired import Unpaired

__all__ = [
    "Degraded", "Encoded", "Images", "Mapped", "Modality", "Pairs", "Points", "Request", "Samples", "Series", "Table",
    "Unpaired", "find",
]  # fmt: skip
