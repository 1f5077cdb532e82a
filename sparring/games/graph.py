"""What a game can be exported as: a net from the inputs of a sample to its values. Nothing is drawn inside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from sparring.games.prior import Path, Prior

if TYPE_CHECKING:
    from sparring.games.game import Game

CPU = torch.device("cpu")
Tensors = tuple[Tensor, ...]


@cache
def dimension(name: str, min: int) -> Any:
    """A dimension of any length, the same in all inputs in which it has this name."""
    from torch.export import Dim  # imports SymPy, half a second

    return Dim(name, min=min)


def batch() -> Any:
    """The number of samples."""
    return dimension("n", 1)


class Named(Protocol):
    """What items of a kind of data are called."""

    @property
    def item(self) -> str: ...

    @property
    def items(self) -> str: ...


class GivenItems(Protocol):
    """The items that samples are generated from."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def words(self) -> Named: ...

    @property
    def masked(self) -> bool: ...

    @property
    def values(self) -> str: ...


class DataKind(Protocol):
    """What a graph needs to know about the kind of data of a game's samples; see `Modality`."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def words(self) -> Named: ...

    @property
    def source(self) -> GivenItems | None: ...

    def draw_conditions(self, n: int, device: torch.device, requested: Tensor | None = None) -> Tensor | None: ...

    def describe_values(self) -> str: ...

    def describe_condition_input(self) -> str: ...


@dataclass(frozen=True)
class Spec:
    """An input of a graph, or its output.

    Attributes:
        name: of the tensor.
        shape: for each dimension its length, or a name if it may have any length.
        description: for the user.
        values: range or meaning of the numbers.
        dynamic: dimensions that may have any length by their position, as `torch.export` takes them.
    """

    name: str
    shape: tuple[int | str, ...]
    description: str
    values: str = ""
    dynamic: Mapping[int, Any] = field(default_factory=lambda: {0: batch()})

    def channels_last(self, values: str) -> Spec:
        """The same tensor with its channels in the last dimension."""
        order = [0, *range(2, len(self.shape)), 1]
        dynamic = {order.index(i): dim for i, dim in self.dynamic.items()}
        return replace(self, shape=tuple(self.shape[i] for i in order), values=values, dynamic=dynamic)


@dataclass(frozen=True)
class Graph:
    """A net that can be exported.

    Attributes:
        net: takes all inputs in their order and returns one tensor.
        inputs: of the net.
        output: of the net.
        draw: draw(n, variation) gives inputs for n samples, from PyTorch's generator. With a variation of 0 they are
            those of `Model.sample`. With another number they test what else the net takes: longer series, larger
            images, other noise, columns that are kept.
        stride: heights and widths of given images are multiples of it.
        in_bytes: True if values are uint8 with their channels last, and given items too.
    """

    net: nn.Module
    inputs: tuple[Spec, ...]
    output: Spec
    draw: Callable[[int, int], Tensors]
    stride: int = 1
    in_bytes: bool = False


@dataclass(frozen=True)
class GeneratorNet:
    """A net of a game that generates samples, and how to run it.

    Attributes:
        name: of the net in the game.
        run: (latents, condition) -> what it generates.
        copies: names of further nets with the same layers, which are pruned in the same way.
        reverse: True if it generates conditions from values: the opposite direction.
    """

    name: str
    run: Callable[[Tensor, Tensor | None], Tensor]
    copies: tuple[str, ...] = ()
    reverse: bool = False


class Sampler(nn.Module):
    """Latents (n, width) or (n, steps, channels)[, condition (n, ...)] -> values of samples."""

    def __init__(self, game: Game) -> None:
        super().__init__()
        self.game = game

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return self.game.values(z.flatten(1), label)


def sampling_graph(game: Game, kind: DataKind, any_length: bool = True) -> Graph:
    """The values of samples as a function of latents and conditions.

    Args:
        any_length: True if the game can generate sequences of any length.
    """
    path = _path(game.prior)
    if path is not None:
        return _sequence_graph(game, kind, path, any_length)

    def draw(n: int, variation: int = 0) -> Tensors:  # noqa: ARG001
        return game.draw(n, CPU), *conditions(game, kind, n)

    z = Spec("z", ("n", game.prior.width), describe_latents(game.prior))
    return Graph(Sampler(game), (z, *condition_specs(game, kind)), output_spec(kind), draw)


def _path(prior: Prior) -> Path | None:
    """The noise of each step of a sequence, if latents consist of nothing else."""
    (part, *others) = prior.parts or (None,)
    return part if isinstance(part, Path) and not others else None


def _sequence_graph(game: Game, kind: DataKind, path: Path, any_length: bool) -> Graph:
    before, length = path.before, kind.shape[-1]
    first = f" and of the {before} steps before the first" if before else ""
    z = Spec("z", ("n", before + length, path.channels), f"normal latents of each step{first}")
    output = output_spec(kind)
    if any_length:
        dynamic = {0: batch(), 1: dimension("steps", before + 2)}
        z = replace(z, shape=("n", f"{before} + steps", path.channels), dynamic=dynamic)
        output = replace(output, shape=(*output.shape[:-1], "steps"))

    def draw(n: int, variation: int = 0) -> Tensors:
        latents = torch.randn(n, before + length + variation * any_length, path.channels)
        return latents, *conditions(game, kind, n)

    return Graph(Sampler(game), (z, *condition_specs(game, kind)), output, draw)


def conditions(game: Game, kind: DataKind, n: int) -> Tensors:
    """Conditions of n samples as inputs of a graph: one tensor, or none."""
    condition = kind.draw_conditions(n, CPU) if game.conditional else None
    return () if condition is None else (condition,)


def condition_specs(game: Game, kind: DataKind) -> tuple[Spec, ...]:
    """The input for conditions, if the game is conditional."""
    with torch.random.fork_rng([]):
        drawn = conditions(game, kind, 1)
    return tuple(Spec("label", ("n", *x.shape[1:]), kind.describe_condition_input()) for x in drawn)


def output_spec(kind: DataKind) -> Spec:
    """Values of samples as the networks generate them."""
    return Spec("sample", ("n", *kind.shape), kind.words.items, kind.describe_values())


def describe_latents(prior: Prior, of: str = "latents") -> str:
    """What a latent vector consists of."""
    return f"{of}: {', '.join(f'{part.width} {part.distribution or part.name}' for part in prior.parts)}"


def dimensions(shape: Sequence[int | str]) -> str:
    """A shape in words: (n, 3, height, width)."""
    return f"({', '.join(map(str, shape))})"
