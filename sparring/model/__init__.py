"""A trained model: it samples, saves and loads itself, long after the training data are gone."""

from sparring.model.model import Model, load
from sparring.model.stored import SINGLE, describe, restore

__all__ = ["SINGLE", "Model", "describe", "load", "restore"]
