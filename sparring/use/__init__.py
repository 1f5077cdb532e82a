"""Uses of trained models: augmented training sets, risk scenarios, rankings of items."""

from sparring.use.augment import Augmentation, augment
from sparring.use.rank import rank
from sparring.use.scenarios import Risk, scenarios

__all__ = ["Augmentation", "Risk", "augment", "rank", "scenarios"]
