"""What a trained model has learned: walks through its latent space, directions in it, inverted items, what its D looks
at, and the training items that are nearest to its samples.
"""

from sparring.explore.directions import Direction, directions, probe
from sparring.explore.explore import explore
from sparring.explore.invert import Inversion, invert
from sparring.explore.space import Space

__all__ = ["Direction", "Inversion", "Space", "directions", "explore", "invert", "probe"]
