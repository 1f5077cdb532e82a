"""How a kind of data becomes tensors, and how tensors become such data again."""

from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Encoded, Modality, Recommendation, Source, Words
from sparring.modalities.images.images import Images
from sparring.modalities.points.points import Points
from sparring.modalities.samples import Samples, Writer
from sparring.modalities.series.series import Series
from sparring.modalities.sets import find
from sparring.modalities.tables.table import Table
from sparring.modalities.translation.degraded import Degraded
from sparring.modalities.translation.paired import Paired
from sparring.modalities.translation.translation import Translation
from sparring.modalities.translation.unpaired import Unpaired

__all__ = [
    "Ask", "Degraded", "Encoded", "Images", "Modality", "Paired", "Points", "Recommendation", "Request", "Samples",
    "Series", "Source", "Table", "Translation", "Unpaired", "Words", "Writer", "find",
]  # fmt: skip
