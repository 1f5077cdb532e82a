"""The fields of Adam."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch.optim import Adam

from sparring.recipes.base.fields import Decay, Positive, optimization


@dataclass(frozen=True)
class AdamFields:
    """Hyperparameters of Adam. Kingma and Ba 2014, arXiv:1412.6980."""

    lr: Positive = optimization(2e-4, "learning rate of Adam, for G and D")
    beta1: Decay = optimization(0.5, "Adam's decay rate of the first moment")
    beta2: Decay = optimization(0.999, "Adam's decay rate of the second moment")

    def adam(self, **overrides: Any) -> partial[Adam]:
        """Builds an optimizer for the parameters that it is called with.

        Args:
            overrides: arguments of `torch.optim.Adam` that replace those of the fields.
        """
        settings: dict[str, Any] = {"lr": self.lr, "betas": (self.beta1, self.beta2), "fused": True} | overrides
        return partial(Adam, **settings)
