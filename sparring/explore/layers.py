"""Outputs of the layers of a network while a model generates samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch
from torch import Tensor, nn

from sparring.errors import InputError
from sparring.explore.space import Space


class _Stop(Exception):
    """The remaining layers need not run."""


class Layers:
    """Outputs of the layers with weights whose output depends on the points of a space.

    Raises:
        InputError: on entering, if there is no such layer.
    """

    def __init__(self, space: Space) -> None:
        self.space, self._outputs = space, list[tuple[nn.Module, Tensor]]()
        self._last: nn.Module | None = None  # the layer after which generation stops

    def __enter__(self) -> Layers:
        modules = [m for m in self.space.model.game.modules() if _has_weights(m)]
        self._hooks = [m.register_forward_hook(self._record) for m in modules]
        with frozen(self.space.model.game), torch.enable_grad():
            self.space.values(self.space.draw(2, 0).requires_grad_())
        self._dependent = [module for module, output in self._outputs if output.requires_grad]
        if not self._dependent:
            self.__exit__()
            name = self.space.model.recipe.name
            raise InputError(f"no layer of recipe {name!r} takes its latents; directions cannot be found")
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _record(self, module: nn.Module, _: object, output: object) -> None:
        if isinstance(output, Tensor):
            self._outputs.append((module, output))
        if module is self._last:
            raise _Stop

    def _output(self, index: int, points: Tensor, condition: Tensor | None) -> Tensor:
        self._outputs.clear()
        self._last = self._dependent[index]
        with suppress(_Stop):
            self.space.values(points, condition)
        output = self._outputs[-1][1]
        # A layer that runs for each step of a sample has the steps of all samples in its batch.
        return output if len(output) == len(points) else output.reshape(len(points), -1)

    def first(self, points: Tensor, condition: Tensor | None = None) -> Tensor:
        """The output of the first of these layers, (n, ...)."""
        return self._output(0, points, condition)

    def middle(self, points: Tensor, condition: Tensor | None = None) -> Tensor:
        """The output of the middle one, (n, ...). Components of the first one would be those of "sefa" again."""
        return self._output(len(self._dependent) // 2, points, condition)


def _has_weights(module: nn.Module) -> bool:
    """True for a single layer with a matrix or kernels, parametrized or not."""
    children = dict(module.named_children())
    children.pop("parametrizations", None)
    weight = getattr(module, "weight", None)
    return not children and isinstance(weight, Tensor) and weight.ndim > 1 and not isinstance(module, nn.Embedding)


@contextmanager
def frozen(net: nn.Module) -> Iterator[None]:
    """No weight of a network gets a gradient meanwhile."""
    trainable = [weight for weight in net.parameters() if weight.requires_grad]
    for weight in trainable:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in trainable:
            weight.requires_grad_(True)
