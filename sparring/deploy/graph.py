"""What of a model goes into a graph: the way from what a sample is made from to the sample."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn.utils import parametrize

from sparring.deploy.wrappers import InBytes, Polished, Sampler, Styled
from sparring.errors import InputError
from sparring.games.filled import FilledGAN
from sparring.games.game import Game
from sparring.games.prior import Path
from sparring.games.timegan import TimeGAN
from sparring.modalities import Images, Modality, Translation
from sparring.model import Model
from sparring.nets import stylegan2

CPU = torch.device("cpu")
LEAST = 16  # pixels of a side of pictures that a graph is tried on
Tensors = tuple[Tensor, ...]
Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True)
class Input:
    """What a graph takes.

    Attributes:
        name: of it.
        shape: a number or the name of a side that may have any length, for each side.
        says: what it is, for people.
        sides: those that may have any length, by their place, as `torch.export` has them.
    """

    name: str
    shape: tuple[int | str, ...]
    says: str
    sides: Mapping[int, Any]


@dataclass(frozen=True)
class Graph:
    """A net as it is exported.

    Attributes:
        net: takes all inputs in their order, and gives one tensor.
        inputs: that it takes.
        says: what it gives, for people.
        draw: inputs for n samples, from PyTorch's generator; as for `Model.sample`, or, where a second number is not 0,
            of paths so much longer, of pictures so much larger, with noise of their own, and with columns that stay.
        in_bytes: whether pictures go in and out as bytes (n, h, w, c).
        stride: of the sides of pictures that it takes, which are multiples of it.
    """

    net: nn.Module
    inputs: tuple[Input, ...]
    says: str
    draw: Callable[[int, int], Tensors]
    in_bytes: bool = False
    stride: int = 1

    @property
    def names(self) -> list[str]:
        """Of the inputs."""
        return [given.name for given in self.inputs]

    def content(self) -> dict[str, Any]:
        """Inputs and output as JSON has them."""
        inputs = {i.name: {"shape": list(i.shape), "is": i.says} for i in self.inputs}
        return {"inputs": inputs, "output": self.says}


def graph(model: Model, in_bytes: bool = False, reverse: bool = False) -> Graph:
    """A model's samples as a graph, with its weights as they are used: spectral norms divided out, in float32.

    Args:
        model: that is to be exported; it is left as it is.
        in_bytes: pictures as bytes (n, h, w, c) instead of (n, c, h, w) in [-1, 1].
        reverse: the other way, for pictures of pictures.

    Raises:
        InputError: where it has no such way, or makes its samples in a way that is no graph.
    """
    modality, game = model.modality, model.game
    if in_bytes and not isinstance(modality, Images):
        raise InputError(f"--bytes is for pictures, but recipe {model.recipe.name!r} makes {modality.kind}")
    if reverse and modality.source is None:
        raise InputError(
            f"--reverse is for pictures of pictures, but recipe {model.recipe.name!r} makes {modality.kind}"
        )
    if isinstance(modality, Translation):
        made = _mapped(model, modality, in_bytes, reverse)
    elif type(game).sample not in (Game.sample, FilledGAN.sample):
        raise InputError(
            f"recipe {model.recipe.name!r} has a way of its own to make samples, which no graph is made of"
        )
    else:
        made = _sampled(plain(game), modality, in_bytes)
    if in_bytes:
        assert isinstance(modality, Images)
        net = InBytes(made.net, modality)
        made = Graph(net, made.inputs, made.says, made.draw, True, made.stride)
    made.net.eval()
    return made


def plain(net: Net) -> Net:
    """A copy on the CPU whose weights are what is used: what they are computed from, as under a spectral norm, is left
    out.
    """
    made = copy.deepcopy(net).to(CPU).eval()
    for module in made.modules():
        if parametrize.is_parametrized(module):
            parts = module.get_submodule("parametrizations")
            used = {name: getattr(module, name).detach() for name, _ in parts.named_children()}
            # `remove_parametrizations` would change the class, which the net itself has too.
            module.__class__ = parametrize.type_before_parametrizations(module)
            del module.parametrizations
            for name, weight in used.items():
                module.register_parameter(name, nn.Parameter(weight))
    return made.requires_grad_(False)


def _sampled(game: Game, modality: Modality, in_bytes: bool) -> Graph:
    """Of what is made of latents."""
    n = Dim("n", min=1)
    labels = _label(game, modality, n)
    sides = modality.shape
    laid = _laid(sides, in_bytes) if isinstance(modality, Images) else f"(n, {', '.join(map(str, sides))})"
    made = f"samples {laid}"
    if isinstance(game, FilledGAN):
        return _polished(game, modality, n, labels)
    path = next((part for part in game.prior.parts if isinstance(part, Path)), None)
    if path is not None:
        return _series(game, modality, path, n)

    def draw(n: int, more: int = 0) -> Tensors:  # noqa: ARG001
        z, label = game.draw(n, CPU), modality.draw_conditions(n, CPU) if game.conditional else None
        return (z,) if label is None else (z, label)

    width = game.prior.width
    z = Input("z", ("n", width), f"latents: {_parts(game)}", {0: n})
    G = getattr(game, "G", None)
    if not isinstance(G, stylegan2.Generator):
        return Graph(Sampler(game), (z, *labels), made, draw)
    pixels = sum(layer.get_buffer("noise").numel() for layer in G.layers)
    noise = Input("noise", ("n", pixels), "normal noise of all layers; all 0 for the model's own", {0: n})

    def noisy(n: int, more: int = 0) -> Tensors:
        return *draw(n, more), torch.randn(n, pixels) * (more > 0)

    return Graph(Styled(G), (z, *labels, noise), made, noisy)


def _label(game: Game, modality: Modality, n: Any) -> tuple[Input, ...]:
    if not game.conditional:
        return ()
    if modality.classes:
        known = ", ".join(f"{i} {name}" for i, name in enumerate(modality.classes[:10]))
        return (Input("label", ("n",), f"class: {known}{', ...' if len(modality.classes) > 10 else ''}", {0: n}),)
    columns = ("n", modality.condition_width)
    return (Input("label", columns, "of each column the level that is asked for, -1 where it is free", {0: n}),)


def _parts(game: Game) -> str:
    """Of what a latent vector consists."""
    kinds = {
        "Normal": "normal", "Path": "normal", "Uniform": "uniform in [-1, 1]", "OneHot": "a 1 among zeros",
        "Gumbel": "-log(-log u) of u uniform in [0, 1]",
    }  # fmt: skip
    return ", ".join(f"{part.width} {kinds.get(type(part).__name__, part.name)}" for part in game.prior.parts)


def _polished(game: FilledGAN, modality: Modality, n: Any, labels: tuple[Input, ...]) -> Graph:
    net, columns = Polished(game), modality.condition_width

    def draw(n: int, more: int = 0) -> Tensors:
        z = game.draw(n * net.draws, CPU).view(n, net.draws, -1)
        label = modality.draw_conditions(n, CPU)
        assert label is not None
        return z, label, torch.rand(n, columns) < (0.5 if more else 0.0)

    width = game.prior.width
    z = Input("z", ("n", net.draws, width), f"latents of a row and of each column drawn anew: {_parts(game)}", {0: n})
    keep = Input("keep", ("n", columns), "whether a column stays as asked for; others are drawn anew", {0: n})
    return Graph(net, (z, *labels, keep), f"rows (n, {modality.shape[0]}): one-hot levels, then scalars", draw)


def _series(game: Game, modality: Modality, path: Path, n: Any) -> Graph:
    """Of paths, whose length is free where no recurrent net has to be unrolled."""
    free, before = not isinstance(game, TimeGAN), path.before
    steps: int | str = f"{before} + steps" if free else before + modality.shape[1]
    sides = {0: n, 1: Dim("steps", min=before + 2)} if free else {0: n}

    def draw(n: int, more: int = 0) -> Tensors:
        return (torch.randn(n, before + modality.shape[1] + more * free, path.channels),)

    said = f"normal latents of each step{f' and of {before} before the first' if before else ''}"
    return Graph(
        Sampler(game), (Input("z", ("n", steps, path.channels), said, sides),),
        f"paths (n, {modality.shape[0]}, {'steps' if free else modality.shape[1]}), scaled as nets see them", draw,
    )  # fmt: skip


def _mapped(model: Model, modality: Translation, in_bytes: bool, reverse: bool) -> Graph:
    """Of pictures of pictures."""
    mapper = model.mapper(reverse)
    assert isinstance(mapper.net, nn.Module)
    stride = mapper.stride
    names, made = _multiples(stride), _multiples(stride * mapper.times)
    sides = [stride * Dim(name, min=2) if stride > 1 else Dim(name, min=4) for name in ("height", "width")]
    place = (1, 2) if in_bytes else (2, 3)

    def draw(n: int, more: int = 0) -> Tensors:
        side = stride * -(-LEAST // stride)
        x = 2 * torch.rand(n, mapper.channels, side + stride * more, side + stride * (more + 1)) - 1
        if modality.masked:
            x[:, -1] = x[:, -1].sign()
        return (bytes_of(x) if in_bytes else x,)

    said = "pictures" + (", whose last channel is a mask" if modality.masked else "")
    shape: tuple[int | str, ...] = ("n", *names, mapper.channels) if in_bytes else ("n", mapper.channels, *names)
    given = Input("picture", shape, f"{said}, {'uint8' if in_bytes else 'in [-1, 1]'}",
                  {0: Dim("n", min=1), place[0]: sides[0], place[1]: sides[1]})  # fmt: skip
    return Graph(plain(mapper.net), (given,), f"pictures {_laid((mapper.out_channels, *made), in_bytes)}", draw, stride=stride)


def _multiples(n: int) -> tuple[str, str]:
    """Names of a picture's sides that are multiples of a number."""
    return ("height", "width") if n == 1 else (f"{n} height", f"{n} width")


def _laid(shape: Sequence[int | str], in_bytes: bool) -> str:
    """How pictures of a shape (c, h, w) lie in what a graph gives."""
    sides = [*shape[1:], shape[0]] if in_bytes else shape
    return f"(n, {', '.join(map(str, sides))}) {'uint8' if in_bytes else 'in [-1, 1]'}"


def bytes_of(x: Tensor) -> Tensor:
    """Pictures (n, c, h, w) in [-1, 1] as bytes (n, h, w, c)."""
    return x.add(1).mul(127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).contiguous()
