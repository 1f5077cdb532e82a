"""Searching for the values of a recipe's fields: many short runs, of which the worse ones end early."""

from sparring.tuning.search import Tuned, tune

__all__ = ["Tuned", "tune"]
