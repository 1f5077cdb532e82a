"""Narrower nets: channels that matter least are cut out, and the rest learns to make the same samples again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from sparring.data.store import Progress
from sparring.errors import InputError
from sparring.games.cycle import Cycle
from sparring.games.game import Game
from sparring.games.translation import TranslationGame
from sparring.model import Model

WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)
# What a channel passes through without meeting another.
PASSED = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SiLU, nn.Tanh, nn.Sigmoid, nn.Dropout,
    nn.Upsample,
)  # fmt: skip
LOOKED_AT = 4  # batches that channels are weighed on
STEPS = 600  # of fine-tuning
RATE = 1e-3  # learning rate of its Adam at the beginning
Batch = tuple[Tensor, Tensor | None]  # latents and labels; pictures are labels


@dataclass(frozen=True)
class Chain:
    """Two layers with nothing between them that mixes channels: channels can be cut out between them.

    Attributes:
        before: the path of the layer that makes them.
        between: paths of layers that have numbers for each.
        after: the path of the layer that takes them.
    """

    before: str
    between: tuple[str, ...]
    after: str


def chains(net: nn.Module) -> list[Chain]:
    """All of a net, as far as its layers are written one after the other."""
    found: list[Chain] = []
    inner = {id(child) for m in net.modules() if isinstance(m, nn.Sequential) for child in m.children()}
    for path, module in net.named_modules():
        if not _whole(module) or id(module) in inner:
            continue
        before, between = "", list[str]()
        for name, layer in _flat(path, module):
            if _cuttable(layer):
                found += [Chain(before, tuple(between), name)] if before else []
                before, between = name, []
            elif not isinstance(layer, PASSED):
                before = ""
            elif list(layer.parameters()):
                between.append(name)
    return found


def _whole(module: nn.Module) -> bool:
    """Whether a module is its children, one after the other."""
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def _flat(path: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Layers in their order, with their paths."""
    for name, child in module.named_children():
        inside = f"{path}.{name}" if path else name
        if _whole(child):
            yield from _flat(inside, child)
        else:
            yield inside, child


def _cuttable(layer: nn.Module) -> bool:
    alone = getattr(layer, "groups", 1) == 1 and not parametrize.is_parametrized(layer)
    return isinstance(layer, WEIGHTED) and alone


def prunable(model: Model) -> dict[str, list[Chain]]:
    """The chains of a model's generators, by their names.

    Raises:
        InputError: where none has any.
    """
    names = ("AB", "BA") if isinstance(model.game, Cycle) else ("G",)
    nets = {name: getattr(model.game, name, None) for name in names}
    found = {name: chains(net) for name, net in nets.items() if isinstance(net, nn.Module)}
    if not any(found.values()):
        raise InputError(
            f"--prune was given, but G of recipe {model.recipe.name!r} has no layers that simply follow one another, "
            "out of which channels could be cut; use --int8 or --half"
        )
    return found


def pruned(
    model: Model,
    share: float,
    draw: Callable[[], Batch],
    progress: Progress,
    reverse: Callable[[], Batch] | None = None,
) -> Model:
    """A model with narrower generators. Channels are weighed by their size times that of the weights that take them (as
    weights are in Sun et al. 2023, arXiv:2306.11695); then G learns what it made before (Hinton et al. 2015,
    arXiv:1503.02531), which needs no data but what it is given.

    Args:
        model: it is left as it is.
        share: of the channels of each chain that are cut out, above 0 and below 1.
        draw: a batch of latents and labels, or of given pictures as labels.
        progress: told how many steps of the fine-tuning are done.
        reverse: the same for the other way, where there is one.

    Raises:
        InputError: for another share, or a net that has no chains.
    """
    if not 0 < share < 1:
        raise InputError(f"--prune {share:g} is out of range; it must be above 0 and below 1")
    game, told, cut = copy.deepcopy(model.game).eval(), model.game, prunable(model)
    ways = [(name, reverse or draw if name == "BA" else draw) for name in cut]
    for name, batch in ways:
        net: nn.Module = getattr(game, name)
        keeps = _weighed(net, cut[name], partial(_run, game, name, batch), share)
        for other in filter(None, (net, getattr(game, "plain", None))):
            for chain, keep in zip(cut[name], keeps, strict=True):
                _narrow(other, chain, keep)
    for i, (name, batch) in enumerate(ways):
        told_so_far = partial(_on, progress, i * STEPS, len(ways) * STEPS)
        _distilled(partial(_made, game, name), partial(_made, told, name), getattr(game, name), batch, told_so_far)
    counts = {name: sum(p.numel() for p in net.parameters()) for name, net in game.named_children()}
    about = {"pruned": share, "parameters": {name: count for name, count in counts.items() if count}}
    return Model(model.recipe, model.modality, game, {**model.about, **about})


def _on(progress: Progress, begin: int, total: int, done: int) -> None:
    progress(begin + done, total)


def _made(game: Game, name: str, batch: Batch) -> Tensor:
    """What one of a game's generators makes."""
    z, label = batch
    if isinstance(game, TranslationGame) and name != "G":
        made: Tensor = getattr(game, name).padded(label)
        return made
    return game.values(z, label)


def _run(game: Game, name: str, batch: Callable[[], Batch]) -> None:
    _made(game, name, batch())


@torch.no_grad()
def _weighed(net: nn.Module, found: Sequence[Chain], run: Callable[[], object], share: float) -> list[Tensor]:
    """Of each chain the channels that stay."""
    sizes: dict[str, Tensor] = {}

    def look(name: str, _module: nn.Module, given: tuple[Tensor, ...]) -> None:
        x = given[0].detach()
        x = x.movedim(1, -1) if x.ndim > 2 else x
        squares = x.float().square().flatten(0, -2).mean(0)  # (channels,)
        sizes[name] = sizes.get(name, torch.zeros_like(squares)) + squares

    hooks = [net.get_submodule(c.after).register_forward_pre_hook(partial(look, c.after)) for c in found]
    for _ in range(LOOKED_AT):
        run()
    for hook in hooks:
        hook.remove()
    keeps = []
    for chain in found:
        layer = net.get_submodule(chain.after)
        weight = layer.get_parameter("weight").movedim(_takes(layer), 0).flatten(1).norm(dim=1)
        score = sizes[chain.after].sqrt() * weight
        kept = max(1, round((1 - share) * len(score)))
        keeps.append(score.topk(kept).indices.sort().values)
    return keeps


def _takes(layer: nn.Module) -> int:
    """The side of a layer's weight that is what it takes."""
    return 0 if isinstance(layer, nn.ConvTranspose2d) else 1


def _narrow(net: nn.Module, chain: Chain, keep: Tensor) -> None:
    """Cut a chain down to some of its channels."""
    before, after = net.get_submodule(chain.before), net.get_submodule(chain.after)
    channels = before.get_parameter("weight").shape[1 - _takes(before)]
    _cut(before, "weight", 1 - _takes(before), keep)
    if getattr(before, "bias", None) is not None:
        _cut(before, "bias", 0, keep)
    _cut(after, "weight", _takes(after), keep)
    for layer in (net.get_submodule(path) for path in chain.between):
        for name, tensor in [*layer.named_parameters(), *layer.named_buffers()]:
            if tensor.shape == (channels,) and channels > 1:
                _cut(layer, name, 0, keep)


def _cut(layer: nn.Module, name: str, side: int, keep: Tensor) -> None:
    tensor = getattr(layer, name).detach().index_select(side, keep)
    setattr(layer, name, nn.Parameter(tensor) if name in layer._parameters else tensor)


def _distilled(
    student: Callable[[Batch], Tensor],
    teacher: Callable[[Batch], Tensor],
    net: nn.Module,
    draw: Callable[[], Batch],
    progress: Callable[[int], None],
) -> None:
    """Have a net learn what another makes, with the statistics of its batch norms as they are."""
    net.requires_grad_(True)
    adam = torch.optim.Adam(net.parameters(), RATE)
    fading = torch.optim.lr_scheduler.CosineAnnealingLR(adam, STEPS)
    for step in range(STEPS):
        batch = draw()
        with torch.no_grad():
            wanted = teacher(batch)
        loss = F.smooth_l1_loss(student(batch), wanted)
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        fading.step()
        progress(step + 1)
