"""Sparring trains, judges, explores and deploys generative adversarial networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"
__all__ = ["InputError", "Model", "Samples", "Synthesizer", "compare", "evaluate", "load", "train"]

if TYPE_CHECKING:
    from sparring.errors import InputError
    from sparring.evaluation.compare import compare
    from sparring.evaluation.evaluate import evaluate
    from sparring.modalities import Samples
    from sparring.model import Model, load
    from sparring.training import train
    from sparring.use.synthesizer import Synthesizer

HOMES = {
    "InputError": "sparring.errors",
    "Model": "sparring.model",
    "Samples": "sparring.modalities",
    "Synthesizer": "sparring.use.synthesizer",
    "compare": "sparring.evaluation",
    "evaluate": "sparring.evaluation",
    "load": "sparring.model",
    "train": "sparring.training",
}


def __getattr__(name: str) -> Any:
    # PyTorch is only imported once it is needed, so that `sparring --help` answers at once.
    if name not in HOMES:
        raise AttributeError(f"module 'sparring' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(HOMES[name]), name)
