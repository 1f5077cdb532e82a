"""How a kind of data becomes tensors, and how tensors become such data again."""

from sparring.modalities.images import Images
from sparring.modalities.modality import Encoded, Modality, Samples
from sparring.modalities.points import Points

__all__ = ["Encoded", "Images", "Modality", "Points", "Samples"]
