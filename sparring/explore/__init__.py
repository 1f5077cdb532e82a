"""What a trained model has learnt: ways through its latents, what its codes control, what it makes of real data."""

from sparring.explore.explore import explore

__all__ = ["explore"]
