"""What a trained model has learnt: ways through its latents, directions in them, what it makes of a picture, what its D
looks at, and what of the training data is nearest to its samples.
"""

from sparring.explore.directions import Direction, directions, probe
from sparring.explore.explore import explore
from sparring.explore.invert import Inversion, invert
from sparring.explore.space import Space

__all__ = ["Direction", "Inversion", "Space", "directions", "explore", "invert", "probe"]
