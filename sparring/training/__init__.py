"""What happens around the loop: run folder, checkpoints, averaging, logs, bounds, devices."""

from sparring.training.launch import train

__all__ = ["train"]
