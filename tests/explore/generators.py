"""Models built by hand, for which the results of exploring are known in advance."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn

from sparring.games.game import Game
from sparring.games.prior import Prior, normal
from sparring.modalities import Images
from sparring.model import Model

SIDE = 8


class Plain(Game):
    """Images from latents by any net."""

    def __init__(self, G: nn.Module, prior: Prior, classes: int = 0) -> None:
        super().__init__()
        self.G, self.prior, self.classes = G, prior, classes

    def values(self, z: Tensor, condition: Tensor | None) -> Tensor:
        images = self.G(z).view(len(z), 1, SIDE, SIDE)
        return images if condition is None else images + 0.2 * condition.view(-1, 1, 1, 1)


def model(G: nn.Module, prior: Prior | None = None, classes: int = 0, width: int = 4) -> Model:
    """A model of gray images of 8 x 8 pixels."""
    modality = Images(size=SIDE, channels=1, classes=tuple("abcdef"[:classes]), counts=(1,) * classes)
    recipe = SimpleNamespace(name="by-hand", labels=None, batch=4)
    about = {"data": "digits", "name": "digits", "step": 1, "items": 1797, "seconds": 1.0}
    return Model(recipe, modality, Plain(G, prior or normal(width), classes), about)  # type: ignore[arg-type]


def linear(strengths: list[float], hidden: nn.Module | None = None) -> tuple[nn.Module, Tensor]:
    """A net of one layer, maybe followed by another, and the directions (n, n) that it scales by these strengths."""
    torch.manual_seed(0)
    n = len(strengths)
    out, _ = torch.linalg.qr(torch.randn(SIDE**2, n))
    rotation, _ = torch.linalg.qr(torch.randn(n, n))
    layer = nn.Linear(n, SIDE**2)
    with torch.no_grad():
        layer.weight.copy_(out @ torch.diag(torch.tensor(strengths)) @ rotation.T)
    return nn.Sequential(layer, *([] if hidden is None else [hidden])), rotation.T
