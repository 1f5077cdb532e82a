"""What an importer of weights gets and returns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from sparring.errors import InputError
from sparring.modalities import Modality
from sparring.recipes.base import Recipe

State = dict[str, Tensor]

# What instance norms of old versions of PyTorch have stored without using it.
UNUSED = re.compile(r".*\.(running_mean|running_var|num_batches_tracked)")


@dataclass(frozen=True)
class Converted:
    """Weights as a model of one of Sparring's recipes.

    Attributes:
        recipe: the published architecture, as fields.
        modality: what the files of the model hold.
        nets: states of nets of the game, by their names. Nets that are not published, such as D, are left out.
    """

    recipe: Recipe[Any]
    modality: Modality
    nets: Mapping[str, State]


@dataclass(frozen=True)
class Peer:
    """A layout of weights.

    Attributes:
        name: that `sparring import` takes.
        title: of the project, for tables.
        url: of the project.
        does: what its models do, in a few words.
        files: what the files hold, in their order; those in brackets may be left out.
        convert: from the state of each file, and the content of its JSON.
        inside: names under which a file may hold the state.
        configured: True if the layout needs a JSON.
    """

    name: str
    title: str
    url: str
    does: str
    files: tuple[str, ...]
    convert: Callable[[Sequence[State], Mapping[str, Any]], Converted]
    inside: tuple[str, ...] = ()
    configured: bool = False

    @property
    def most(self) -> int:
        """Number of files, at most."""
        return len(self.files)

    @property
    def least(self) -> int:
        """Number of files, at least."""
        return sum(not name.startswith("[") for name in self.files)


class Taken:
    """A published state, of which each tensor is taken once.

    Args:
        state: by its published names.
        unused: a pattern of further names that may be left.
    """

    def __init__(self, state: Mapping[str, Tensor], unused: re.Pattern[str] | None = None) -> None:
        self._left = dict(state)
        self._unused = unused

    def has(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str) -> Tensor:
        """The tensor of a name.

        Raises:
            InputError: if there is none.
        """
        if name not in self._left:
            raise InputError(f"its layout is another one: {name} is missing")
        return self._left.pop(name)

    def layer(self, name: str, to: str, parts: Sequence[str] = ("weight", "bias")) -> State:
        """The tensors of a layer, by their new names."""
        return {f"{to}.{part}": self.take(f"{name}.{part}") for part in parts}

    def finish(self) -> None:
        """Check that nothing is left.

        Raises:
            InputError: if there is.
        """
        left = [name for name in self._left if self._unused is None or not self._unused.fullmatch(name)]
        if left:
            raise InputError(f"its layout is another one: {left[0]} is not known ({len(left)} of such tensors)")
