"""What trained models are used for: larger training sets, and scenarios of risk."""

from sparring.use.augment import Augmented, augment
from sparring.use.scenarios import Risk, scenarios

__all__ = ["Augmented", "Risk", "augment", "scenarios"]
