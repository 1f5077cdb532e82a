"""Uses of trained models: augmented training sets and risk scenarios."""

from sparring.use.augment import Augmentation, augment
from sparring.use.scenarios import Risk, scenarios

__all__ = ["Augmentation", "Risk", "augment", "scenarios"]
