"""Images that are generated from given images."""

from sparring.modalities.translation.degraded import Degraded
from sparring.modalities.translation.paired import Paired
from sparring.modalities.translation.translation import Translation
from sparring.modalities.translation.unpaired import Unpaired

__all__ = ["Degraded", "Paired", "Translation", "Unpaired"]

KINDS = (Paired, Unpaired, Degraded)
