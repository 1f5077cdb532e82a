"""Evaluating trained models against real data, individually and in comparison."""

from sparring.evaluation.compare import compare
from sparring.evaluation.evaluate import evaluate
from sparring.metrics.results import Evaluation

__all__ = ["Evaluation", "compare", "evaluate"]
