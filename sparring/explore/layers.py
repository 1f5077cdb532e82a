"""What the layers of a net give while a model makes samples."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch
from torch import Tensor, nn

from sparring.errors import InputError
from sparring.explore.space import Space


class _Enough(Exception):
    """What follows of a net need not be run."""


class Layers:
    """What the layers with weights give that depend on the points, while a model makes samples.

    Raises:
        InputError: on entering, where there is no such layer.
    """

    def __init__(self, space: Space) -> None:
        self.space, self._seen = space, list[tuple[nn.Module, Tensor]]()
        self._wanted: nn.Module | None = None

    def __enter__(self) -> Layers:
        modules = [m for m in self.space.model.game.modules() if _weighty(m)]
        self._hooks = [m.register_forward_hook(self._note) for m in modules]
        with frozen(self.space.model.game), torch.enable_grad():
            self.space.pictures(self.space.draw(2, 0).requires_grad_())
        self._takers = [module for module, made in self._seen if made.requires_grad]
        if not self._takers:
            self.__exit__()
            name = self.space.model.recipe.name
            raise InputError(f"no layer of recipe {name!r} takes its latents; it has no directions to be found")
        return self

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _note(self, module: nn.Module, _: object, made: object) -> None:
        if isinstance(made, Tensor):
            self._seen.append((module, made))
        if module is self._wanted:
            raise _Enough

    def _of(self, which: int, points: Tensor, label: Tensor | None) -> Tensor:
        self._seen.clear()
        self._wanted = self._takers[which]
        with suppress(_Enough):
            self.space.pictures(points, label)
        return self._seen[-1][1]

    def first(self, points: Tensor, label: Tensor | None = None) -> Tensor:
        """What the first of them gives, (n, ...)."""
        return self._of(0, points, label)

    def middle(self, points: Tensor, label: Tensor | None = None) -> Tensor:
        """What that half-way gives, (n, ...): the first one's components would be those of "sefa" again."""
        return self._of(len(self._takers) // 2, points, label)


def _weighty(module: nn.Module) -> bool:
    """Whether it is one layer, of a matrix or kernels, parametrised or not."""
    children = dict(module.named_children())
    children.pop("parametrizations", None)
    weight = getattr(module, "weight", None)
    return not children and isinstance(weight, Tensor) and weight.ndim > 1 and not isinstance(module, nn.Embedding)


@contextmanager
def frozen(net: nn.Module) -> Iterator[None]:
    """No weight gets a gradient, for a while."""
    moved = [weight for weight in net.parameters() if weight.requires_grad]
    for weight in moved:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in moved:
            weight.requires_grad_(True)
