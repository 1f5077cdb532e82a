"""Judging trained models against real data, one by one and side by side."""

from sparring.evaluation.compare import compare
from sparring.evaluation.evaluate import evaluate
from sparring.metrics.results import Evaluation

__all__ = ["Evaluation", "compare", "evaluate"]
