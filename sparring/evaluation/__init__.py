"""Evaluating trained models and files of any tool against real data, individually and in comparison."""

from sparring.evaluation.compare import compare
from sparring.evaluation.evaluate import evaluate
from sparring.evaluation.judge_file import judge
from sparring.metrics.results import Evaluation

__all__ = ["Evaluation", "compare", "evaluate", "judge"]
