"""A model as a flavor of MLflow. `mlflow.pyfunc.load_model` imports this module, so that no code is stored with it."""

from __future__ import annotations

from typing import Any

from sparring.model import Model, load


class Predictor:
    """Draws samples for the first row of a frame: its columns are `n`, `seed` and what the model can be asked for."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, frame: Any, params: Any = None) -> Any:  # noqa: ARG002
        """Samples: a data frame for tables, otherwise an array (n, ...).

        Args:
            frame: a data frame of pandas with one row.

        Raises:
            InputError: as `Model.sample` does.
        """
        asked = {str(name): value for name, value in frame.iloc[0].to_dict().items() if value == value}  # not NaN
        n, seed = int(asked.pop("n", 1)), asked.pop("seed", None)
        return self.model.sample(n, seed=None if seed is None else int(seed), **asked).items


def _load_pyfunc(path: str) -> Predictor:
    """Called by MLflow."""
    return Predictor(load(path))
