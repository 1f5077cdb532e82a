"""Kinds of data: how files become tensors and tensors become files, and how samples are drawn and evaluated."""

from sparring.modalities.asks import Ask, Request
from sparring.modalities.base import Encoded, Modality, Recommendation, Source, Words
from sparring.modalities.find import find, kind_of, kinds
from sparring.modalities.images import Images
from sparring.modalities.points import Points
from sparring.modalities.samples import Samples, Writer
from sparring.modalities.series import Series
from sparring.modalities.tables import Table
from sparring.modalities.translation import Degraded, Paired, Translation, Unpaired
from sparring.modalities.video import Video

__all__ = [
    "Ask", "Degraded", "Encoded", "Images", "Modality", "Paired", "Points", "Recommendation", "Request", "Samples",
    "Series", "Source", "Table", "Translation", "Unpaired", "Video", "Words", "Writer", "find", "kind_of", "kinds",
]  # fmt: skip
