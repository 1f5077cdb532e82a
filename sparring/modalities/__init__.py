"""How a kind of data becomes tensors, and how tensors become such data again."""

from sparring.modalities.images import Images
from sparring.modalities.modality import Encoded, Modality, Request, Samples
from sparring.modalities.points import Points
from sparring.modalities.series import Series
from sparring.modalities.tables import Table

__all__ = ["Encoded", "Images", "Modality", "Points", "Request", "Samples", "Series", "Table"]
